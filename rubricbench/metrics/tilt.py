"""The optimum of KL-regularised RL, computed from samples without training.

RL with reward p and penalty β·KL has the optimum π ∝ π0·e^{p/β}. On N samples of π0 it is the
weighting w̄_i ∝ e^{p_i/β}: gold is Σ w̄ g, and KL is Σ w̄ log w̄ + log N (self-normalised importance
sampling; Owen 2013, chapter 9). Three things limit it, and every curve says them:

* the effective sample size 1/Σw̄²: a β is shown where it is at least 20 in nine prompts in ten. The
  bar is absolute: ESS/N depends on the tilt alone (about 2β for a uniform proxy), so a relative bar
  would cut every curve at the same KL, however many samples there are. All prompts with 20 samples
  make all of the curve. (To leave out those whose weights happen to be uneven would leave out those
  that drew the best samples, and to nearly double the bias.)
* the ceiling log N: no weighting of N samples lies further from them than that, and near it the
  estimate falls short (at N = 16 it reads 2.6 nats where the truth is 4).
* the bias of self-normalised weights, which fall short, most where the proxy has no bound. It is
  estimated to first order. The estimates are those of the definition; their intervals are those of
  the values less that bias, widened to hold the estimate, and a bias beyond half a standard error
  is said.

Gold is compared at equal β, which is what a training run does, by `tilt`; at equal KL in every
prompt, whatever the scale of each reward, by `equal_kl`.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from rubricbench.errors import InputError
from rubricbench.metrics.curves import SUPPORT, PromptCurves, enough, exactly, minus
from rubricbench.metrics.resample import Bootstrap, Replicates
from rubricbench.metrics.result import Caution, Method, Result, caution, not_computable
from rubricbench.metrics.samples import Samples

MIN_ESS = 20.0
MUCH_BIAS = 0.5  # standard errors, beyond which a bias is cautioned
NEAR_CEILING = 0.5  # share of log N beyond which a KL is cautioned
_FIRST, _STEP, _MOST = 0.1, 2 ** (1 / 3), 60  # inverse β times the proxy's spread
_HALVINGS = 5  # of the last step
_SETTLED = 1e-3  # nats a step, under which a stronger tilt no longer changes anything

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class TiltPoint(msgspec.Struct, frozen=True, kw_only=True):
    """The tilted policy at one β.

    Args:
        beta: in units of the proxy; None for β = ∞, the policy as it is.
        kl: KL to the policy in nats.
        proxy: proxy reward under the tilt.
        gold: gold reward under the tilt.
        gain: gold reward above that of the policy as it is, paired.
        ess: effective samples a prompt, 1/Σw̄², mean over prompts.
    """

    beta: float | None
    kl: Result
    proxy: Result
    gold: Result
    gain: Result
    ess: Result


class TiltCurve(msgspec.Struct, frozen=True, kw_only=True):
    """The tilt over a grid of β. To write it out take ``points``; ``curves`` is for computing.

    Args:
        points: by decreasing β (increasing KL). Those that too few prompts support say so.
        ceiling: log N, the largest KL that the samples can show, mean over prompts.
        samples: samples a prompt: fewest and most.
        cautions: what holds for the whole curve.
        curves: columns ``gold``, ``proxy``, ``kl`` and ``ess`` of every prompt over 1/β, and the
            estimated biases of the first three, ``bias of gold`` and so on.
    """

    points: tuple[TiltPoint, ...]
    ceiling: Result
    samples: tuple[int, int]
    cautions: tuple[Caution, ...]
    curves: PromptCurves

    def shown(self) -> tuple[TiltPoint, ...]:
        """Return the points that have values."""
        return tuple(p for p in self.points if p.gold.estimate is not None)


def tilt(
    samples: Samples, beta_grid: Sequence[float] | None = None, boot: Bootstrap | None = None
) -> TiltCurve:
    """Return gold, proxy and KL under the tilt by the proxy, for every β.

    Args:
        samples: of one policy. Prompts may differ in their number of samples.
        beta_grid: positive; β = ∞ is always added. None for a grid of the proxy's spread: 1/β from
            0.1 spreads on, by a third of an octave, to the last that enough prompts support.
        boot: over ``samples.prompts``; None for the default.

    Raises:
        InputError: a β that is not a positive number.
    """
    tilted = Tilted.of(samples)
    if beta_grid is None:
        inverse, moments = _default(tilted)
    else:
        inverse = _inverses(beta_grid)
        moments = [tilted.at(np.full(len(tilted.counts), a)) for a in inverse]
    table = {name: np.column_stack([m[name] for m in moments]) for name in moments[0]}
    shown = enough(supports(table["ess"], inverse))
    kept = tilted.counts >= MIN_ESS if shown.sum() > 1 else np.ones(len(tilted.counts), dtype=bool)
    curves = PromptCurves.of(
        samples.prompts, inverse[shown], {k: v[:, shown] for k, v in table.items()}, kept, boot
    )
    return _curve(samples, inverse, shown, curves)


def supports(ess: Floats, inverse_beta: Floats) -> Bools:
    """Return whether each prompt supports each point; β = ∞ weighs nothing and is always had."""
    return np.asarray((ess >= MIN_ESS) | (inverse_beta == 0))


class Tilted:
    """Samples laid out for tilting; build with `Tilted.of`."""

    def __init__(self, proxy: Floats, gold: Floats, starts: NDArray[np.int64]) -> None:
        self.starts = starts
        self.counts = np.diff(starts)
        self._top = np.maximum.reduceat(proxy, starts[:-1])
        self._below = proxy - np.repeat(self._top, self.counts)  # no weight overflows
        self._proxy = proxy
        self._gold = gold

    @classmethod
    def of(cls, samples: Samples) -> Tilted:
        """Order each prompt's samples, so that the order of rows leaves no trace in the sums."""
        order = np.lexsort((samples.gold, samples.proxy, samples.of_prompt))
        return cls(samples.proxy[order], samples.gold[order], samples.starts)

    def at(self, inverse_beta: Floats) -> dict[str, Floats]:
        """Return gold, proxy, KL, their biases and ESS of each prompt, each of shape ``(P,)``.

        The biases are those of ratios of means, by the delta method: −Σ w̄²(g − Ĝ) for gold.

        Args:
            inverse_beta: 1/β of each prompt, not negative, shape ``(P,)``.
        """
        weight = np.exp(self._below * np.repeat(inverse_beta, self.counts))
        total = self._sums(weight)
        lower = self._sums(weight * self._below) / total
        # Σ w̄ log w̄ + log N, with log w̄ = (p − max)/β − log Σ e^{(p − max)/β}
        kl = inverse_beta * lower - np.log(total / self.counts)
        gold = self._sums(weight * self._gold) / total
        square = weight * weight
        squares = self._sums(square) / total**2
        of_gold = squares * gold - self._sums(square * self._gold) / total**2
        of_proxy = squares * lower - self._sums(square * self._below) / total**2
        return {
            "gold": gold,
            "proxy": self._top + lower,
            "kl": np.maximum(kl, 0),
            "ess": 1 / squares,
            "bias of gold": of_gold,
            "bias of proxy": of_proxy,
            "bias of kl": inverse_beta * of_proxy + (squares - 1 / self.counts) / 2,
        }

    def covariances(self, inverse_beta: Floats) -> tuple[Floats, Floats]:
        """Return the proxy's variance and its covariance with gold under the tilt: ``(P,)`` each.

        They are the slopes of proxy and gold in 1/β; that of KL is Var/β.
        """
        weight = np.exp(self._below * np.repeat(inverse_beta, self.counts))
        total = self._sums(weight)
        centred = self._below - np.repeat(self._sums(weight * self._below) / total, self.counts)
        weight *= centred
        return (
            np.maximum(self._sums(weight * centred) / total, 0),
            self._sums(weight * self._gold) / total,
        )

    def spread(self) -> Floats:
        """Return the proxy's standard deviation in each prompt, shape ``(P,)``."""
        return np.asarray(np.sqrt(self.covariances(np.zeros(len(self.counts)))[0]))

    def _sums(self, values: Floats) -> Floats:
        return np.asarray(np.add.reduceat(values, self.starts[:-1]))


