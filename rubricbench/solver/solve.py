"""Solving a rubric: compose, decorate, fill, verify, repair, try again."""

from __future__ import annotations

from rubricbench.draws import Draws
from rubricbench.schema import Rubric
from rubricbench.solver.decorations import decorate
from rubricbench.solver.errors import SolverError
from rubricbench.solver.filling import Filler
from rubricbench.solver.forms import compose
from rubricbench.solver.material import read_material
from rubricbench.solver.reading import read_wishes
from rubricbench.solver.repair import repair
from rubricbench.solver.verifying import missed_by
from rubricbench.solver.writer import Writer

ATTEMPTS = 12


def solve(rubric: Rubric, *, seed: int = 0) -> str:
    """Return a readable response that meets every criterion of a rubric and incurs no penalty.

    Deterministic: the same rubric and seed give the same text.

    Args:
        rubric: every criterion must have a check.
        seed: another seed gives another text.

    Raises:
        SolverError: no response was found; it names the criteria that are in the way.
    """
    fewest: list[str] | None = None
    for attempt in range(ATTEMPTS):
        text = _attempt(rubric, Draws(seed, f"solver-{attempt}", rubric.prompt_id))
        missed = [criterion.criterion for criterion in missed_by(rubric, text)]
        if not missed:
            return text
        if fewest is None or len(missed) < len(fewest):
            fewest = missed
    raise SolverError(fewest or [], where=rubric.prompt_id)


def _attempt(rubric: Rubric, draws: Draws) -> str:
    writer = Writer(read_wishes(rubric), read_material(rubric), draws)
    document = compose(writer)
    filler = Filler(document, writer)
    filler.start()
    decorate(document, writer, filler.add)
    filler.fill()
    return repair(rubric, document, writer)
