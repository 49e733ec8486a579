"""From what was read to the document: every command of ``overopt`` goes through here."""

from __future__ import annotations

import rubricbench
from rubricbench.overopt.document import Document, Provenance
from rubricbench.overopt.inputs import Inputs, Say
from rubricbench.overopt.settings import Settings
from rubricbench.overopt.study import study

TITLES = {
    "curve": "Gold and proxy over training",
    "bon": "Best-of-n and tilt on scored samples",
    "compare": "Arms compared",
    "report": "Reward over-optimization",
}


def bon(inputs: Inputs, settings: Settings, *, say: Say = lambda text: None) -> Document:
    """Study every reward on its samples.

    Args:
        inputs: with samples.
        settings: of the resampling.
        say: is told of every arm.
    """
    studies = []
    for arm, samples in inputs.samples.items():
        say(f"studying {arm}: {samples.size:,} samples of {len(samples.prompts):,} prompts")
        studies.append(study(arm, samples, settings))
    return Document(
        provenance=provenance("bon", inputs, settings),
        title=TITLES["bon"],
        samples=tuple(studies),
    )


def provenance(command: str, inputs: Inputs, settings: Settings) -> Provenance:
    """Return what made a document."""
    return Provenance(
        command=command,
        version=rubricbench.__version__,
        sources=inputs.sources,
        seed=settings.seed,
        resamples=settings.resamples,
        level=settings.level,
    )
