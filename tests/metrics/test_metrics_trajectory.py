from __future__ import annotations

import numpy as np
import pytest

from rubricbench.metrics.trajectory import Trajectory


def run(**columns) -> Trajectory:
    table = {"gold": np.array([[0.1, 0.3], [0.5, 0.7], [0.4, 0.4]]), **columns}
    return Trajectory(
        arm="rubric",
        seed=0,
        steps=np.array([0, 10, 20]),
        prompts=np.array(["a", "b"]),
        columns=table,
        samples=np.ones((3, 2), dtype=np.int64),
    )


def test_the_distance_is_the_root_of_the_mean_kl_and_a_negative_estimate_is_none():
    # Means of the checkpoints: -.1 (counts as 0), 4, 9.
    found = run(kl=np.array([[-0.3, 0.1], [3.0, 5.0], [9.0, 9.0]]))
    assert found.distance() == pytest.approx([0, 2, 3])


def test_the_rao_blackwell_kl_goes_before_the_single_sample_one():
    k1, kl = np.ones((3, 2)), np.full((3, 2), 4.0)
    assert run(kl_k1=k1).distance() == pytest.approx([1, 1, 1])
    assert run(kl_k1=k1, kl=kl).distance() == pytest.approx([2, 2, 2])


def test_what_was_not_logged_is_none():
    found = run()
    assert found.proxy is None
    assert found.kl is None
    assert found.distance() is None
    assert found.gold.shape == (3, 2)
