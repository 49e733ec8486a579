"""From a row's key to its rubric."""

from __future__ import annotations

from rubricbench.builders.verifiable import VERSION
from rubricbench.builders.verifiable.choosing import choose
from rubricbench.builders.verifiable.constraint import Constraint
from rubricbench.builders.verifiable.conversation import messages
from rubricbench.builders.verifiable.scene import Scene
from rubricbench.builders.verifiable.setting import scene_of
from rubricbench.builders.verifiable.trivial import is_trivial
from rubricbench.errors import InputError
from rubricbench.hub import CANARY
from rubricbench.schema import Prompt, Rubric
from rubricbench.solver import SolverError, solve

SOURCE = "rubricbench/verifiable"
LICENSE = "CC-BY-4.0"
_DRAWS = 20


def build_row(seed: int, split: str, number: int) -> Rubric:
    """Build one row of a split; it depends on nothing but its key.

    A row that a trivial answer satisfies, or that the solver cannot meet in full (one in ten
    thousand), is drawn again with the same skeleton and topic.

    Raises:
        InputError: no draw will do.
    """
    for draw in range(_DRAWS):
        rubric = _draw_row(seed, split, number, draw)
        if not is_trivial(rubric) and _can_be_met(rubric):
            return rubric
    raise InputError(f"no good row {number} of {split} in {_DRAWS} draws", hint="another seed")


def _can_be_met(rubric: Rubric) -> bool:
    try:
        solve(rubric)
    except SolverError:
        return False
    return True


def _draw_row(seed: int, split: str, number: int, draw: int) -> Rubric:
    scene = scene_of(seed, split, number, draw)
    constraints = _ordered(scene, choose(scene))
    prompt = Prompt(
        messages=messages(scene, constraints),
        domain="verifiable",
        source=SOURCE,
        license=LICENSE,
        split=split,
        canary=CANARY,
    )
    tags = (f"form:{scene.skeleton.id}", f"area:{scene.topic.area}", f"topic:{scene.topic.name}")
    return Rubric(
        prompt=prompt,
        criteria=tuple(one.criterion(*tags) for one in constraints),
        version=VERSION,
        method="generated",
    )


def _ordered(scene: Scene, constraints: list[Constraint]) -> list[Constraint]:
    """Keep the core first and the penalties last, the rest in random order."""
    core = constraints[: len(scene.layout.core)]
    penalties = [one for one in constraints if one.kind == "penalty"]
    rest = [one for one in constraints if one not in core and one not in penalties]
    return [*core, *scene.draws("order").shuffled(rest), *penalties]
