"""Win rate: how often a judge prefers the policy's response to a reference's.

Judges favour a place. So every pair is judged in both orders, and the outcome is 1 or 0 where both
verdicts name the same response, one half where they disagree. Two other forms are in use: one order
drawn at random and no tie (Chasing the Tail, arXiv 2509.21500, appendix), and the mean of a judge's
fractional preferences (AlpacaEval 2). Whatever the form, pairs are averaged within each prompt, and
prompts are the units of the interval.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec
import numpy as np
from numpy.typing import NDArray

from rubricbench.draws import Draws
from rubricbench.errors import InputError
from rubricbench.metrics.comparisons import Comparisons, means_of
from rubricbench.metrics.proportion import proportions
from rubricbench.metrics.resample import Bootstrap, Replicates
from rubricbench.metrics.result import Result, caution, not_computable

Floats = NDArray[np.float64]


class Form(StrEnum):
    """What the verdicts on a pair amount to."""

    BOTH = "both_orders"  # 1, 1/2 or 0: 1/2 where the two orders disagree
    ONE = "one_random_order"  # 1 or 0: one verdict a pair, no tie
    FRACTIONAL = "fractional"  # the mean of the verdicts


class WinRate(msgspec.Struct, frozen=True, kw_only=True):
    """Win rate and what tells whether to believe it.

    Args:
        form: see `Form`.
        win_rate: mean over prompts.
        standard_error: of the win rate, over prompts (the standard error of AlpacaEval).
        ties: share of the pairs with an outcome of one half.
        consistency: share of the pairs both of whose orders give the same verdict.
        first: how often the response that is shown first is preferred: 1/2 of a fair judge.
        length: mean length of the policy's responses.
        other_length: mean length of the reference's.
    """

    form: str
    win_rate: Result
    standard_error: Result
    ties: Result
    consistency: Result
    first: Result
    length: Result
    other_length: Result


def win_rate(
    verdicts: Comparisons,
    boot: Bootstrap | None = None,
    *,
    form: Form = Form.BOTH,
    seed: int = 0,
) -> WinRate:
    """Return the win rate with its interval over prompts.

    Args:
        verdicts: on the policy's responses against the reference's.
        boot: over ``verdicts.prompts``.
        form: what the verdicts on a pair amount to.
        seed: of the order drawn for each pair, where the form takes one.

    Raises:
        InputError: what `outcomes` refuses.
    """
    boot = boot or Bootstrap(verdicts.prompts, resamples=0)
    outcome = outcomes(verdicts, form=form, seed=seed)
    of, prompts = verdicts.prompt_of_pair, len(verdicts.prompts)
    left = verdicts.left_out
    warnings = [caution("left_out", f"{left:,} unknown verdicts")] if left else []
    draws = boot.means(means_of(of, outcome, prompts))
    ties = boot.means(means_of(of, (outcome == 0.5).astype(float), prompts))
    items = verdicts.pairs
    return WinRate(
        form=form.value,
        win_rate=proportions(draws, ["win_rate"], items=items, warnings=warnings)[0],
        standard_error=_error(draws, items),
        ties=proportions(ties, ["win_ties"], items=items)[0],
        consistency=_consistency(verdicts, boot),
        first=_first(verdicts, boot),
        length=_length(verdicts, boot, verdicts.length, "length"),
        other_length=_length(verdicts, boot, verdicts.other_length, "other_length"),
    )


def prompt_win_rates(verdicts: Comparisons, *, form: Form = Form.BOTH, seed: int = 0) -> Floats:
    """Return the win rate of each prompt, shape ``(P,)``: a column for paired comparisons of arms.

    Raises:
        InputError: what `outcomes` refuses.
    """
    outcome = outcomes(verdicts, form=form, seed=seed)
    return means_of(verdicts.prompt_of_pair, outcome, len(verdicts.prompts))


def outcomes(verdicts: Comparisons, *, form: Form = Form.BOTH, seed: int = 0) -> Floats:
    """Return the outcome of each pair for the policy, shape ``(verdicts.pairs,)``.

    Args:
        verdicts: on the policy's responses against the reference's.
        form: what the verdicts on a pair amount to.
        seed: of the order drawn for each pair, where the form takes one.

    Raises:
        InputError: both orders asked for and not had, a pair judged twice in one order, or a tie
            where the form has none.
    """
    if form is Form.FRACTIONAL:
        return means_of(verdicts.pair, verdicts.preference, verdicts.pairs)
    if form is Form.BOTH:
        votes = _by_order(verdicts, both=True)
        return np.asarray(np.where(votes[:, 0] == votes[:, 1], (votes[:, 0] + 1) / 2, 0.5))
    votes = _by_order(verdicts, both=False)
    drawn = np.array([_drawn(seed, *names) for names in verdicts.pair_names.tolist()])
    only = np.isnan(votes).any(axis=1)
    drawn[only] = np.isnan(votes[only, 0])
    vote = votes[np.arange(len(votes)), drawn]
    if (vote == 0).any():
        where = verdicts.pair_names[np.flatnonzero(vote == 0)[0]]
        raise InputError(
            f"a tie in prompt {str(where[0])!r}, where each verdict is for one side",
            hint="use form both_orders or fractional",
        )
    return np.asarray((vote + 1) / 2)


def _by_order(verdicts: Comparisons, *, both: bool) -> Floats:
    """Return the vote (1, 0 a tie, -1) of each pair, the policy second and first: ``(K, 2)``."""
    if verdicts.first is None and both:
        raise InputError(
            "no word of which response was shown first",
            hint="give `first`, or use form one_random_order or fractional",
        )
    shown = np.zeros(verdicts.size, bool) if verdicts.first is None else verdicts.first
    seen = np.bincount(2 * verdicts.pair + shown, minlength=2 * verdicts.pairs).reshape(-1, 2)
    twice, missing = seen.max(axis=1) > 1, seen.min(axis=1) == 0
    if twice.any():
        _refuse(verdicts, twice, "is judged twice in one order", "give pair_ids")
    if both and missing.any():
        hint = "judge it in the other, or use form one_random_order or fractional"
        _refuse(verdicts, missing, "is judged in one order only", hint)
    votes = np.full((verdicts.pairs, 2), np.nan)
    votes[verdicts.pair, shown.astype(int)] = np.sign(verdicts.preference - 0.5)
    return votes


def _refuse(verdicts: Comparisons, which: NDArray[np.bool_], what: str, hint: str) -> None:
    where = verdicts.pair_names[np.flatnonzero(which)[0]]
    pair = f"pair {str(where[1])!r} of " if where[1] else "the pair of "
    raise InputError(
        f"{pair}prompt {str(where[0])!r} {what} ({int(which.sum()):,} such)", hint=hint
    )


def _drawn(seed: int, prompt: str, pair: str) -> int:
    return Draws(seed, "order of a comparison", f"{prompt}\x1f{pair}").below(2)


def _error(draws: Replicates, items: int) -> Result:
    name, n = "win_rate_standard_error", int(draws.prompts[0])
    error = float(draws.standard_error()[0])
    if not np.isfinite(error):
        return not_computable(name, "a single prompt has no spread", n=n, items=items)
    return Result(name=name, estimate=error, n=n, items=items)


def _consistency(verdicts: Comparisons, boot: Bootstrap) -> Result:
    name, pairs = "order_consistency", verdicts.pairs
    if verdicts.first is None:
        return not_computable(name, "no word of which response was shown first")
    cell = 2 * verdicts.pair + verdicts.first
    paired = (np.bincount(cell, minlength=2 * pairs).reshape(-1, 2) > 0).all(axis=1)
    if not paired.any():
        return not_computable(name, "no pair was judged in both orders")
    # Of several verdicts in one order, the majority's.
    votes = np.bincount(cell, np.sign(verdicts.preference - 0.5), 2 * pairs).reshape(-1, 2)
    second, first = np.sign(votes[paired]).T
    of = verdicts.prompt_of_pair[paired]
    shares = means_of(of, (first == second).astype(float), len(verdicts.prompts))
    return proportions(boot.means(shares), [name], items=int(paired.sum()))[0]


def _first(verdicts: Comparisons, boot: Bootstrap) -> Result:
    name = "first_position_preferred"
    if verdicts.first is None:
        return not_computable(name, "no word of which response was shown first")
    wins = np.where(verdicts.first, verdicts.preference, 1 - verdicts.preference)
    shares = means_of(verdicts.of_prompt, wins, len(verdicts.prompts))
    return proportions(boot.means(shares), [name], items=verdicts.size)[0]


def _length(verdicts: Comparisons, boot: Bootstrap, values: Floats | None, name: str) -> Result:
    if values is None:
        return not_computable(name, "no lengths were given")
    means = means_of(verdicts.of_prompt, values, len(verdicts.prompts))
    return boot.means(means).results([name], items=verdicts.size)[0]
