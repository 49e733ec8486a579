"""Length-controlled win rate: what the win rate would be if both responses were equally long.

AlpacaEval 2's regression (Dubois et al., arXiv 2404.04475): the judge's preference has the log-odds

    theta + phi tanh((length - other length) / sd of the difference) + psi difficulty

and the length-controlled win rate is the mean prediction with the length term at zero. Their
difficulty is estimated from a whole leaderboard; without it (psi = 0) the figure is *length-only*,
and says so. They also mix in two models that game the baseline and choose an L1 penalty by
cross-validation; here the only penalty is a weak ridge, a normal prior of standard deviation 10 on
each coefficient, which keeps the fit finite where length separates wins from losses.

The interval is by the delta method, with prompts as clusters, on the log-odds scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from rubricbench.errors import InputError
from rubricbench.metrics.comparisons import Comparisons, means_of, numbers
from rubricbench.metrics.resample import Bootstrap, Replicates
from rubricbench.metrics.result import Caution, Method, Result, caution, not_computable
from rubricbench.metrics.winrate import Form, win_rate

RIDGE = 0.01  # 1 / variance of the prior on each coefficient; the likelihood is summed over prompts
MOVES = 0.1  # change of the log-odds for an e-fold change of the ridge: more, and it is the ridge's
FAR = 0.05  # share of verdicts beyond equal lengths below which these are an extrapolation

Floats = NDArray[np.float64]


class LengthControlled(msgspec.Struct, frozen=True, kw_only=True):
    """Length-controlled win rate, beside the raw one.

    Args:
        form: ``length-only``, or ``length and difficulty``.
        win_rate: the raw one, of fractional preferences.
        length_controlled: predicted for equal lengths.
        length_effect: phi: log-odds gained by being much longer.
        difficulty_effect: psi, where difficulties were given.
    """

    form: str
    win_rate: Result
    length_controlled: Result
    length_effect: Result
    difficulty_effect: Result


def length_controlled_win_rate(
    verdicts: Comparisons,
    boot: Bootstrap | None = None,
    *,
    difficulty: Any = None,
    ridge: float = RIDGE,
) -> LengthControlled:
    """Return the win rate that the fitted regression predicts for responses of equal length.

    Args:
        verdicts: with both lengths; every prompt has the same weight.
        boot: over ``verdicts.prompts``.
        difficulty: of each prompt in the order of ``verdicts.prompts``, shape ``(P,)``; None leaves
            the term out.
        ridge: penalty, ``ridge / 2`` times the squared coefficients; above 0.

    Raises:
        InputError: no lengths, a ridge of 0 or less, or difficulties that are not one a prompt.
    """
    boot = boot or Bootstrap(verdicts.prompts, resamples=0)
    raw = win_rate(verdicts, boot, form=Form.FRACTIONAL).win_rate
    hard = None if difficulty is None else _difficulty(difficulty, len(verdicts.prompts))
    form = "length-only" if hard is None else "length and difficulty"
    names = [f"win_rate_{form.replace(' ', '_').replace('-', '_')}", "length_effect"]
    names += [] if hard is None else ["difficulty_effect"]
    absent = not_computable("difficulty_effect", "no difficulties were given")
    fit = _fit(verdicts, hard, ridge)
    if isinstance(fit, str):
        none = [not_computable(n, fit, n=len(verdicts.prompts), items=raw.items) for n in names]
        return LengthControlled(
            form=form,
            win_rate=raw,
            length_controlled=none[0],
            length_effect=none[1],
            difficulty_effect=none[2] if hard is not None else absent,
        )
    warnings = [c for c in raw.warnings if c.code == "left_out"] + _far(verdicts)
    draws = boot.means(_log_odds(fit))
    effects = boot.means(fit.beta[1:] + fit.influence[:, 1:])
    results = [_probability(draws, names[0], raw.items, warnings)]
    results += effects.results(names[1:], items=raw.items, warnings=warnings)
    if fit.moves > MOVES:
        results = [_unsure(r, fit.moves) for r in results]
    return LengthControlled(
        form=form,
        win_rate=raw,
        length_controlled=results[0],
        length_effect=results[1],
        difficulty_effect=results[2] if hard is not None else absent,
    )


@dataclass(frozen=True)
class _Fit:
    """A fitted regression.

    Args:
        beta: coefficients, shape ``(k,)``.
        influence: of each prompt on them, shape ``(P, k)``: its mean is 0.
        level: prediction of each prompt at equal lengths, shape ``(P,)``.
        slope: derivative of the mean prediction by the coefficients, shape ``(k,)``.
        moves: how far the log-odds of the mean prediction move for an e-fold weaker penalty.
    """

    beta: Floats
    influence: Floats
    level: Floats
    slope: Floats
    moves: float


def _fit(verdicts: Comparisons, difficulty: Floats | None, ridge: float) -> _Fit | str:
    """Return the fit, or why there is none."""
    terms = _terms(verdicts, difficulty, ridge)
    if isinstance(terms, str):
        return terms
    of, prompts = verdicts.of_prompt, len(verdicts.prompts)
    weight, y = 1 / np.bincount(of, minlength=prompts)[of], verdicts.preference
    loss = _Loss(terms, y, weight, ridge)
    solved = optimize.minimize(
        loss.value,
        np.zeros(terms.shape[1]),
        jac=loss.gradient,
        hess=loss.hessian,
        method="trust-exact",
        options={"gtol": 1e-9 * prompts},
    )
    beta = np.asarray(solved.x, dtype=np.float64)
    # At the limit of float precision the optimiser gives up although the gradient is as good as 0.
    if np.abs(loss.gradient(beta)).max() > 1e-6 * prompts:
        return "the regression did not converge"
    hessian = loss.hessian(beta)
    influence = _influence(terms, beta, verdicts, weight, hessian)
    equal = terms.copy()
    equal[:, 1] = 0.0
    level = special.expit(equal @ beta)
    slope = (weight * level * (1 - level)) @ equal / prompts
    by_prompt = means_of(of, level, prompts)
    mean = float(by_prompt.mean())
    shift = float(slope @ np.linalg.solve(hessian, ridge * beta)) / (mean * (1 - mean))
    return _Fit(beta, influence, by_prompt, slope, abs(shift))


def _influence(
    terms: Floats, beta: Floats, verdicts: Comparisons, weight: Floats, hessian: Floats
) -> Floats:
    """Return how the coefficients hang on each prompt, shape ``(P, k)``, of mean 0.

    One Newton step from the fit tells what it would be without the prompt. Taking the prompt's own
    information out of the Hessian, too, keeps intervals from few prompts honest (CR3 of Bell and
    McCaffrey, Survey Methodology 28, 2002).
    """
    of, prompts, k = verdicts.of_prompt, len(verdicts.prompts), terms.shape[1]
    mean = special.expit(terms @ beta)
    residual, spread = weight * (verdicts.preference - mean), weight * mean * (1 - mean)
    score = np.stack([np.bincount(of, residual * x, prompts) for x in terms.T], axis=1)
    own = np.empty((prompts, k, k))
    for i in range(k):
        for j in range(k):
            own[:, i, j] = np.bincount(of, spread * terms[:, i] * terms[:, j], prompts)
    step = np.linalg.solve(hessian - own, score[:, :, None])[:, :, 0]
    return np.asarray((prompts - 1) * (step - step.mean(axis=0)))


def _far(verdicts: Comparisons) -> list[Caution]:
    """Return a caution where nearly all responses of one side are the shorter ones."""
    assert verdicts.length is not None
    assert verdicts.other_length is not None
    longer = verdicts.length - verdicts.other_length
    share = min(float((longer >= 0).mean()), float((longer <= 0).mean()))
    if share >= FAR:
        return []
    return [caution("extrapolated", f"equal lengths lie beyond {1 - share:.0%} of the verdicts")]


def _terms(verdicts: Comparisons, difficulty: Floats | None, ridge: float) -> Floats | str:
    """Return the columns of the regression, shape ``(R, 2)`` or ``(R, 3)``, or why not."""
    if verdicts.length is None or verdicts.other_length is None:
        raise InputError("no lengths", hint="give length and other_length")
    if not ridge > 0:
        raise InputError(f"ridge={ridge}", hint="a number above 0")
    longer = verdicts.length - verdicts.other_length
    if len(longer) < 2 or longer.min() == longer.max():
        return "the difference in length does not vary"
    # Scaled, not centred: at zero the lengths are equal.
    columns = [np.ones(len(longer)), np.tanh(longer / longer.std(ddof=1))]
    if difficulty is not None:
        columns.append(difficulty[verdicts.of_prompt])
    return np.stack(columns, axis=1)


@dataclass(frozen=True)
class _Loss:
    """Penalised negative log-likelihood of fractional outcomes, and its derivatives."""

    x: Floats
    y: Floats
    weight: Floats
    ridge: float

    def value(self, beta: Floats) -> float:
        eta = self.x @ beta
        likelihood = self.weight @ (np.logaddexp(0, eta) - self.y * eta)
        return float(likelihood + self.ridge / 2 * (beta @ beta))

    def gradient(self, beta: Floats) -> Floats:
        rest = self.weight * (special.expit(self.x @ beta) - self.y)
        return np.asarray(rest @ self.x + self.ridge * beta)

    def hessian(self, beta: Floats) -> Floats:
        mean = special.expit(self.x @ beta)
        spread = (self.weight * mean * (1 - mean))[:, None] * self.x
        return np.asarray(spread.T @ self.x + self.ridge * np.eye(len(beta)))


def _log_odds(fit: _Fit) -> Floats:
    """Return a value for each prompt whose mean is the log-odds and whose spread its error's."""
    mean = float(fit.level.mean())
    added = (fit.level - mean) + fit.influence @ fit.slope
    return np.asarray(special.logit(mean) + added / (mean * (1 - mean)))


def _probability(draws: Replicates, name: str, items: int, warnings: list[Caution]) -> Result:
    """Return the result of a log-odds, carried back to a probability."""
    found = draws.results([name], items=items, warnings=warnings)[0]
    ends = {
        end: None if value is None else float(special.expit(value))
        for end in ("estimate", "low", "high")
        for value in [getattr(found, end)]
    }
    return msgspec.structs.replace(found, **ends)


def _unsure(result: Result, moves: float) -> Result:
    bare = msgspec.structs.replace(result, low=None, high=None, method=Method.NONE)
    detail = f"a penalty weaker by e moves the log-odds by {moves:.2g}"
    return bare.with_warnings([caution("separated", detail)])


def _difficulty(values: Any, prompts: int) -> Floats:
    found = numbers("difficulty", values, prompts)
    if not np.isfinite(found).all():
        raise InputError("a difficulty is unknown", hint="leave the prompt out, or the term")
    return found
