"""What each criterion of a rubric does: to the score, to the ranking, and in the tail.

Item analysis, one prompt at a time: the responses to a prompt are the examinees, its rubric's
criteria the items. A penalty is turned round (its credit is one less what was given), so that more
is better for every criterion. The rubric's score, and that of the rubric without a criterion, come
from `rubricbench.scoring.score_matrix` alone.

=====================  ========================================================================
weight_share           absolute weight, of the rubric's
met                    mean credit, turned round for penalties
saturated              1 where all responses have the same credit: it cannot rank any
discrimination         mean credit of the top less of the bottom 27% (Kelley 1939) by gold; by the
                       score without the criterion where there is no gold
item_rest              Pearson correlation of credit and the score without the criterion (corrected
                       item-total)
item_gold              Pearson correlation of credit and gold (point-biserial for hard verdicts)
largest_phi            largest correlation of its credit with that of another criterion
tail_information       mean credit of excellent less of great responses (`metrics.tail`)
adds_tail_accuracy     tail accuracy of the rubric less of the rubric without the criterion
adds_spearman          within-prompt Spearman with gold, likewise
=====================  ========================================================================

Responses with an unknown verdict are left out: an unknown is not unmet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rubricbench.errors import InputError
from rubricbench.metrics.rank import prompt_spearman
from rubricbench.metrics.samples import Samples
from rubricbench.metrics.scales import base_quantiles
from rubricbench.metrics.tail import EXCELLENT, GREAT, tail_shares
from rubricbench.schema import Rubric
from rubricbench.scoring import WEIGHTED_MEAN, Strategy, score_matrix

EXTREME = 0.27  # share of responses in each of the extreme groups of the discrimination
COLUMNS = (
    "weight_share",
    "met",
    "saturated",
    "discrimination",
    "item_rest",
    "item_gold",
    "largest_phi",
    "tail_information",
    "adds_tail_accuracy",
    "adds_spearman",
)
WHOLE = (
    "criteria",
    "saturated_weight",
    "mean_phi",
    "effective_criteria",
    "tail_accuracy",
    "spearman",
)
NEED_GOLD = ("item_gold", "tail_information", "adds_tail_accuracy", "adds_spearman")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Graded:
    """The verdicts on the responses to one prompt.

    Args:
        rubric: with ``c`` criteria.
        credits: shape ``(n, c)``, columns in the rubric's order; NaN for unknown.
        gold: gold reward of each response, shape ``(n,)``; None where there is none.
    """

    rubric: Rubric
    credits: Floats
    gold: Floats | None = None

    def __post_init__(self) -> None:
        n = len(self.credits)
        if self.credits.shape != (n, len(self.rubric.criteria)):
            raise InputError(
                f"verdicts of shape {self.credits.shape} for {len(self.rubric.criteria)} criteria",
                where=f"prompt {self.rubric.prompt_id:.60}",
            )
        if self.gold is not None and self.gold.shape != (n,):
            raise InputError(f"{n} responses and {self.gold.size} of gold")

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which responses have every verdict, and gold where there is any."""
        known = ~np.isnan(self.credits).any(axis=1)
        return np.asarray(known if self.gold is None else known & np.isfinite(self.gold))


@dataclass(frozen=True)
class CriterionTable:
    """Every criterion of every prompt.

    Args:
        prompt: index of the prompt of each row, shape ``(R,)``.
        criterion: index of the criterion in its rubric, shape ``(R,)``.
        columns: `COLUMNS`, each of shape ``(R,)``; NaN where not defined.
        whole: `WHOLE`, of the rubric as it is, each of shape ``(P,)``.
        responses: responses with all verdicts, shape ``(P,)``.
        left_out: responses left out for an unknown verdict or gold.
    """

    prompt: NDArray[np.int64]
    criterion: NDArray[np.int64]
    columns: dict[str, Floats]
    whole: dict[str, Floats]
    responses: NDArray[np.int64]
    left_out: int


