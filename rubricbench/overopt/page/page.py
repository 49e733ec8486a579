"""The document as a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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

FORMATS = ("svg", "png", "csv")
# outcome -> what the page calls it, and the tone it says it in
WORDS = {
    Outcome.OVER: ("over-optimized", "bad"),
    Outcome.RISK: ("at risk", "bad"),
    Outcome.HOLDS: ("holds", "good"),
    Outcome.UNCLEAR: ("unclear", "unsure"),
    Outcome.NONE: ("not computable", "unsure"),
}


@dataclass(frozen=True)
class Links:
    """Where the figures' files are.

    Args:
        folder: beside the page; empty for none.
        formats: that they have there.
    """

    folder: str
    formats: tuple[str, ...]

    def to(self, name: str) -> Markup:
        """Return links to the files of a figure."""
        if not self.folder:
            return Markup()
        links = []
        for kind in self.formats:
            file = f"{name}.{kind}"
            href = f"{self.folder}/{file}"
            links.append(element("a", kind.upper(), href=href, aria_label=file))
        return element("p", Markup(" · ").join(links), class_="files")


def write_page(
    document: Document, path: Path, *, files: str = "", formats: Sequence[str] = FORMATS
) -> None:
    """Write the page, whole or not at all.

    Args:
        document: what was found.
        path: the file.
        files: folder of the figures' files beside the page, which it then links to.
        formats: of those files.

    Raises:
        RunError: it cannot be written.
    """
    atomic_write(path, render_page_of(document, files=files, formats=formats).encode("utf-8"))


def render_page_of(document: Document, *, files: str = "", formats: Sequence[str] = FORMATS) -> str:
    """Return the page: the same document gives the same bytes. Arguments as of `write_page`."""
    link = Links(files, tuple(formats))
    context = {
        "document": document,
        "about": _about(document),
        "command": f"rubricbench overopt {document.provenance.command}",
        "cautions": cautions_list([("", c) for c in document.cautions], anchor="document"),
        "verdicts": _verdicts(document),
        **_curves(document, link),
        **_samples(document, link),
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
    name = arm.arm
    if document.curves and document.samples:  # the same name may stand for a run and for a reward
        name += ", trained" if isinstance(arm, ArmCurve) else ", on samples"
    said = verdict(
        arm.verdict.headline,
        [arm.verdict.text] if arm.verdict.text else [],
        tone=tone,
        word=word,
        name=name,
        style=charts.style_of(document, arm.arm),
    )
    noted = cautions_list([("", c) for c in arm.cautions], anchor=anchor)
    return join([said, noted])


def _curves(document: Document, link: Links) -> dict[str, Any]:
    return {
        "training": _blocks(charts.training(document), link),
        "gold": _blocks(charts.overlays(document, charts.REWARD), link)
        if len(document.curves) > 1 or any(arm.fit for arm in document.curves)
        else Markup(),
        "wins": _blocks(charts.overlays(document, charts.WIN), link),
        "arms": tables.arms_tables(document),
        "curve_fits": tables.fits_table(document, document.curves),
        "drift": _blocks(
            [panel for m in charts.DRIFT for panel in charts.overlays(document, m)], link
        ),
        "drifts": tables.drift_table(document),
        "checkpoints": [
            (arm.arm, tables.checkpoints_table(arm, f"checkpoints-{i + 1}"))
            for i, arm in enumerate(document.curves)
            if arm.checkpoints
        ],
    }


def _samples(document: Document, link: Links) -> dict[str, Any]:
    return {
        "studies": _blocks(charts.studies(document), link),
        "equal_kl": _blocks(charts.at_equal_kl(document), link),
        "proxies": _blocks(charts.proxies(document), link),
        "tails": _blocks(charts.tails(document), link),
        "tail_errors": _blocks(charts.tail_errors(document), link),
        "safe": tables.safe_table(document),
        "theory": _blocks(charts.theory(document), link),
        "rewards": tables.rewards_table(document),
        "sample_fits": tables.fits_table(document, document.samples),
        "points": [
            (study.arm, tables.study_tables(study, f"study-{i + 1}"))
            for i, study in enumerate(document.samples)
        ],
    }


def _blocks(panels: Iterable[Panel], link: Links) -> Markup:
    """Return figures with their cautions and links to their files."""
    return join(
        element(
            "div",
            figure_block(panel.figure, anchor=f"figure-{panel.figure.name}", named=panel.named),
            link.to(panel.figure.name),
            class_="panel",
        )
        for panel in panels
    )
