"""Within-prompt rank correlation of proxy and gold: overall, and where the proxy is highest.

Prompts differ in difficulty, and a correlation over all samples pooled mostly measures that. Policy
optimisation compares responses to the same prompt, so Spearman's correlation is taken within each
prompt and then averaged. The top decile by proxy is where best-of-n and the tilt put their weight.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from rubricbench.errors import InputError
from rubricbench.metrics.resample import Bootstrap
from rubricbench.metrics.result import Caution, Result, caution
from rubricbench.metrics.samples import Samples
from rubricbench.metrics.scales import Counts

TOP = 0.1
LEAST = 3  # samples for a correlation; of two it is +1 or -1

Floats = NDArray[np.float64]


class RankCorrelation(msgspec.Struct, frozen=True, kw_only=True):
    """Mean over prompts of Spearman's correlation.

    Args:
        overall: over all samples of a prompt.
        top: over its top decile by proxy.
    """

    overall: Result
    top: Result


def rank_correlation(
    samples: Samples, boot: Bootstrap | None = None, *, top: float = TOP, least: int = LEAST
) -> RankCorrelation:
    """Return the within-prompt Spearman correlation of proxy and gold.

    A prompt where either is constant, or with fewer than ``least`` samples (in the top decile too),
    has no correlation: it is left out, and the caution ``left_out`` counts them.

    Args:
        samples: responses with proxy and gold.
        boot: over ``samples.prompts``.
        top: share of a prompt's samples that makes its top; see `top_samples`.
        least: samples a correlation needs.

    Raises:
        InputError: a share outside (0, 1], or ``least`` below 2.
    """
    boot = boot or Bootstrap(samples.prompts, resamples=0)
    names = ("spearman", "spearman_top")
    columns = prompt_spearman(samples, top=top, least=least)
    parts = (np.ones(samples.size), top_samples(samples, top))
    lost = f"{samples.left_out:,} samples without both rewards"
    rows = [caution("left_out", lost)] if samples.left_out else []
    found = [
        _result(boot, column, name, int(part[~np.isnan(column)[samples.of_prompt]].sum()), rows)
        for column, name, part in zip(columns.T, names, parts, strict=True)
    ]
    return RankCorrelation(overall=found[0], top=found[1])


def prompt_spearman(samples: Samples, *, top: float = TOP, least: int = LEAST) -> Floats:
    """Return Spearman's correlation of each prompt, overall and at the top; ``(P, 2)``, NaN: none.

    Raises:
        InputError: a share outside (0, 1], or ``least`` below 2.
    """
    if not 0 < top <= 1 or least < 2:
        raise InputError(f"top={top}, least={least}", hint="0 < top <= 1 and least >= 2")
    everything = np.ones(samples.size, dtype=bool)
    parts = (everything, top_samples(samples, top))
    return np.stack([_spearman(samples, part, least) for part in parts], axis=1)


def top_samples(samples: Samples, top: float = TOP) -> NDArray[np.bool_]:
    """Return which samples are at their prompt's top by proxy, shape ``(N,)``.

    A sample is at the top if fewer than this share of its prompt's samples have a higher proxy: a
    block of ties is taken whole, so the choice does not hang on the order of rows.
    """
    of = samples.of_prompt
    counts = Counts.of(of, samples.proxy, of, samples.proxy)
    higher = counts.number - counts.below - counts.equal
    # Less a rounding error: a tenth of 30 is 3.0000000000000004 in floats.
    return np.asarray(higher < top * counts.number - 1e-9)


def _spearman(samples: Samples, part: NDArray[np.bool_], least: int) -> Floats:
    """Return Pearson's correlation of the mid-ranks in each prompt, over part of the samples."""
    of, prompts = samples.of_prompt[part], len(samples.prompts)
    number = np.bincount(of, minlength=prompts)
    x, y = (_centred_ranks(of, values[part]) for values in (samples.proxy, samples.gold))
    xy, xx, yy = (np.bincount(of, v, prompts) for v in (x * y, x * x, y * y))
    defined = (number >= least) & (xx > 0) & (yy > 0)
    found = np.full(prompts, np.nan)
    np.divide(xy, np.sqrt(xx * yy), out=found, where=defined)
    return np.asarray(np.clip(found, -1, 1))


def _centred_ranks(of: NDArray[np.int64], values: Floats) -> Floats:
    """Return mid-ranks less their mean: half of (how many are lower - how many are higher)."""
    counts = Counts.of(of, values, of, values)
    return np.asarray((2 * counts.below + counts.equal - counts.number) / 2)


def _result(boot: Bootstrap, column: Floats, name: str, items: int, more: list[Caution]) -> Result:
    without = int(np.isnan(column).sum())
    detail = f"{without:,} of {len(column):,} prompts: too few samples, or one that is constant"
    warnings = [*more, caution("left_out", detail)] if without else more
    why = "in every prompt the samples are too few, or proxy or gold is constant"
    return boot.means(column).results([name], items=items, why=why, warnings=warnings)[0]
