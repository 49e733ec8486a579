"""``analyze rubric``: what each criterion of a rubric set does, with intervals over prompts."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

import rubricbench
from rubricbench.errors import InputError
from rubricbench.metrics.criteria import (
    COLUMNS,
    WHOLE,
    CriterionTable,
    Graded,
    criterion_table,
    phi,
)
from rubricbench.metrics.resample import Bootstrap
from rubricbench.metrics.result import Caution, Result, caution
from rubricbench.overopt.settings import Settings
from rubricbench.schema import Criterion
from rubricbench.scoring import Strategy

MOST_GROUPS = 500
MOST_PAIRS = 50
WITHOUT_TAG = "(no tag)"

Floats = NDArray[np.float64]


class CriterionGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A criterion, or all criteria of one tag.

    Args:
        name: the criterion's id or the tag.
        text: of the criterion, where the group is one text everywhere; else empty.
        prompts: whose rubrics hold it.
        criteria: how many there are over all prompts.
        figures: `metrics.criteria.COLUMNS`, means over prompts (within a prompt over the group's
            criteria; of weight_share the sum).
    """

    name: str
    text: str
    prompts: int
    criteria: int
    figures: dict[str, Result]


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """Two groups whose verdicts go together.

    Args:
        a: one group.
        b: the other; may be the same, for two criteria of one tag.
        phi: correlation of their verdicts within prompts, mean over prompts.
    """

    a: str
    b: str
    phi: Result


class RubricRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What ``rubric.json`` holds.

    Args:
        version: of rubricbench.
        rubrics: where they are from.
        prompts: how many have verdicts.
        responses: with all verdicts known.
        left_out: responses left out.
        strategy: how verdicts become a score.
        by: what the groups are: ``id``, ``tag`` or the prefix of a tag.
        has_gold: whether there is gold.
        whole: `metrics.criteria.WHOLE`, of the rubrics as they are, means over prompts.
        groups: by their weight share, the largest first.
        pairs: the most redundant first.
        seed: of the resampling.
        resamples: bootstrap draws.
        level: of the intervals.
        cautions: of all of it.
    """

    version: str
    rubrics: str
    prompts: int
    responses: int
    left_out: int
    strategy: str
    by: str
    has_gold: bool
    whole: dict[str, Result]
    groups: tuple[CriterionGroup, ...]
    pairs: tuple[Pair, ...]
    seed: int
    resamples: int
    level: float
    cautions: tuple[Caution, ...]


def analyze_rubric(
    graded: Sequence[Graded],
    settings: Settings,
    *,
    by: str = "",
    strategy: str = "weighted_mean",
    source: str = "",
    left_out: int = 0,
) -> RubricRecord:
    """Return what each criterion does.

    Args:
        graded: verdicts on the responses to each prompt, each prompt once.
        settings: of the resampling.
        by: ``id``, ``tag``, or the prefix of a tag (``family`` groups by ``family:…``); by default
            ``id`` where criteria recur over prompts, else ``tag``.
        strategy: how verdicts become a score.
        source: where the rubrics are from.
        left_out: responses left out already.

    Raises:
        InputError: no verdicts, no tag with that prefix, or an unknown strategy.
    """
    table = criterion_table(graded, strategy=Strategy(strategy))
    grouping = by or _default_grouping(graded)
    members = _members(graded, table, grouping)
    boot = settings.boot([g.rubric.prompt_id for g in graded])
    items = int(table.responses.sum())
    groups = [_group(name, rows, graded, table, boot) for name, rows in sorted(members.items())]
    groups.sort(key=lambda g: (-(g.figures["weight_share"].estimate or 0.0) * g.prompts, g.name))
    missing = left_out + table.left_out
    return RubricRecord(
        version=rubricbench.__version__,
        rubrics=source,
        prompts=len(graded),
        responses=items,
        left_out=missing,
        strategy=strategy,
        by=grouping,
        has_gold=graded[0].gold is not None,
        whole=dict(zip(WHOLE, _whole(table, boot, items), strict=True)),
        groups=tuple(groups[:MOST_GROUPS]),
        pairs=tuple(_pairs(graded, table, members, boot)),
        seed=settings.seed,
        resamples=settings.resamples,
        level=settings.level,
        cautions=tuple(_cautions(missing, len(groups))),
    )


def _whole(table: CriterionTable, boot: Bootstrap, items: int) -> list[Result]:
    matrix = np.column_stack([table.whole[name] for name in WHOLE])
    why = "no prompt has what it takes: gold, or enough responses that differ"
    return boot.means(matrix).results(list(WHOLE), items=items, why=why)


def _default_grouping(graded: Sequence[Graded]) -> str:
    ids = [c.id for g in graded for c in g.rubric.criteria]
    recurring = len(ids) >= 2 * len(set(ids)) or len(graded) == 1
    tagged = any(c.tags for g in graded for c in g.rubric.criteria)
    return "id" if recurring or not tagged else "tag"


def _names(criterion: Criterion, grouping: str) -> list[str]:
    if grouping == "id":
        return [criterion.id]
    tags = list(criterion.tags)
    if grouping != "tag":
        tags = [tag for tag in tags if tag.startswith(f"{grouping}:")]
    return tags or [WITHOUT_TAG]


def _members(
    graded: Sequence[Graded], table: CriterionTable, grouping: str
) -> dict[str, list[int]]:
    """Return the rows of the table by group."""
    found: dict[str, list[int]] = {}
    for row, (p, k) in enumerate(zip(table.prompt, table.criterion, strict=True)):
        for name in _names(graded[p].rubric.criteria[k], grouping):
            found.setdefault(name, []).append(row)
    if list(found) == [WITHOUT_TAG]:
        tags = sorted(
            {t.partition(":")[0] for g in graded for c in g.rubric.criteria for t in c.tags}
        )
        raise InputError(
            f"no criterion has a tag {grouping + ':…' if grouping != 'tag' else ''!s}".rstrip(),
            hint="prefixes there are: " + (", ".join(tags[:10]) or "none; group by id"),
        )
    return found


def _group(
    name: str,
    rows: Sequence[int],
    graded: Sequence[Graded],
    table: CriterionTable,
    boot: Bootstrap,
) -> CriterionGroup:
    at = np.asarray(rows)
    prompts = table.prompt[at]
    matrix = np.column_stack(
        [
            _by_prompt(
                table.columns[column][at], prompts, len(graded), total=column == "weight_share"
            )
            for column in COLUMNS
        ]
    )
    why = "no prompt has what it takes: gold, or enough responses that differ"
    results = boot.means(matrix).results(list(COLUMNS), items=len(at), why=why)
    texts = {graded[table.prompt[r]].rubric.criteria[table.criterion[r]].criterion for r in rows}
    return CriterionGroup(
        name=name,
        text=texts.pop() if len(texts) == 1 else "",
        prompts=len(np.unique(prompts)),
        criteria=len(at),
        figures=dict(zip(COLUMNS, results, strict=True)),
    )


def _by_prompt(values: Floats, prompts: NDArray[np.int64], n: int, *, total: bool) -> Floats:
    """Return the mean (or total) of a group's values in each prompt, NaN where it has none."""
    known = ~np.isnan(values)
    number = np.bincount(prompts[known], minlength=n)
    sums = np.bincount(prompts[known], values[known], n)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(number > 0, sums if total else sums / number, np.nan))


