"""What the theory predicts for *your* reward, from samples scored by it and by gold.

    samples = read_samples("scores.parquet")
    found = predict(samples, kls=(0.5, 1, 2))
    found.at[0].win_rate          # of the optimal policy at KL 0.5, by Proposition 1
    found.at[0].rank_win_rate     # the same with the proxy as uniform ranks, by Theorem 1
    found.at[0].perfect           # of a reward without error
    found.tail_error              # where in the gold reward it errs

Nothing is trained: the optimal policy at a KL is a weighting of the samples, so a prediction needs
samples enough to carry it. It is withheld where fewer than nine prompts in ten have an effective
sample size of 20; for a proxy without ties that takes about ``10/β`` samples a prompt, β being
Theorem 1's: 74 at KL 1, 201 at KL 2, 546 at KL 3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from rubricbench.errors import InputError
from rubricbench.metrics.curves import SUPPORT
from rubricbench.metrics.resample import RESAMPLES, Bootstrap, Replicates
from rubricbench.metrics.result import LEVEL, Caution, Method, Result, caution, not_computable
from rubricbench.metrics.samples import Samples
from rubricbench.metrics.tilt import MIN_ESS
from rubricbench.theory import theorem
from rubricbench.theory.estimated import MapPoint, TailError, estimated_map, tail_error
from rubricbench.theory.figure2 import KLS
from rubricbench.theory.optimum import ExactTilt, RankTilt, Reached
from rubricbench.theory.proposition import exactly
from rubricbench.theory.ranks import tied_pairs

Floats = NDArray[np.float64]

MANY_TIES = 0.05  # share of pairs that tie in the proxy, from which the ranks are cautioned
# Needs no draws, and covers as it says (docs/theory.md).
INTERVAL = Method.T


class AtKL(msgspec.Struct, frozen=True, kw_only=True):
    """The optimal policy for the reward at one KL.

    Args:
        kl: nats to the initial policy: by the exact tilt the mean over prompts, by ranks of each.
        beta: temperature of the exact tilt, in units of the proxy.
        ess: effective samples a prompt under it, mean over prompts.
        gold: gold reward under it, by Proposition 1.
        win_rate: over the initial policy under it, a tie one half.
        rank_gold: gold reward by Theorem 1, the proxy turned into uniform ranks.
        rank_win_rate: win rate by Theorem 1.
        perfect: win rate of a reward without error and without ties, by Theorem 1.
    """

    kl: float
    beta: Result
    ess: Result
    gold: Result
    win_rate: Result
    rank_gold: Result
    rank_win_rate: Result
    perfect: Result


class Empirical(msgspec.Struct, frozen=True, kw_only=True):
    """What the theory says of one reward.

    Args:
        at: the prediction at each KL.
        tail_error: how often the proxy misorders what lies above each gold quantile.
        map: the estimated map, proxy quantile against gold quantile.
        kl_ceiling: KL at β = 0, where all weight lies on the best proxies of each prompt: no tilt
            of these samples goes further. log N without ties.
        proxy_ties: share of a prompt's pairs that tie in the proxy.
        gold_ties: share of a prompt's pairs that tie in gold.
        samples: samples a prompt: fewest and most.
        seed: of the bootstrap.
        cautions: what holds for all of it.
    """

    at: tuple[AtKL, ...]
    tail_error: tuple[TailError, ...]
    map: tuple[MapPoint, ...]
    kl_ceiling: Result
    proxy_ties: Result
    gold_ties: Result
    samples: tuple[int, int]
    seed: int
    cautions: tuple[Caution, ...]


def predict(
    samples: Samples,
    kls: Sequence[float] = KLS,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    interval: Method = INTERVAL,
) -> Empirical:
    """Return what optimising the proxy does to gold, at each KL.

    Args:
        samples: of the initial policy. Prompts with a single sample are left out, and counted.
        kls: nats, 0 or more; 0 is the initial policy itself.
        seed: of the bootstrap over prompts.
        resamples: how many draws it makes.
        level: confidence level.
        interval: of the predictions: ``Method.T``, from leaving out each prompt in turn, or one of
            the bootstraps over prompts.

    Raises:
        InputError: a KL that is negative, or no prompt with two samples.
    """
    wanted = [theorem.allowed(float(kl)) for kl in kls]
    kept, cautions = _several(_ordered(samples))
    boot = Bootstrap(kept.prompts, seed=seed, resamples=resamples, level=level)
    ties = boot.means(
        np.column_stack([tied_pairs(kept, kept.proxy), tied_pairs(kept, kept.gold)])
    ).results(["proxy_ties", "gold_ties"], items=kept.size)
    ceiling = boot.means(_ceiling(kept)).results(["kl_ceiling"], items=kept.size)[0]
    cautions += _of_ties(ties[0]) + _uneven(kept)
    return Empirical(
        at=_predictions(kept, wanted, boot, interval, cautions),
        tail_error=tail_error(kept, boot),
        map=estimated_map(kept, boot),
        kl_ceiling=ceiling,
        proxy_ties=ties[0],
        gold_ties=ties[1],
        samples=(int(kept.counts.min()), int(kept.counts.max())),
        seed=seed,
        cautions=tuple(cautions),
    )


def _ordered(samples: Samples) -> Samples:
    """Return the samples in an order of their own: that of the rows leaves no trace in any sum."""
    order = np.lexsort((samples.gold, samples.proxy, samples.of_prompt))
    return replace(samples, proxy=samples.proxy[order], gold=samples.gold[order], columns={})


def _several(samples: Samples) -> tuple[Samples, list[Caution]]:
    """Return the prompts with two samples or more, and what was left out."""
    found = []
    if samples.left_out:
        found.append(caution("left_out", f"{samples.left_out:,} samples without both rewards"))
    several = samples.counts > 1
    if not several.any():
        raise InputError(
            "every prompt has a single sample",
            hint="the theory compares samples of one prompt: give several of each",
        )
    if several.all():
        return samples, found
    found.append(caution("left_out", f"{int((~several).sum()):,} prompts with a single sample"))
    rows = np.repeat(several, samples.counts)
    ids = samples.prompts[samples.of_prompt]
    return Samples.of(ids[rows], samples.proxy[rows], samples.gold[rows]), found


def _ceiling(samples: Samples) -> Floats:
    top = np.maximum.reduceat(samples.proxy, samples.starts[:-1])
    return -np.log(samples.means((samples.proxy == top[samples.of_prompt]).astype(np.float64)))


def _of_ties(ties: Result) -> list[Caution]:
    if ties.estimate is None or ties.estimate < MANY_TIES:
        return []
    text = (
        f"{ties.estimate:.0%} of a prompt's pairs tie in the proxy, so the figures by ranks are of "
        "a policy that breaks ties at random and spends KL on it; the exact tilt does not"
    )
    return [caution("ties", text)]


def _uneven(samples: Samples) -> list[Caution]:
    low, high = int(samples.counts.min()), int(samples.counts.max())
    return [caution("uneven", f"{low:,} to {high:,} samples a prompt")] if low != high else []


def _predictions(
    samples: Samples,
    kls: list[float],
    boot: Bootstrap,
    interval: Method,
    cautions: list[Caution],
) -> tuple[AtKL, ...]:
    if not kls:
        return ()
    exact, ranks = ExactTilt(samples, kls), RankTilt(samples)
    draws, reached = exact.replicates(boot), exact.at_each()
    columns = {k: _results(k, d, samples, interval, cautions) for k, d in draws.items()}
    found = []
    for i, (kl, at) in enumerate(zip(kls, reached, strict=True)):
        means, rank_at = ranks.at(kl)
        ranked = {
            k: _guarded(_one(f"rank_{_FULL[k]}", boot, v, samples, interval, cautions), rank_at, kl)
            for k, v in means.items()
        }
        shown = {k: _guarded(column[i], at, kl) for k, column in columns.items()}
        found.append(
            AtKL(
                kl=kl,
                beta=_beta(shown["beta"], at),
                ess=_ess(at, samples),
                gold=shown["gold"],
                win_rate=shown["win"],
                rank_gold=ranked["gold"],
                rank_win_rate=ranked["win"],
                perfect=exactly("perfect", theorem.ideal_win_rate(theorem.beta_at(kl))),
            )
        )
    return tuple(found)


_ENDED = "the samples end before that KL: kl_ceiling is below it, or too few carry the weight"
_FULL = {"gold": "gold", "win": "win_rate", "beta": "beta"}


def _results(
    name: str, draws: Replicates, samples: Samples, interval: Method, cautions: list[Caution]
) -> list[Result]:
    names = [_FULL[name]] * draws.point.shape[1]
    return draws.results(
        names, items=samples.size, method=interval, why=_ENDED, warnings=_of_tilt(cautions)
    )


def _one(
    name: str,
    boot: Bootstrap,
    values: Floats,
    samples: Samples,
    interval: Method,
    cautions: list[Caution],
) -> Result:
    return boot.means(values).results(
        [name], items=samples.size, method=interval, warnings=cautions
    )[0]


def _of_tilt(cautions: list[Caution]) -> list[Caution]:
    return [c for c in cautions if c.code != "ties"]


def _guarded(found: Result, at: Reached, kl: float) -> Result:
    """Return the result, or why the samples cannot support it."""
    if at.shown or found.estimate is None:
        return found
    reason = (
        f"at KL {kl:g} {at.supported:.0%} of the prompts, not {SUPPORT:.0%}, have an effective "
        f"sample size of {MIN_ESS:.0f} (mean {at.ess:.1f}): more samples a prompt are needed"
    )
    return not_computable(found.name, reason, n=found.n, items=found.items)


def _beta(found: Result, at: Reached) -> Result:
    if at.beta is not None and math.isinf(at.beta):
        return not_computable("beta", "KL 0 is the initial policy itself: beta is infinite")
    return found


def _ess(at: Reached, samples: Samples) -> Result:
    if at.beta is None:
        return not_computable("ess", _ENDED)
    return Result(
        name="ess",
        estimate=at.ess,
        method=Method.EXACT,
        n=len(samples.prompts),
        items=samples.size,
    )
