"""From what was read to the document: every command of ``overopt`` goes through here."""

from __future__ import annotations

import rubricbench
from rubricbench.errors import InputError
from rubricbench.overopt.contrasts import sample_contrasts, with_holm
from rubricbench.overopt.curve import APART, by_arm, curves, share_prompts
from rubricbench.overopt.document import Contrast, Document, Provenance
from rubricbench.overopt.inputs import Inputs
from rubricbench.overopt.point_curves import point_curves
from rubricbench.overopt.run_contrasts import run_contrasts
from rubricbench.overopt.settings import Say, Settings
from rubricbench.overopt.study import study

TITLES = {
    "curve": "Gold and proxy over training",
    "bon": "Best-of-n and tilt on scored samples",
    "compare": "Arms compared",
    "report": "Reward over-optimization",
}


def analyse(
    command: str, inputs: Inputs, settings: Settings, *, say: Say = lambda text: None
) -> Document:
    """Return the document of a command: of all that was read, all that can be computed.

    Args:
        command: ``curve``, ``bon``, ``compare`` or ``report``; the last two compare arms.
        inputs: what was read.
        settings: of the resampling.
        say: is told of every arm.

    Raises:
        InputError: ``compare`` with nothing to compare.
    """
    pairs = _contrasts(command, inputs, settings, say) if command in ("compare", "report") else ()
    if command == "compare" and not pairs:
        raise InputError(
            "there is nothing to compare: two runs or two sets of samples are needed",
            hint="name two files, a file with a column arm, or two columns with --proxy",
        )
    studies = []
    for arm, samples in inputs.samples.items():
        say(f"studying {arm}: {samples.size:,} samples of {len(samples.prompts):,} prompts")
        studies.append(study(arm, samples, settings))
    return Document(
        provenance=Provenance(
            command=command,
            version=rubricbench.__version__,
            sources=inputs.sources,
            seed=settings.seed,
            resamples=settings.resamples,
            level=settings.level,
        ),
        title=TITLES[command],
        curves=(*curves(inputs.runs, settings, say=say), *point_curves(inputs.points)),
        samples=tuple(studies),
        contrasts=pairs,
    )


def _contrasts(command: str, inputs: Inputs, settings: Settings, say: Say) -> tuple[Contrast, ...]:
    """Return all pairs, of runs and of samples, corrected together."""
    runs = by_arm(inputs.runs)
    found: list[Contrast] = []
    apart = len(runs) > 1 and not share_prompts(runs)
    if apart and command == "report":
        say(f"{APART}: training arms are not compared")
    elif len(runs) > 1:
        say(f"comparing {len(runs)} training arms")
        found += run_contrasts(runs, settings)
    if len(inputs.samples) > 1:
        say(f"comparing {len(inputs.samples)} arms on samples")
        found += sample_contrasts(inputs.samples, settings)
    return with_holm(found)