def _default(tilted: Tilted) -> tuple[Floats, list[dict[str, Floats]]]:
    prompts = len(tilted.counts)
    spread = tilted.spread()
    found = [(0.0, tilted.at(np.zeros(prompts)))]
    if not (spread > 0).any():
        return np.zeros(1), [found[0][1]]
    scale = float(np.median(spread[spread > 0]))
    for step in range(_MOST):
        strength = _FIRST * _STEP**step / scale
        moments = tilted.at(np.full(prompts, strength))
        if not _enough(moments):
            found += _last(tilted, found[-1][0], strength)
            break
        settled = step > 12 and (moments["kl"] - found[-1][1]["kl"]).max() < _SETTLED
        found.append((strength, moments))
        if settled:
            break
    return np.array([a for a, _ in found]), [moments for _, moments in found]


def _enough(moments: dict[str, Floats]) -> bool:
    return bool((moments["ess"] >= MIN_ESS).mean() >= SUPPORT - 1e-12)


def _last(tilted: Tilted, low: float, high: float) -> list[tuple[float, dict[str, Floats]]]:
    """Return the strongest tilt that prompts support, between one they do and one they do not."""
    found = []
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        moments = tilted.at(np.full(len(tilted.counts), middle))
        if _enough(moments):
            low, found = middle, [(middle, moments)]
        else:
            high = middle
    return found


def _inverses(beta_grid: Sequence[float]) -> Floats:
    given = np.asarray(beta_grid, dtype=np.float64)
    if given.ndim != 1 or not len(given) or not (given > 0).all():
        raise InputError(f"β of the tilt: {list(beta_grid)}", hint="give positive numbers")
    return np.unique(np.append(1 / given, 0.0))


