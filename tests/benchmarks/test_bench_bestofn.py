"""A best-of-n curve with its bootstrap beside a loop over prompts; a million rows in memory."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from math import comb

import numpy as np
import pytest

from rubricbench.metrics import Bootstrap, Samples
from rubricbench.metrics.bestofn import best_of_n

PROMPTS, SAMPLES, RESAMPLES = 1_000, 512, 1_000
TARGET_SECONDS, TARGET_MIB = 5.0, 1_536
NAIVE_PROMPTS, NAIVE_RESAMPLES = 20, 100
MILLION = """
import json, resource, time
import numpy as np
from rubricbench.metrics import Samples
from rubricbench.metrics.bestofn import best_of_n
from rubricbench.metrics.equal_kl import tilt_at_kl
from rubricbench.metrics.tilt import tilt
rng = np.random.default_rng(0)
proxy = rng.random(2_000 * 512)
samples = Samples.of(np.repeat(np.arange(2_000), 512), proxy, proxy + rng.normal(size=len(proxy)))
start, seconds = time.process_time(), {}
for name, curve in (("best-of-n", best_of_n), ("tilt", tilt), ("tilt at equal KL", tilt_at_kl)):
    curve(samples)
    seconds[name] = time.process_time() - start
    start = time.process_time()
mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "mib": mib}))
"""


def _samples(levels: int | None) -> Samples:
    rng = np.random.default_rng(0)
    proxy = rng.normal(size=PROMPTS * SAMPLES)
    gold = proxy + rng.normal(size=proxy.shape)
    seen = np.rint(proxy * levels) if levels else proxy
    return Samples.of(np.repeat(np.arange(PROMPTS), SAMPLES), seen, gold)


def _naive(samples: Samples, n_grid: list[int]) -> float:
    """Take the time of the plain way: binomials a rank, a mean a draw; for the whole problem."""
    rng, curves = np.random.default_rng(0), np.empty((NAIVE_PROMPTS, len(n_grid)))
    start = time.process_time()
    for row, a in enumerate(samples.starts[:NAIVE_PROMPTS]):
        at = slice(a, a + SAMPLES)
        gold = samples.gold[at][np.argsort(samples.proxy[at], kind="stable")]
        for column, n in enumerate(n_grid):
            total = comb(SAMPLES, n)
            curves[row, column] = sum(
                comb(i - 1, n - 1) / total * gold[i - 1] for i in range(n, SAMPLES + 1)
            )
    a_prompt = (time.process_time() - start) / NAIVE_PROMPTS
    whole = np.tile(curves, (PROMPTS // NAIVE_PROMPTS, 1))
    start = time.process_time()
    for _ in range(NAIVE_RESAMPLES):
        whole[rng.integers(0, PROMPTS, PROMPTS)].mean(axis=0)
    return a_prompt * PROMPTS + (time.process_time() - start) / NAIVE_RESAMPLES * RESAMPLES


@pytest.mark.parametrize("levels", [None, 10], ids=["continuous", "ties"])
def test_a_curve_with_its_bootstrap(benchmark, capsys, levels):
    samples = _samples(levels)
    boot = Bootstrap(samples.prompts, resamples=RESAMPLES)
    curve = benchmark(best_of_n, samples, None, boot)
    taken = benchmark.stats.stats.median
    naive = _naive(samples, [p.n for p in curve.points])
    with capsys.disabled():
        print(
            f"\nbest-of-n, {PROMPTS:,} prompts × {SAMPLES} samples × {RESAMPLES:,} draws, "
            f"{len(curve.points)} n: {taken:.2f} s, {taken / TARGET_SECONDS:.2f} of the "
            f"{TARGET_SECONDS:g} s target; a loop over prompts takes {naive / taken:,.0f}x as long"
        )


def test_a_million_rows(benchmark, capsys):
    def run() -> dict[str, object]:
        done = subprocess.run(
            [sys.executable, "-c", MILLION], check=True, capture_output=True, text=True
        )
        found: dict[str, object] = json.loads(done.stdout)
        return found

    found = benchmark.pedantic(run, rounds=1)
    parts = ", ".join(f"{name} {s:.1f} s" for name, s in found["seconds"].items())
    with capsys.disabled():
        print(
            f"\n2,000 prompts × 512 samples: {parts}; {found['mib']:.0f} MiB at most, "
            f"{found['mib'] / TARGET_MIB:.2f} of the {TARGET_MIB:,} MiB target"
        )
