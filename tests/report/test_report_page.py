"""The page as a document: self-contained, well formed, the same every time."""

from __future__ import annotations

import base64
import hashlib
import html
import re
import stat
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from report_samples import report_data, without

from rubricbench.errors import RunError
from rubricbench.report import ReportData, render_report, write_report

VOID = {"meta", "link", "br", "img", "input"}


class Outline(HTMLParser):
    """Collects elements, and complains about any that is not closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, names)
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag]

    def ids(self) -> list[str]:
        return [str(attrs["id"]) for _, attrs in self.elements if "id" in attrs]


VARIANTS = {
    "plain": report_data(12),
    "unknown": report_data(12, unknowns=True),
    "one prompt": report_data(1),
    "no model": without(report_data(4), "middling-135M"),
    "model alone": without(report_data(4), "empty", "echo", "careful"),
    "bare": replace(
        report_data(3), configuration={}, versions={}, command="", canary="", dataset=""
    ),
}


@pytest.fixture(params=list(VARIANTS), name="page")
def page_of_every_kind(request: pytest.FixtureRequest) -> str:
    return render_report(VARIANTS[request.param])


def test_elements_are_closed_in_order(page: str) -> None:
    assert page.startswith("<!doctype html>\n")
    Outline(page)


def test_ids_are_unique_and_references_resolve(page: str) -> None:
    outline = Outline(page)
    ids = outline.ids()
    assert [i for i, n in Counter(ids).items() if n > 1] == []
    for _, attrs in outline.elements:
        for name in ("aria-labelledby", "aria-describedby", "for"):
            for target in (attrs.get(name) or "").split():
                assert target in ids
        if (attrs.get("href") or "").startswith("#"):
            assert str(attrs["href"])[1:] in ids


def test_nothing_is_loaded(page: str) -> None:
    for tag, attrs in Outline(page).elements:
        assert tag not in {"img", "iframe", "object", "embed", "base", "form", "video", "audio"}
        assert not {"src", "srcset", "action", "data", "xlink:href", "ping"} & attrs.keys()
        if "href" in attrs:
            assert attrs["href"] == "data:," or str(attrs["href"]).startswith("#")
        assert "style" not in attrs
        assert not [name for name in attrs if name.startswith("on")]
    assert re.findall(r"(?:https?:)?//\w", page) == []
    assert "url(" not in page
    assert "@import" not in page


def test_the_content_policy_allows_this_style_and_these_scripts_alone(page: str) -> None:
    outline = Outline(page)
    policy = next(m["content"] for m in outline.all("meta") if "http-equiv" in m)
    assert policy is not None
    found = dict(part.split(" ", 1) for part in policy.split("; "))
    assert found["default-src"] == "'none'"
    assert "unsafe" not in policy
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        texts = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digests = [base64.b64encode(hashlib.sha256(t.encode()).digest()).decode() for t in texts]
        assert found[directive].split() == [f"'sha256-{d}'" for d in digests]


def test_tables_and_charts_have_names(page: str) -> None:
    outline = Outline(page)
    captions = page.count("<caption")
    named = sum("aria-labelledby" in attrs for attrs in outline.all("table"))
    assert captions + named == len(outline.all("table"))
    for attrs in outline.all("svg"):
        assert attrs.get("aria-hidden") == "true" or attrs.get("role") == "img" or "y" in attrs
        if attrs.get("role") == "img":
            assert "aria-labelledby" in attrs
            assert "aria-describedby" in attrs
    assert all(attrs.get("scope") for attrs in outline.all("th"))
    (root,) = outline.all("html")
    assert root["lang"] == "en"


def test_headings_do_not_skip_a_level(page: str) -> None:
    levels = [int(tag[1]) for tag, _ in Outline(page).elements if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))


def test_the_result_stands_in_the_page() -> None:
    data = report_data(12)
    text = Outline(render_report(data)).text
    mine = [s.value for s in data.samples if s.responder == "middling-135M"]
    assert f"{sum(v for v in mine if v is not None) / 12:.3f} mean score" in text
    assert "coverage 100% every verdict known" in text
    assert "against floor echo" in text
    assert "against ceiling careful" in text
    assert "rubricbench_verifiable" in text
    assert "do-not-print" not in text
    assert "canary of the test" in text


def test_an_unknown_mean_is_called_unknown_with_its_bounds() -> None:
    data = report_data(12, unknowns=True)
    text = Outline(render_report(data)).text
    mine = [s for s in data.samples if s.responder == "middling-135M"]
    low, high = sum(s.low for s in mine) / 12, sum(s.high for s in mine) / 12
    assert f"unknown between {low:.3f}–{high:.3f}" in text
    assert "every verdict known" not in text
    assert "timeout" in text


@pytest.mark.parametrize("prompts", [40, 500])
def test_size(prompts: int) -> None:
    assert len(render_report(report_data(prompts)).encode()) < 3_000_000


def test_every_sample_of_a_small_run_is_shown_with_all_its_criteria() -> None:
    data = report_data(12)
    page = render_report(data)
    text = html.unescape(page)
    for sample in (s for s in data.samples if s.responder == "middling-135M"):
        assert sample.response in text
        for verdict in sample.verdicts:
            assert verdict.criterion in text
            assert verdict.evidence in text


def test_several_models_are_shown_together() -> None:
    data = report_data(12)
    two = replace(
        data,
        responders=tuple(
            replace(r, kind=data.responders[0].kind) if r.name == "careful" else r
            for r in data.responders
        ),
    )
    outline = Outline(render_report(two))
    assert outline.text.count("has a mean score of") == 2
    assert "Between them" not in outline.text


def test_the_same_data_gives_the_same_bytes_in_any_order() -> None:
    data = report_data(12, unknowns=True)
    again = report_data(12, unknowns=True)
    assert render_report(data) == render_report(again)
    turned = replace(data, samples=data.samples[::-1])
    assert render_report(turned) == render_report(data)


def test_the_seed_is_part_of_the_data() -> None:
    data = report_data(12)
    assert render_report(replace(data, seed=1)) != render_report(data)


def test_writing(tmp_path: Path) -> None:
    data: ReportData = report_data(2)
    path = write_report(data, tmp_path / "report.html")
    assert path.read_text("utf-8") == render_report(data)
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    assert stat.S_IMODE(path.stat().st_mode) & 0o400


def test_a_report_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot write the file") as caught:
        write_report(report_data(2), tmp_path / "no" / "such" / "folder.html")
    assert "\n" not in str(caught.value)
