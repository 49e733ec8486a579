"""Small worlds with known truth: training runs and scored samples."""

from __future__ import annotations

import numpy as np
import pandas as pd

STEPS = (0, 10, 20, 40, 80, 160)


def run_table(
    *, falls: dict[str, float], seeds: int = 2, prompts: int = 60, samples: int = 3, seed: int = 0
) -> pd.DataFrame:
    """Return training runs whose gold is d(1 − β d) over d = √KL = √step / 4, plus noise.

    Args:
        falls: arm -> β; gold peaks at d = 1/2β.
        seeds: training seeds of each arm.
        prompts: held-out prompts.
        samples: of each prompt at each checkpoint.
        seed: of the noise.
    """
    rng = np.random.default_rng(seed)
    parts = []
    ids = np.repeat([f"p{i:03d}" for i in range(prompts)], samples)
    ease = np.repeat(rng.normal(size=prompts), samples)
    for arm, beta in falls.items():
        for run in range(seeds):
            for step in STEPS:
                d = np.sqrt(step) / 4
                noise = rng.normal(scale=0.4, size=(2, len(ids)))
                parts.append(
                    pd.DataFrame(
                        {
                            "arm": arm,
                            "seed": run,
                            "step": step,
                            "prompt_id": ids,
                            "response_id": [f"{step}-{i}" for i in range(len(ids))],
                            "gold": d * (1 - beta * d) + ease + noise[0],
                            "proxy": d + ease + noise[1],
                            "kl": d * d,
                            "length": 100 + 5 * d + rng.normal(size=len(ids)),
                        }
                    )
                )
    return pd.concat(parts, ignore_index=True)


def sample_table(prompts: int = 50, samples: int = 48, seed: int = 1) -> pd.DataFrame:
    """Return one pool scored by three proxies: noisy gold, gold with a loophole, and noise.

    Four samples in a hundred found the loophole: gold about −2, and the highest proxy. A decline of
    the noise is called in one seed of twenty, as it may be (0 is such a one).
    """
    rng = np.random.default_rng(seed)
    gold = rng.normal(size=(prompts, samples))
    loophole = rng.random(gold.shape) < 0.04
    gold = np.where(loophole, gold / 4 - 2, gold)
    noise = rng.normal(size=(2, prompts, samples))
    return pd.DataFrame(
        {
            "prompt_id": np.repeat([f"p{i:03d}" for i in range(prompts)], samples),
            "response_id": [f"r{i}" for i in range(gold.size)],
            "gold": gold.ravel(),
            "faithful": (gold + 0.3 * noise[0]).ravel(),
            "hacked": np.where(loophole, 5 + noise[0], gold).ravel(),
            "chance": noise[1].ravel(),
        }
    )
