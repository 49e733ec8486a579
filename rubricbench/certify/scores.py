"""Scores that verdict pairs make, the judge's and the reference's, by the one scoring function."""

from __future__ import annotations

from collections import defaultdict

import msgspec
import numpy as np
from numpy.typing import NDArray

from rubricbench.certify.certificate import Scores
from rubricbench.certify.correct import Graded
from rubricbench.certify.measure import Floats, Measure, Method, Prompts, mean
from rubricbench.certify.pairs import Pairs, Strings
from rubricbench.report.bootstrap import Resamples
from rubricbench.schema import Criterion, Prompt, Rubric
from rubricbench.scoring import score_matrix

SPEARMAN_RESAMPLES = 1000


class ResponseScores(msgspec.Struct, frozen=True):
    """One entry for each grading of a response whose labelled criteria make a score.

    Args:
        prompt_id: its prompt.
        generator: who wrote it.
        judged: score of the judge's verdicts; NaN where one is unknown.
        reference: score of the references.
        unscorable: gradings without an entry, their labelled criteria holding no merit.
    """

    prompt_id: Strings
    generator: Strings
    judged: Floats
    reference: Floats
    unscorable: int

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which gradings have a judged score."""
        return ~np.isnan(self.judged)


def gradings(pairs: Pairs) -> list[NDArray[np.int64]]:
    """Return the rows of each grading (prompt, response, replicate), in order of appearance."""
    rows: dict[tuple[str, str, int], list[int]] = defaultdict(list)
    keys = zip(
        pairs.prompt_id.tolist(), pairs.response_id.tolist(), pairs.replicate.tolist(), strict=True
    )
    for i, key in enumerate(keys):
        rows[key].append(i)
    return [np.array(found, dtype=np.int64) for found in rows.values()]


def response_scores(pairs: Pairs) -> ResponseScores:
    """Return the scores over the criteria that have a reference, checked ones included."""
    labelled = pairs.where(~np.isnan(pairs.reference))
    groups: dict[tuple[tuple[str, float], ...], list[NDArray[np.int64]]] = defaultdict(list)
    unscorable = 0
    for rows in gradings(labelled):
        weights = labelled.weight[rows]
        if not (weights > 0).any():
            unscorable += 1
            continue
        rows = rows[np.argsort(labelled.criterion_id[rows], kind="stable")]
        key = tuple(zip(labelled.criterion_id[rows], labelled.weight[rows].tolist(), strict=True))
        groups[key].append(rows)
    first, judged, reference = [], [], []
    for key, members in groups.items():
        rubric = _rubric(key)
        table = np.stack(members)
        first.append(table[:, 0])
        judged.append(score_matrix(rubric, labelled.credit[table]).value)
        reference.append(score_matrix(rubric, labelled.reference[table]).value)
    at = np.concatenate(first) if first else np.empty(0, dtype=np.int64)
    order = np.argsort(at)
    return ResponseScores(
        prompt_id=labelled.prompt_id[at[order]],
        generator=labelled.generator[at[order]],
        judged=(np.concatenate(judged) if judged else np.empty(0))[order],
        reference=(np.concatenate(reference) if reference else np.empty(0))[order],
        unscorable=unscorable,
    )


def _rubric(criteria: tuple[tuple[str, float], ...]) -> Rubric:
    return Rubric(
        prompt=Prompt.from_text("-"),
        criteria=tuple(
            Criterion(criterion=f"{i}", weight=weight, id=name)
            for i, (name, weight) in enumerate(criteria)
        ),
    )


def graded(pairs: Pairs) -> Graded | None:
    """Return the pairs with a reference as `correct` takes them; None if none makes a score."""
    labelled = pairs.where(~np.isnan(pairs.reference))
    keep: list[NDArray[np.int64]] = []
    response: list[NDArray[np.int64]] = []
    share: list[Floats] = []
    for rows in gradings(labelled):
        weights = labelled.weight[rows]
        total = float(weights[weights > 0].sum())
        if total > 0:
            keep.append(rows)
            response.append(np.full(len(rows), len(response)))
            share.append(weights / total)
    if not keep:
        return None
    rows = np.concatenate(keep)
    return Graded(
        Prompts(labelled.prompt_id[rows].astype(str)),
        np.concatenate(response),
        np.concatenate(share),
        labelled.credit[rows],
        labelled.reference[rows],
        labelled.checked[rows],
    )


def score_figures(scores: ResponseScores) -> Scores:
    """Return the measures at the level of scores."""
    known = scores.known
    prompts = Prompts(scores.prompt_id[known].astype(str))
    judged, reference = scores.judged[known], scores.reference[known]
    return Scores(
        bias=mean(judged - reference, prompts),
        absolute_error=mean(np.abs(judged - reference), prompts),
        judged=mean(judged, prompts),
        reference=mean(reference, prompts),
        spearman=_spearman(scores.prompt_id[known], judged, reference),
        within_prompt=_within_prompt(prompts, judged, reference),
        responses=int(known.sum()),
        without_value=int((~known).sum()),
        unscorable=scores.unscorable,
    )


def _spearman(prompt_ids: Strings, judged: Floats, reference: Floats) -> Measure:
    if len(judged) < 3:
        return Measure(None, items=len(judged))
    names = [str(name) for name in prompt_ids]
    draws = Resamples(names, resamples=SPEARMAN_RESAMPLES)
    found = draws.rank_correlation(names, judged.tolist(), reference.tolist())
    if found is None:
        return Measure(None, items=len(judged), prompts=len(set(names)))
    low, high = found.interval or (None, None)
    method = Method.BOOTSTRAP if found.interval else Method.NONE
    return Measure(found.low, low, high, found.items, found.prompts, method)


def _within_prompt(prompts: Prompts, judged: Floats, reference: Floats) -> Measure:
    """Average the rank correlation over prompts whose references differ.

    Where the judge scores all responses of a prompt alike it ranks none of them: that counts as 0,
    not as missing, or a judge that cannot tell responses apart would look better than it is.
    """
    order = np.argsort(prompts.of, kind="stable")
    bounds = np.searchsorted(prompts.of[order], np.arange(len(prompts) + 1))
    values, names, items = [], [], 0
    for i, name in enumerate(prompts.names.tolist()):
        rows = order[bounds[i] : bounds[i + 1]]
        x, y = _midranks(judged[rows]), _midranks(reference[rows])
        if len(rows) < 2 or not y.any():
            continue
        scale = float(np.sqrt((x @ x) * (y @ y)))
        values.append(float(x @ y) / scale if scale > 0 else 0.0)
        names.append(name)
        items += len(rows)
    if not values:
        return Measure(None)
    found = mean(np.array(values), Prompts(names))
    return msgspec.structs.replace(found, items=items)


def _midranks(values: Floats) -> Floats:
    """Return ranks, ties averaged, less their mean."""
    _, of, sizes = np.unique(values, return_inverse=True, return_counts=True)
    ranks = np.cumsum(sizes) - (sizes - 1) / 2
    return np.asarray(ranks[of] - (len(values) + 1) / 2, dtype=np.float64)
