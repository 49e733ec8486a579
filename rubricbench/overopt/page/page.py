"""The document as a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from rubricbench.figures.blocks import cautions_list, figure_block, verdict
from rubricbench.overopt.document import ArmCurve, Document, Outcome, SampleStudy
from rubricbench.overopt.page import charts, tables
from rubricbench.overopt.page.charts import Panel
from rubricbench.report.formats import plural
from rubricbench.report.page import render_page
from rubricbench.report.svg import element, join
from rubricbench.runs.files import atomic_write

FILES = ("svg", "png", "csv")
# outcome -> what the page calls it, and the tone it says it in
WORDS = {
    Outcome.OVER: ("over-optimized", "bad"),
    Outcome.RISK: ("at risk", "bad"),
    Outcome.HOLDS: ("no decline seen", "good"),
    Outcome.UNCLEAR: ("unclear", "unsure"),
    Outcome.NONE: ("not computable", "unsure"),
}


def write_page(document: Document, path: Path, *, files: str = "") -> None:
    """Write the page, whole or not at all.

    Args:
        document: what was found.
        path: the file.
        files: folder of the figures' files beside the page, which it then links to.

    Raises:
        RunError: it cannot be written.
    """
    atomic_write(path, render_page_of(document, files=files).encode("utf-8"))


def render_page_of(document: Document, *, files: str = "") -> str:
    """Return the page: the same document gives the same bytes. Arguments as of `write_page`."""
    context = {
        "document": document,
        "about": _about(document),
        "command": f"rubricbench overopt {document.provenance.command}",
        "cautions": cautions_list([("", c) for c in document.cautions], anchor="document"),
        "verdicts": _verdicts(document),
        **_curves(document, files),
        **_samples(document, files),
        "contrasts": tables.contrasts_table(document),
    }
    return render_page("overopt.html", context, styles=("figures.css", "overopt.css"))


def _about(document: Document) -> str:
    parts = []
    if document.curves:
        seeds = sum(len(arm.seeds) for arm in document.curves)
        parts.append(f"{plural(len(document.curves), 'training arm')}, {plural(seeds, 'run')}")
    if document.samples:
        samples = sum(study.samples for study in document.samples)
        rewards = plural(len(document.samples), "reward")
        parts.append(f"{rewards} on {plural(samples, 'scored sample')}")
    return "; ".join(parts) or "Nothing was computed"


def _verdicts(document: Document) -> Markup:
    arms = [_verdict(document, arm, f"arm-{i + 1}") for i, arm in enumerate(document.curves)]
    studies = [_verdict(document, s, f"reward-{i + 1}") for i, s in enumerate(document.samples)]
    return join([*arms, *studies])


def _verdict(document: Document, arm: ArmCurve | SampleStudy, anchor: str) -> Markup:
    word, tone = WORDS[arm.verdict.outcome]
    said = verdict(
        arm.verdict.headline,
        [arm.verdict.text] if arm.verdict.text else [],
        tone=tone,
        word=word,
        name=arm.arm,
        style=charts.style_of(document, arm.arm),
    )
    noted = cautions_list([("", c) for c in arm.cautions], anchor=anchor)
    return join([said, noted])


def _curves(document: Document, files: str) -> dict[str, Any]:
    return {
        "training": _blocks(charts.training(document), files),
        "gold": _blocks(charts.overlays(document, charts.REWARD), files)
        if len(document.curves) > 1 or any(arm.fit for arm in document.curves)
        else Markup(),
        "wins": _blocks(charts.overlays(document, charts.WIN), files),
        "arms": tables.arms_tables(document),
        "curve_fits": tables.fits_table(document, document.curves),
        "drift": _blocks(
            [panel for m in charts.DRIFT for panel in charts.overlays(document, m)], files
        ),
        "drifts": tables.drift_table(document),
        "checkpoints": [
            (arm.arm, tables.checkpoints_table(arm, f"checkpoints-{i + 1}"))
            for i, arm in enumerate(document.curves)
            if arm.checkpoints
        ],
    }


def _samples(document: Document, files: str) -> dict[str, Any]:
    return {
        "studies": _blocks(charts.studies(document), files),
        "equal_kl": _blocks(charts.at_equal_kl(document), files),
        "proxies": _blocks(charts.proxies(document), files),
        "tails": _blocks(charts.tails(document), files),
        "theory": _blocks(charts.theory(document), files),
        "rewards": tables.rewards_table(document),
        "sample_fits": tables.fits_table(document, document.samples),
        "points": [
            (study.arm, tables.study_tables(study, f"study-{i + 1}"))
            for i, study in enumerate(document.samples)
        ],
    }


def _blocks(panels: Iterable[Panel], files: str) -> Markup:
    """Return figures with their cautions and links to their files."""
    return join(
        element(
            "div",
            figure_block(panel.figure, anchor=f"figure-{panel.figure.name}", named=panel.named),
            _links(panel.figure.name, files),
            class_="panel",
        )
        for panel in panels
    )


def _links(name: str, folder: str, kinds: Sequence[str] = FILES) -> Markup:
    if not folder:
        return Markup()
    links = [
        element("a", kind.upper(), href=f"{folder}/{name}.{kind}", aria_label=f"{name}.{kind}")
        for kind in kinds
    ]
    return element("p", Markup(" · ").join(links), class_="files")