def _pairs(
    graded: Sequence[Graded],
    table: CriterionTable,
    members: dict[str, list[int]],
    boot: Bootstrap,
) -> list[Pair]:
    """Return the pairs of groups whose verdicts correlate most."""
    names: dict[int, list[str]] = {}
    for name, rows in members.items():
        for row in rows:
            names.setdefault(row, []).append(name)
    sums: dict[tuple[str, str], dict[int, list[float]]] = {}
    starts = np.searchsorted(table.prompt, np.arange(len(graded)))
    for p, g in enumerate(graded):
        pairs = phi(g.credits[g.known])
        for i, k in zip(*np.triu_indices(len(pairs), 1), strict=True):
            if np.isnan(pairs[i, k]):
                continue
            for a in names[int(starts[p] + i)]:
                for b in names[int(starts[p] + k)]:
                    key = (a, b) if a <= b else (b, a)
                    sums.setdefault(key, {}).setdefault(p, []).append(float(pairs[i, k]))
    ranked = sorted(sums, key=lambda k: (-_weighty(sums[k]), k))[:MOST_PAIRS]
    return [_pair(a, b, sums[(a, b)], len(graded), boot) for a, b in ranked]


def _weighty(found: dict[int, list[float]]) -> float:
    """Return the mean correlation, drawn to 0 where few prompts speak for it."""
    means = [sum(v) / len(v) for v in found.values()]
    return abs(sum(means)) / (len(means) + 2)


def _pair(a: str, b: str, found: dict[int, list[float]], n: int, boot: Bootstrap) -> Pair:
    column = np.full(n, np.nan)
    for p, values in found.items():
        column[p] = sum(values) / len(values)
    result = boot.means(column).results(["phi"], items=sum(map(len, found.values())))[0]
    return Pair(a=a, b=b, phi=result)


def _cautions(left_out: int, groups: int) -> list[Caution]:
    found = []
    if left_out:
        detail = f"{left_out:,} responses with an unknown verdict or without gold"
        found.append(caution("left_out", detail))
    if groups > MOST_GROUPS:
        found.append(caution("left_out", f"{groups - MOST_GROUPS:,} groups of the least weight"))
    return found
