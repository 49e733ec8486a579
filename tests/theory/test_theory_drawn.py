"""The figures of a prediction say what they show."""

from __future__ import annotations

import numpy as np
import pytest

from rubricbench.metrics.samples import Samples
from rubricbench.theory.drawn import figures
from rubricbench.theory.empirical import predict


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_captions_name_the_level_of_the_intervals(level: float) -> None:
    gold = np.random.default_rng(0).normal(size=(20, 30))
    samples = Samples.of(np.repeat(np.arange(20), 30), gold.ravel(), gold.ravel())
    for figure in figures(predict(samples, (0.0, 0.5), level=level)):
        assert f"{100 * level:g}% intervals over prompts" in figure.caption