def criterion_table(
    graded: Sequence[Graded], *, strategy: Strategy = WEIGHTED_MEAN
) -> CriterionTable:
    """Return what each criterion of each prompt does.

    Args:
        graded: prompts, each once, with gold for all of them or for none.
        strategy: how verdicts become a score.

    Raises:
        InputError: none, one prompt twice, or gold for some prompts only.
    """
    _check(graded)
    kept = [_kept(g) for g in graded]
    counts = np.array([len(g.rubric.criteria) for g in kept])
    prompt = np.repeat(np.arange(len(kept)), counts)
    criterion = np.concatenate([np.arange(c) for c in counts])
    scores = [_Scores.of(g, strategy) for g in kept]
    parts = [_of_prompt(g, s) for g, s in zip(kept, scores, strict=True)]
    columns = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
    whole = {name: np.array([_whole(g)[name] for g in kept]) for name in WHOLE[:4]}
    ranking, ranked = _rankings(kept, scores, counts)
    for place, name in enumerate(("tail_accuracy", "spearman")):
        whole[name] = ranking[:, place]
        columns[f"adds_{name}"] = ranking[prompt, place] - ranked[prompt, criterion, place]
    return CriterionTable(
        prompt=prompt,
        criterion=criterion,
        columns={name: columns[name] for name in COLUMNS},
        whole=whole,
        responses=np.array([len(g.credits) for g in kept]),
        left_out=sum(int((~g.known).sum()) for g in graded),
    )


def _check(graded: Sequence[Graded]) -> None:
    if not graded:
        raise InputError("no prompt has verdicts")
    names = [g.rubric.prompt_id for g in graded]
    if len(set(names)) < len(names):
        raise InputError("a prompt stands twice")
    if len({g.gold is None for g in graded}) > 1:
        raise InputError("gold for some prompts only", hint="leave the others out")


def _kept(graded: Graded) -> Graded:
    known = graded.known
    gold = None if graded.gold is None else graded.gold[known]
    return Graded(graded.rubric, graded.credits[known], gold)


@dataclass(frozen=True)
class _Scores:
    """Scores of one prompt's responses: by the rubric, and without each criterion in turn."""

    full: Floats  # (n,)
    without: Floats  # (n, c); NaN where nothing positive is left

    @classmethod
    def of(cls, graded: Graded, strategy: Strategy) -> _Scores:
        full = score_matrix(graded.rubric, graded.credits, strategy=strategy).value
        without = np.full(graded.credits.shape, np.nan)
        for k in range(len(graded.rubric.criteria)):
            rest = _without(graded.rubric, k)
            if rest is not None and len(full):
                credits = np.delete(graded.credits, k, axis=1)
                without[:, k] = score_matrix(rest, credits, strategy=strategy).value
        return cls(full, without)


def _without(rubric: Rubric, k: int) -> Rubric | None:
    """Return the rubric without a criterion; None where nothing positive would be left."""
    left = tuple(c for i, c in enumerate(rubric.criteria) if i != k)
    if not any(c.weight > 0 for c in left):
        return None
    return Rubric(prompt=rubric.prompt, criteria=left)


def turned(graded: Graded) -> Floats:
    """Return the credits with penalties turned round, so that more is better: ``(n, c)``."""
    penalty = np.array([c.is_penalty for c in graded.rubric.criteria])
    return np.where(penalty, 1 - graded.credits, graded.credits)


def _of_prompt(graded: Graded, scores: _Scores) -> dict[str, Floats]:
    credits = turned(graded)
    n, c = credits.shape
    weights = np.abs([x.weight for x in graded.rubric.criteria]).astype(np.float64)
    empty = np.full(c, np.nan)
    found = {"weight_share": weights / weights.sum()}
    if not n:
        return found | dict.fromkeys(COLUMNS[1:8], empty)
    flat = np.ptp(credits, axis=0) == 0
    gold = graded.gold
    reference = scores.without if gold is None else np.repeat(gold[:, None], c, axis=1)
    return found | {
        "met": credits.mean(axis=0),
        "saturated": flat.astype(np.float64) if n > 1 else empty,
        "discrimination": np.array([_extremes(credits[:, k], reference[:, k]) for k in range(c)]),
        "item_rest": np.array([_pearson(credits[:, k], scores.without[:, k]) for k in range(c)]),
        "item_gold": empty
        if gold is None
        else np.array([_pearson(credits[:, k], gold) for k in range(c)]),
        "largest_phi": _largest_phi(credits),
        "tail_information": empty if gold is None else _tail_information(credits, gold),
    }


def _extremes(credit: Floats, reference: Floats) -> float:
    """Return the difference of means between top and bottom 27%, ties shared out evenly."""
    if np.isnan(reference).any() or len(credit) < 4 or np.ptp(reference) == 0:
        return float("nan")
    size = EXTREME * len(credit)
    return _top_mean(credit, reference, size) - _top_mean(credit, -reference, size)


def _top_mean(credit: Floats, reference: Floats, size: float) -> float:
    """Return the mean credit of the ``size`` responses highest by reference.

    Of responses tied at the edge each counts by the same share, so that no order of rows matters.
    """
    levels, block = np.unique(-reference, return_inverse=True)
    number = np.bincount(block, minlength=len(levels))
    before = np.concatenate([[0], np.cumsum(number)[:-1]])
    share = np.clip((size - before) / number, 0, 1)
    return float((share[block] * credit).sum() / size)


