from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from rubricbench.metrics.holm import holm

PVALUES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def test_the_smallest_is_multiplied_by_how_many_there_are_and_steps_never_go_down():
    # Sorted .01 .02 .03 .04 times 4 3 2 1 = .04 .06 .06 .04, running maximum .04 .06 .06 .06.
    assert holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])


@given(PVALUES)
@settings(max_examples=25, deadline=None)  # the oracle takes 30 ms a call
def test_it_is_that_of_statsmodels(pvalues: list[float]):
    assert holm(pvalues) == pytest.approx(multipletests(pvalues, method="holm")[1], abs=1e-15)


@given(PVALUES, st.randoms())
def test_the_order_of_the_hypotheses_does_not_matter(pvalues: list[float], random):
    order = list(range(len(pvalues)))
    random.shuffle(order)
    assert list(holm(np.array(pvalues)[order])) == list(holm(pvalues)[order])


def test_no_hypothesis_is_none_rejected():
    assert len(holm([])) == 0


@pytest.mark.parametrize("bad", [[-0.1], [1.1], [float("nan")], [[0.5]]])
def test_what_is_not_a_pvalue_is_refused(bad):
    with pytest.raises(ValueError, match="from 0 to 1"):
        holm(bad)
