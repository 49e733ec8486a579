"""The page of a study: complete, escaped, small, and legible wherever it is read."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
import pytest_asyncio
from chromium import BINARY, Page, browser
from document_samples import document, result
from figure_samples import Drawn
from test_report_browser import OVERFLOWING
from test_report_escaping import HOSTILE

from rubricbench.metrics.result import caution, not_computable, walk
from rubricbench.overopt.document import Document, Outcome, Provenance
from rubricbench.overopt.page import figures, render_page_of, write_page
from rubricbench.overopt.page.charts import (
    DRIFT,
    REWARD,
    at_equal_kl,
    chunks,
    overlays,
    theory,
    training,
)
from rubricbench.overopt.page.page import WORDS

KL = next(measure for measure in DRIFT if measure.name == "kl")


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", " ".join(text for _, text in Drawn(page).texts))


def clean(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()


def test_the_same_document_gives_the_same_page(tmp_path):
    assert render_page_of(document()) == render_page_of(document())
    write_page(document(), tmp_path / "report.html", files="figures")
    assert (tmp_path / "report.html").read_text("utf-8") == render_page_of(
        document(), files="figures"
    )


def test_verdicts_cautions_and_reasons_are_not_folded_away():
    found = document()
    page = render_page_of(found)
    open_part = re.sub(r"<details.*?</details>", "", page, flags=re.S)
    shown = text_of(open_part)
    for arm in (*found.curves, *found.samples):
        assert arm.verdict.headline in shown
        assert arm.verdict.text in shown
    cautions = {
        c.text
        for arm in found.curves
        for r in walk((arm.peak, arm.drop, arm.onset, arm.auc, arm.fit))
        for c in r.warnings
        if c.code != "censored" or r.estimate is not None  # else said as the reason, below
    }
    cautions |= {c.text for s in found.samples for r in walk((s.tail, s.rank)) for c in r.warnings}
    cautions |= {c.text for arm in (*found.curves, *found.samples) for c in arm.cautions}
    assert len(cautions) > 5
    assert all(text in shown for text in cautions)
    assert "no run has an onset" in shown
    assert "no onset by the last checkpoint, step 320" in shown


def test_every_outcome_has_a_word_that_does_not_need_its_colour():
    assert set(WORDS) == set(Outcome)
    assert len({word for word, _ in WORDS.values()}) == len(WORDS)


def test_every_figure_of_the_arms_is_in_a_table():
    found = document(arms=1, rewards=0)
    arm = found.curves[0]
    special = result("gold_peak", 0.54321)
    arm = msgspec.structs.replace(arm, peak=msgspec.structs.replace(arm.peak, over_prompts=special))
    shown = text_of(render_page_of(msgspec.structs.replace(found, curves=(arm,))))
    assert "0.543 0.513–0.573" in shown


def test_without_kl_the_charts_run_over_steps_and_say_why_figures_lack():
    found = document(arms=2, rewards=0, kl=False, proxy=False, seeds=1)
    assert {f.x.label for f in figures(found)} == {"optimiser step"}
    shown = text_of(render_page_of(found))
    assert "KL was not logged" in shown
    assert "The proxy reward was not logged." in shown
    assert "One seed" in shown


def test_gold_and_proxy_share_an_axis_in_standard_deviations():
    panel = training(document())[0].figure
    assert [s.name for s in panel.series] == ["gold reward", "proxy reward"]
    assert panel.y.label == "reward (standard deviations of the initial policy)"
    assert panel.series[1].y[-1] == pytest.approx(0.7 * 3.2 / 0.6)


def test_without_an_initial_checkpoint_rewards_are_as_logged():
    found = document()
    bare = [
        msgspec.structs.replace(c, gold_z=None, proxy_z=None) for c in found.curves[0].checkpoints
    ]
    arm = msgspec.structs.replace(found.curves[0], checkpoints=tuple(bare))
    panel = training(msgspec.structs.replace(found, curves=(arm,)))[0].figure
    assert panel.y.label == "reward (as logged)"
    assert len(panel.series) == 2


def test_peak_and_onset_are_marked_at_their_checkpoints():
    found = document()
    arm = found.curves[1]  # arm 0 has no onset
    marks = {m.text: m.x for m in training(found)[1].figure.marks}
    for text, name in (("gold peak", "peak_step"), ("onset", "onset")):
        step = getattr(arm, name).over_prompts.estimate
        at = next(c.distance for c in arm.checkpoints if c.step == step)
        assert marks[f"{text}, step {step:.0f}"] == at
    assert [m.text.split(",")[0] for m in training(found)[0].figure.marks] == ["gold peak"]


def test_that_the_initial_policy_differs_from_itself_by_nothing_is_no_caution():
    found = document(arms=1, rewards=0)
    still = result("kl", 0.1).with_warnings([caution("constant")])
    first, second, *rest = found.curves[0].checkpoints
    for at, cautioned in ((0, []), (1, ["constant"])):
        made = [first, second]
        made[at] = msgspec.structs.replace(made[at], kl=still, distance=0.3 + at)
        arm = msgspec.structs.replace(found.curves[0], checkpoints=(*made, *rest))
        panel = overlays(msgspec.structs.replace(found, curves=(arm,)), KL)[0]
        assert [c.code for _, r in panel.named for c in r.warnings] == cautioned


def test_where_arms_share_a_chart_marks_name_theirs():
    found = document(arms=2, rewards=0)
    marks = [m for panel in overlays(found, REWARD) for m in panel.figure.marks]
    assert [(m.text, m.style) for m in marks] == [(f"onset of {found.curves[1].arm}", 1)]


def test_a_turnover_that_no_training_reaches_is_not_told_to_the_digit():
    found = document(arms=1, rewards=0)
    fit = msgspec.structs.replace(
        found.curves[0].fit, turnover=result("turnover", 2_224_025.0, 1e6)
    )
    arm = msgspec.structs.replace(found.curves[0], fit=fit)
    shown = text_of(render_page_of(msgspec.structs.replace(found, curves=(arm,))))
    assert "1,000+" in shown
    assert "2,224,025" not in shown


def test_a_kl_that_goes_back_is_joined_in_order_and_said():
    found = document(arms=1, rewards=0)
    arm = found.curves[0]
    back = msgspec.structs.replace(arm.checkpoints[-1], distance=1.0)
    arm = msgspec.structs.replace(arm, checkpoints=(*arm.checkpoints[:-1], back))
    panel = training(msgspec.structs.replace(found, curves=(arm,)))[0].figure
    assert list(panel.series[0].x) == sorted(panel.series[0].x)
    assert "joined in the order of KL" in panel.caption


@pytest.mark.parametrize(
    ("number", "sizes"),
    [(0, []), (4, [4]), (5, [3, 2]), (9, [3, 3, 3]), (13, [4, 3, 3, 3]), (20, [4] * 5)],
)
def test_more_than_four_arms_are_spread_evenly(number, sizes):
    assert [len(range(number)[part]) for part in chunks(number)] == sizes


def test_charts_of_several_arms_have_the_same_axes_and_each_arm_one_style():
    found = document(arms=9, rewards=0)
    panels = [panel.figure for panel in overlays(found, REWARD)]
    assert len(panels) == 3
    assert len({(f.y.low, f.y.high) for f in panels}) == 1
    styles = {s.name: s.style for f in panels for s in f.series if not s.secondary}
    assert styles == {arm.arm: i for i, arm in enumerate(found.curves)}


def test_names_of_figures_and_ids_of_elements_are_unique():
    found = document(arms=9, rewards=6, checkpoints=5)
    names = [f.name for f in figures(found)]
    assert len(names) == len(set(names))
    assert all(re.fullmatch("[a-z0-9_]+", name) for name in names)
    ids = [e["id"] for _, e in Drawn(render_page_of(found)).elements if "id" in e]
    assert len(ids) == len(set(ids))


def test_links_lead_to_the_files_that_there_are():
    page = Drawn(render_page_of(document(), files="figures", formats=("csv",)))
    links = [e["href"] for e in page.of("a") if e["href"].startswith("figures/")]
    assert links == [f"figures/{f.name}.csv" for f in sorted_as_shown(document())]
    assert "figures/" not in render_page_of(document())


def sorted_as_shown(found: Document) -> list:
    page = render_page_of(found)
    return sorted(figures(found), key=lambda f: page.index(f'id="figure-{f.name}"'))


def test_what_was_not_seen_is_not_said_to_be_impossible():
    found = document(arms=1, rewards=0)  # no onset
    missed = msgspec.structs.replace(
        found.curves[0].fall, over_prompts=not_computable("onset_fall", "no onset was seen")
    )
    arm = msgspec.structs.replace(found.curves[0], fall=missed)
    shown = text_of(render_page_of(msgspec.structs.replace(found, curves=(arm,))))
    _, _, rest = shown.partition("These runs")
    listed = rest.partition("Another run")[0]
    assert "Not computable" not in listed
    assert "Not seen within the data Onset step : no onset by the last checkpoint" in listed
    assert "gold is highest at the last checkpoint" in listed
    assert "Fall at the onset : no onset was seen" in listed


def test_a_kl_that_was_not_logged_is_not_taken_for_an_onset_not_seen():
    shown = text_of(render_page_of(document(arms=1, rewards=0, kl=False)))
    assert "Not computable Onset √KL" in shown


def test_gains_at_a_few_kls_are_points_and_no_curve():
    found = document(arms=0, rewards=3)
    for panel in (*at_equal_kl(found), *theory(found)):
        drawn = [s for s in panel.figure.series if not s.secondary]
        assert {s.kind for s in drawn} == {"points"}
        assert min(x for s in drawn for x in s.x) > 0  # at 0 there is nothing to compare
        assert panel.figure.x.low == 0
        assert "Whiskers" in panel.figure.caption


def test_the_win_rate_of_a_perfect_reward_is_a_curve_from_a_coin():
    line = next(s for p in theory(document(arms=0, rewards=1)) for s in p.figure.series[1:])
    assert line.y[0] == pytest.approx(0.5)
    assert all(a < b for a, b in zip(line.y, line.y[1:], strict=False))
    # Gold quantiles are uniform and tilted by e^{bq}: the win rate is E q = 1/(1 - e^-b) - 1/b,
    # the KL b E q - log((e^b - 1)/b). At b = 4 that is 0.76866 at 0.47941 nats.
    assert np.interp(0.47941**0.5, line.x, line.y) == pytest.approx(0.76866, abs=1e-3)


def test_published_points_have_no_prompts_whose_intervals_to_promise():
    found = document(arms=1, rewards=0)
    assert "These runs, with intervals for other prompts" in text_of(render_page_of(found))
    bare = msgspec.structs.replace(found.curves[0], prompts=0)
    shown = text_of(render_page_of(msgspec.structs.replace(found, curves=(bare,))))
    assert "These runs" in shown
    assert "intervals for other prompts" not in shown


def test_an_arm_and_a_reward_of_one_name_are_told_apart():
    found = document(arms=1, rewards=1)
    study = msgspec.structs.replace(found.samples[0], arm=found.curves[0].arm)
    page = Drawn(render_page_of(msgspec.structs.replace(found, samples=(study,))))
    heads = [text for text in page.said("bdi") if text.startswith(found.curves[0].arm + ",")]
    assert heads[:2] == [f"{study.arm}, trained", f"{study.arm}, on samples"]


def test_an_empty_document_is_a_page_too():
    bare = Document(title="", provenance=Provenance(command="curve", version="1", sources=()))
    assert "Nothing was computed" in text_of(render_page_of(bare))
    assert figures(bare) == []


def test_a_document_without_any_figure_says_why():
    found = document(arms=1, rewards=1)
    text = msgspec.json.decode(msgspec.json.encode(found))

    def emptied(value):
        if isinstance(value, dict):
            if "estimate" in value:
                none = not_computable(value["name"], "too few prompts")
                return msgspec.to_builtins(none)
            return {k: emptied(v) for k, v in value.items()}
        return [emptied(v) for v in value] if isinstance(value, list) else value

    none = msgspec.convert(emptied(text), Document)
    page = render_page_of(none)
    assert "too few prompts" in text_of(page)
    assert not re.search(r"\bnan\b", page, re.IGNORECASE)
    assert "No data." in text_of(page)


def test_nothing_is_printed_that_is_no_number():
    page = render_page_of(document(3, 3))
    assert not re.search(r"\b[Nn]a[Nn]\b|\b[Ii]nf\b|\bNone\b", page)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_stays_text(name):
    page = render_page_of(document(2, 2, text=clean(HOSTILE[name])), files="figures")
    assert len(re.findall(r"<script", page)) == 1  # the chrome's own
    found = Drawn(page)
    assert not found.of("img")
    assert not any(a.startswith("on") or a == "style" for _, e in found.elements for a in e)
    assert "\u202e" not in page


def test_twenty_arms_of_sixty_checkpoints_are_a_small_page():
    page = render_page_of(document(20, 20, checkpoints=60), files="figures")
    assert len(page.encode()) < 1_500_000


pytest_browser = [
    pytest.mark.browser,
    pytest.mark.skipif(BINARY is None, reason="no Chromium here"),
    pytest.mark.asyncio(loop_scope="module"),
]

# Text over what is behind it, by WCAG 2.2 (AA): 4.5 to 1; lines and markers: 3 to 1. Colours may
# be given in any space: the browser turns them into sRGB on a canvas.
CONTRAST = """
(() => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const seen = new Map();
  const rgba = (colour) => {
    if (!seen.has(colour)) {
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
      seen.set(colour, [...context.getImageData(0, 0, 1, 1).data]);
    }
    return seen.get(colour);
  };
  const light = (c) => {
    const [r, g, b] = c.map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const found = rgba(getComputedStyle(e).backgroundColor);
      if (found[3] > 250) return found;
    }
    return [255, 255, 255, 255];
  };
  const poor = new Map();
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    const drawn = e.matches(".curve, .marks use, .key .marks path, .sign path, .whisker, .flag");
    if (!(own || drawn) || e.closest("defs, title, desc, script, .hidden, .skip")) continue;
    const style = getComputedStyle(e);
    const filled = e.matches("use, path:not(.curve)") && !e.closest(".lighter") || own;
    const ink = rgba(e instanceof SVGElement ? (filled ? style.fill : style.stroke) : style.color);
    if (ink[3] < 250) {
      poor.set(`${e.tagName}.${e.getAttribute("class")}`, "transparent");
      continue;
    }
    const [a, b] = [light(ink.slice(0, 3)), light(ground(e).slice(0, 3))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const least = own ? 4.5 : 3;
    if (ratio < least) poor.set(`${e.tagName}.${e.getAttribute("class")}`, ratio.toFixed(2));
  }
  return [...poor].map(([name, ratio]) => `${name}: ${ratio}`);
})()
"""
# Labels of one drawing that lie on each other.
COLLIDING = """
[...document.querySelectorAll("svg.plot")].flatMap((plot) => {
  const boxes = [...plot.querySelectorAll("text")]
    .filter((t) => t.textContent.trim())
    .map((t) => [t.textContent, t.getBoundingClientRect()]);
  const found = [];
  boxes.forEach(([one, a], i) => boxes.slice(i + 1).forEach(([two, b]) => {
    const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (wide > 1 && high > 3) found.push(`${one} / ${two}`);
  }));
  return found;
})
"""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def page() -> AsyncIterator[Page]:
    async with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    made = {
        "plain": document(3, 3),
        "many": document(7, 6, checkpoints=30),
        "bare": document(1, 0, kl=False, proxy=False, seeds=1),
        "hostile": document(2, 2, text=clean(" ".join(HOSTILE.values()))),
        "long": document(2, 2, text="x" * 500),
    }
    for name, found in made.items():
        write_page(found, folder / f"{name}.html", files="figures")
    return {name: folder / f"{name}.html" for name in made}


class TestInABrowser:
    pytestmark = pytest_browser

    @pytest.mark.parametrize("width", [1280, 390])
    @pytest.mark.parametrize("name", ["plain", "many", "bare", "hostile", "long"])
    async def test_it_renders_quietly_and_fits(self, page, files, name, width):
        await page.show(files[name], width=width, dark=width == 390)
        await page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert await page.evaluate(OVERFLOWING) == []
        assert await page.evaluate(COLLIDING) == []
        assert page.complaints() == []
        assert page.requests() == []

    @pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
    async def test_text_stands_out_from_its_ground(self, page, files, dark):
        await page.show(files["many"], width=1280, dark=dark)
        await page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
        ground = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == ("rgb(21, 24, 27)" if dark else "rgb(252, 251, 248)")
        assert await page.evaluate(CONTRAST) == []
        # What the check is worth: it finds one grey text, of 4.39 to 1 in the light and 3.92 in
        # the dark, and one line that cannot be seen at all.
        grey = "rgb(118, 118, 118)"
        await page.evaluate(f"document.querySelector('.chart-caption').style.color = '{grey}'")
        await page.evaluate(f"document.querySelector('path.curve').style.stroke = '{ground}'")
        found = ["P.chart-caption: " + ("3.92" if dark else "4.39"), "path.curve: 1.00"]
        assert sorted(await page.evaluate(CONTRAST)) == found

    async def test_lines_bands_and_markers_are_drawn_in_their_colours(self, page, files):
        await page.show(files["plain"], width=390)
        curve = "document.querySelector('.hue-1 .curve')"
        style = f"getComputedStyle({curve})"
        assert await page.evaluate(f"{style}.stroke") == "rgb(173, 70, 0)"
        assert await page.evaluate(f"{style}.strokeDasharray") == "7px, 4px"
        width = "document.querySelector('path.curve').getBoundingClientRect().width"
        assert await page.evaluate(width) > 250  # of the 358 that a phone has
        fill = "getComputedStyle(document.querySelector('.marks.hue-0 use')).fill"
        assert await page.evaluate(fill) == "rgb(11, 95, 165)"
        opacity = "getComputedStyle(document.querySelector('.band')).fillOpacity"
        assert await page.evaluate(opacity) == "0.16"
