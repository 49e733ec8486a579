"""The pages: whole, escaped, self-contained, and legible wherever they are read."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
import pytest_asyncio
from chromium import BINARY, Page, browser
from label_samples import write_lines
from pair_samples import pair
from test_report_browser import OVERFLOWING
from test_report_escaping import HOSTILE

from rubricbench.certify.analyse import certificate
from rubricbench.certify.bridge_run import BridgeJob, bridge_files
from rubricbench.certify.certificate import Certificate
from rubricbench.certify.page.certificate_page import render_certificate
from rubricbench.certify.pairs import About, Asked
from rubricbench.certify.pairs_file import read_pairs


def made(folder: Path, name: str = "judge", *, variants: int = 2, soft: bool = True) -> Certificate:
    """A certificate whose every free text holds a name."""
    rng = np.random.default_rng(0)
    rows = []
    for v in range(variants):
        for i in range(30):
            for c in range(5):
                truth = int(rng.random() < 0.5)
                said = truth if rng.random() < 0.8 else 1 - truth
                p_met = float(rng.uniform(0.5, 1) if said else rng.uniform(0, 0.5))
                rows.append(
                    pair(
                        f"p{i}",
                        f"a{i}",
                        f"c{c}",
                        truth,
                        said if rng.random() < 0.98 else None,
                        p_met=p_met if soft else None,
                        variant=f"json:{v}:{name}",
                        criterion=f"Criterion {c} {name}",
                        tags=[f"tag {c % 2} {name}"],
                        generator=f"model {i % 2} {name}",
                        position=c,
                        listed=5,
                        words=10 * i,
                        annotators=2,
                        agreement=1.0,
                        cause=f"timeout {name}",
                    )
                )
    for row in rows:
        if row["status"] == "unknown":
            row["p_met"] = None
    found, _ = read_pairs(write_lines(folder / "pairs.jsonl", rows))
    asked = tuple(
        Asked(variant=p.variant, judge=f"m {name}", identity={"model": name}, tokens={"x": 1})
        for p in found
    )
    return certificate(found, About(labels=f"labels {name}", asked=asked))


def bridged(folder: Path, name: str = "judge") -> Path:
    rng = np.random.default_rng(0)
    rows = {"a": [], "b": []}
    for i in range(90):
        value = float(rng.random())
        for judge, score in (("a", value), ("b", 0.2 + 0.6 * value + rng.normal(0, 0.05))):
            if judge == "b" and i % 4 == 3:
                continue
            rows[judge].append(
                {
                    "prompt_id": f"p{i // 3}",
                    "response_id": f"a{i}",
                    "generator": f"model {i % 4} {name}",
                    "value": score,
                    "judge": f"{judge} {name}",
                }
            )
    a, b = (write_lines(folder / f"{judge}.jsonl", found) for judge, found in rows.items())
    out = folder / f"bridge-{len(list(folder.iterdir()))}"
    bridge_files(BridgeJob(a=a, b=b, out=out))
    return out / "report.html"


def clean(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()


def test_the_same_certificate_gives_the_same_page(tmp_path):
    found = made(tmp_path)
    assert render_certificate(found) == render_certificate(found)


def test_a_page_is_small_however_many_criteria_there_are(tmp_path):
    found = made(tmp_path)
    group = found.variants[0].by_criterion.shown[0]
    many = [msgspec.structs.replace(group, name=f"Criterion {i}.") for i in range(5000)]
    groups = msgspec.structs.replace(found.variants[0].by_criterion, shown=many)
    wide = msgspec.structs.replace(found.variants[0], by_criterion=groups)
    page = render_certificate(msgspec.structs.replace(found, variants=[wide]))
    assert len(page) < 500_000
    assert "The 60 with most verdicts of 5,000; all are in certificate.json." in page


def test_every_figure_of_the_certificate_is_there(tmp_path):
    found = made(tmp_path, soft=False, variants=1)
    page = render_certificate(found)
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    kappa = found.variants[0].agreement["kappa"]
    assert f"Cohen's kappa {kappa.value:.2f} {kappa.low:.2f}–{kappa.high:.2f}" in text
    assert "Two annotators of one criterion agree in 100% of cases" in text
    assert "Reliability of soft verdicts" not in text
    assert "asked once" in text


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_stays_text(tmp_path, name):
    page = render_certificate(made(tmp_path, clean(HOSTILE[name])))
    assert len(re.findall(r"<script", page)) == 1  # the chrome's own
    assert not re.search(r"<(img|svg onload|a href=javascript)", page)
    assert "\u202e" not in page


pytest_browser = [
    pytest.mark.browser,
    pytest.mark.skipif(BINARY is None, reason="no Chromium here"),
    pytest.mark.asyncio(loop_scope="module"),
]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def page() -> AsyncIterator[Page]:
    async with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    texts = {
        "plain": "judge-8b",
        "hostile": clean(" ".join(HOSTILE.values())),
        "long": "x" * 900,
    }
    found = {}
    for name, text in texts.items():
        inner = folder / name
        inner.mkdir()
        found[f"certificate {name}"] = inner / "certificate.html"
        found[f"certificate {name}"].write_text(render_certificate(made(inner, text)), "utf-8")
        found[f"bridge {name}"] = bridged(inner, text)
    return found


class TestInABrowser:
    pytestmark = pytest_browser

    @pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
    @pytest.mark.parametrize("width", [1280, 375])
    @pytest.mark.parametrize("kind", ["certificate", "bridge"])
    @pytest.mark.parametrize("name", ["plain", "hostile", "long"])
    async def test_it_renders_quietly_and_fits(self, page, files, kind, name, width, dark):
        await page.show(files[f"{kind} {name}"], width=width, dark=dark)
        await page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert await page.evaluate(OVERFLOWING) == []
        ground = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == ("rgb(21, 24, 27)" if dark else "rgb(252, 251, 248)")
        assert page.complaints() == []
        assert page.requests() == []

    @pytest.mark.parametrize("kind", ["certificate", "bridge"])
    async def test_hostile_text_runs_nothing(self, page, files, kind):
        await page.show(files[f"{kind} hostile"], width=1280)
        assert await page.evaluate("document.title.includes('<script>')")
        assert await page.evaluate("document.scripts.length") == 1
        assert await page.evaluate("document.images.length") == 0
        ids = "[...document.querySelectorAll('[id]')].map((e) => e.id)"
        found = await page.evaluate(ids)
        assert len(found) == len(set(found))

    async def test_charts_are_drawn(self, page, files):
        await page.show(files["certificate plain"], width=375)
        marks = "[...document.querySelectorAll('.square use')].map((e) => e.getBBox().width)"
        drawn = await page.evaluate(marks)
        assert len(drawn) == 20  # ten bins of either variant
        assert min(drawn) > 5
        await page.show(files["bridge plain"], width=375)
        curve = "document.querySelectorAll('.curve line').length"
        assert await page.evaluate(curve) == 80
        stroke = "getComputedStyle(document.querySelector('.curve line')).stroke"
        assert await page.evaluate(stroke) == "rgb(28, 33, 38)"