def _curve(samples: Samples, inverse: Floats, shown: Bools, curves: PromptCurves) -> TiltCurve:
    counts = samples.counts[curves.kept]
    cautions = [*curves.left_out("have fewer than 20 samples"), *_of_samples(samples, curves)]
    names = [f"tilt at β = {1 / a:.4g}" if a else "no tilt" for a in inverse.tolist()]
    columns = results_of(curves, [names[i] for i in np.flatnonzero(shown)], samples, cautions)
    at = np.cumsum(shown) - 1
    points = []
    for i, strength in enumerate(inverse.tolist()):
        results = {
            name: column[at[i]] if shown[i] else withheld(f"{name}, {names[i]}")
            for name, column in columns.items()
        }
        points.append(TiltPoint(beta=1 / strength if strength else None, **results))
    return TiltCurve(
        points=tuple(points),
        ceiling=_ceiling(counts),
        samples=(int(counts.min()), int(counts.max())),
        cautions=tuple(cautions),
        curves=curves,
    )


def results_of(
    curves: PromptCurves, names: list[str], samples: Samples, cautions: list[Caution]
) -> dict[str, list[Result]]:
    """Return the results of gold, proxy, KL, ESS and gain, cautioned where they are biased."""
    counts = samples.counts[curves.kept]
    log_n, items = float(np.log(counts).mean()), int(counts.sum())
    draws = {name: curves.replicates[name] for name in ("gold", "proxy", "kl", "ess")}
    draws["gain"] = draws["gold"].map(lambda x: x - x[:, :1])
    found = {}
    for name, drawn in draws.items():
        labels = [f"{name}, {at}" for at in names]
        bias = curves.replicates.get("bias of gold" if name == "gain" else f"bias of {name}")
        found[name] = biased_results(drawn, bias, labels, items, cautions)
    found["kl"] = [_near_ceiling(r, log_n) for r in found["kl"]]
    for name in ("kl", "gain", "ess"):  # all grids begin without a tilt
        found[name][0] = exactly(found[name][0], cautions)
    return found


def biased_results(
    draws: Replicates,
    bias: Replicates | None,
    names: list[str],
    items: int,
    cautions: list[Caution],
) -> list[Result]:
    """Return results whose intervals allow for an estimated bias.

    Args:
        draws: of the estimates as they are defined.
        bias: draws of their estimated biases; None for none.
        names: one for each column.
        items: samples behind each.
        cautions: to be added to each.
    """
    found = draws.results(names, items=items, warnings=cautions)
    if bias is None:
        return found
    low, high = minus(draws, bias).interval(Method.T)
    ends = zip(found, low, high, bias.point[0], draws.standard_error(), strict=True)
    return [_allowing(*x) for x in ends]


def _allowing(result: Result, low: float, high: float, bias: float, error: float) -> Result:
    estimate = result.estimate
    if estimate is None or result.low is None or abs(bias) <= 1e-12:
        return result
    allowing = msgspec.structs.replace(
        result, low=float(min(low, estimate)), high=float(max(high, estimate))
    )
    if abs(bias) <= MUCH_BIAS * error:
        return allowing
    ratio = f", {abs(bias) / error:.1f} standard errors" if error else ""
    return allowing.with_warnings([caution("bias", f"about {bias:+.2g}{ratio}")])


def _near_ceiling(kl: Result, log_n: float) -> Result:
    if kl.estimate is None or kl.estimate <= NEAR_CEILING * log_n:
        return kl
    return kl.with_warnings([caution("small_n", f"{kl.estimate:.2f} of at most {log_n:.2f} nats")])


def _ceiling(counts: NDArray[np.int64]) -> Result:
    estimate, items = float(np.log(counts).mean()), int(counts.sum())
    return Result(name="log N", estimate=estimate, method=Method.EXACT, n=len(counts), items=items)


def _of_samples(samples: Samples, curves: PromptCurves) -> list[Caution]:
    found = []
    if samples.left_out:
        found.append(caution("left_out", f"{samples.left_out:,} samples without both rewards"))
    counts = samples.counts[curves.kept]
    if counts.min() != counts.max():
        found.append(caution("uneven", f"{counts.min():,} to {counts.max():,} samples"))
    proxy = Tilted(samples.proxy, samples.gold, samples.starts)
    constant = int(((proxy.spread() == 0) & (samples.counts > 1) & curves.kept).sum())
    if constant:
        total = int(curves.kept.sum())
        found.append(caution("constant", f"the proxy of {constant:,} of {total:,} prompts"))
    if len(curves.grid) == 1 and samples.counts.max() < MIN_ESS:
        found.append(caution("low_ess", f"at most {samples.counts.max():,} samples a prompt"))
    return found


def withheld(name: str, where: str = "there") -> Result:
    """Return that too few prompts support a point."""
    least = f"an effective sample size of {MIN_ESS:.0f}"
    return not_computable(name, f"fewer than {SUPPORT:.0%} of the prompts have {least} {where}")