def _pearson(x: Floats, y: Floats) -> float:
    if len(x) < 3 or np.isnan(y).any():
        return float("nan")
    a, b = x - x.mean(), y - y.mean()
    scale = np.sqrt((a @ a) * (b @ b))
    return float(np.clip(a @ b / scale, -1, 1)) if scale > 1e-12 else float("nan")


def phi(credits: Floats) -> Floats:
    """Return the correlations of criteria over responses, NaN where one is saturated: ``(c, c)``.

    Args:
        credits: shape ``(n, c)``; for hard verdicts the correlation is phi.
    """
    n, c = credits.shape
    if n < 3:
        return np.full((c, c), np.nan)
    centred = credits - credits.mean(axis=0)
    size = np.sqrt((centred**2).sum(axis=0))
    flat = size <= 1e-9
    scaled = centred / np.where(flat, 1, size)
    found = np.clip(scaled.T @ scaled, -1, 1)
    found[flat, :] = found[:, flat] = np.nan
    return np.asarray(found)


def _largest_phi(credits: Floats) -> Floats:
    pairs = phi(credits)
    np.fill_diagonal(pairs, np.nan)
    known = ~np.isnan(pairs).all(axis=0)
    found = np.full(len(pairs), np.nan)
    if known.any():
        found[known] = np.nanmax(pairs[:, known], axis=0)
    return found


def _tail_information(credits: Floats, gold: Floats) -> Floats:
    samples = Samples.of(["p"] * len(gold), np.zeros(len(gold)), gold)
    quantile = base_quantiles(samples)
    top, next_ = quantile >= EXCELLENT, (quantile >= GREAT) & (quantile < EXCELLENT)
    if not (top.any() and next_.any()):
        return np.full(credits.shape[1], np.nan)
    return np.asarray(credits[top].mean(axis=0) - credits[next_].mean(axis=0))


def _whole(graded: Graded) -> dict[str, float]:
    credits = turned(graded)
    n, c = credits.shape
    nan = float("nan")
    if n < 2:
        return {"criteria": float(c), "saturated_weight": nan, "mean_phi": nan, WHOLE[3]: nan}
    weights = np.abs([x.weight for x in graded.rubric.criteria]).astype(np.float64)
    flat = np.ptp(credits, axis=0) == 0
    pairs = phi(credits)
    upper = pairs[np.triu_indices(c, 1)]
    upper = upper[~np.isnan(upper)]
    return {
        "criteria": float(c),
        "saturated_weight": float(weights[flat].sum() / weights.sum()),
        "mean_phi": float(upper.mean()) if len(upper) else nan,
        "effective_criteria": _effective(pairs),
    }


def _effective(pairs: Floats) -> float:
    """Return how many uncorrelated criteria vary as these do: (Σλ)² / Σλ² of their correlations."""
    varied = ~np.isnan(np.diag(pairs))
    if not varied.any():
        return 0.0
    correlations = pairs[np.ix_(varied, varied)]
    return float(varied.sum() ** 2 / (correlations**2).sum())  # Σλ = trace, Σλ² = squared norm


def _rankings(
    kept: Sequence[Graded], scores: Sequence[_Scores], counts: NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """Return tail accuracy and Spearman by the rubric, ``(P, 2)``, and without: ``(P, C, 2)``."""
    most = int(counts.max())
    full = _ranking(kept, [s.full for s in scores])
    without = np.full((len(kept), most, 2), np.nan)
    for k in range(most):
        columns = [
            s.without[:, k] if k < c else s.full * np.nan
            for s, c in zip(scores, counts, strict=True)
        ]
        without[:, k] = _ranking(kept, columns)
    return full, without


def _ranking(kept: Sequence[Graded], proxies: Sequence[Floats]) -> Floats:
    found = np.full((len(kept), 2), np.nan)
    used = [
        i
        for i, g in enumerate(kept)
        if g.gold is not None and len(g.gold) and not np.isnan(proxies[i]).any()
    ]
    if not used:
        return found
    golds = [kept[i].gold for i in used]
    samples = Samples.of(
        np.repeat([f"{i:09}" for i in used], [len(proxies[i]) for i in used]),
        np.concatenate([proxies[i] for i in used]),
        np.concatenate([g for g in golds if g is not None]),
    )
    found[used, 0] = tail_shares(samples)[:, 0]
    found[used, 1] = prompt_spearman(samples)[:, 0]
    return found
