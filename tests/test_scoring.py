"""The one scoring function, against numbers derived by hand and against itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubricbench.errors import InputError
from rubricbench.schema import (
    Cause,
    Criterion,
    Prompt,
    Rubric,
    Status,
    Verdict,
    met,
    unknown,
    unmet,
)
from rubricbench.scoring import STRATEGIES, Strategy, score, score_matrix


def rubric(*weights: float, critical: tuple[int, ...] = ()) -> Rubric:
    return Rubric(
        prompt=Prompt.from_text("p"),
        criteria=tuple(
            Criterion(
                criterion=f"criterion {i}",
                weight=w,
                tags=("critical",) if i in critical else (),
            )
            for i, w in enumerate(weights)
        ),
    )


def verdicts(r: Rubric, marks: str) -> list[Verdict]:
    """One character a criterion: 1 met, 0 unmet, ? unknown."""
    make = {
        "1": lambda c: met(c.id),
        "0": lambda c: unmet(c.id),
        "?": lambda c: unknown(c.id, Cause.TIMEOUT),
    }
    return [make[m](c) for m, c in zip(marks, r.criteria, strict=True)]


# The worked example of "Chasing the Tail": weights 3,3,3,3,2,2,2,1,1 sum to 20 and both responses
# miss only the seventh (weight 2), 18/20; the refined weights sum to 27, response 1 misses the
# ninth (2): 25/27, response 2 the seventh, ninth and eleventh (2+2+1): 22/27.
INITIAL = (3, 3, 3, 3, 2, 2, 2, 1, 1)
REFINED = (3, 3, 3, 3, 2, 2, 2, 2, 2, 1, 1, 3)


def test_initial_rubric_of_the_paper_ties_both_responses():
    r = rubric(*INITIAL)
    result = score(r, verdicts(r, "111111011"))
    assert result.raw == 18
    assert result.value == 18 / 20
    assert result.total_weight == 20


def test_refined_rubric_of_the_paper_separates_them():
    r = rubric(*REFINED)
    first = score(r, verdicts(r, "111111110111"))
    second = score(r, verdicts(r, "111111010101"))
    assert (first.value, second.value) == (25 / 27, 22 / 27)


def test_penalties_subtract_and_do_not_widen_the_scale():
    # HealthBench: points 10, 5, -8; scale is 10 + 5; met 10 and -8: (10 - 8) / 15
    r = rubric(10, 5, -8)
    result = score(r, verdicts(r, "101"))
    assert result.value == 2 / 15
    assert result.total_weight == 15


def test_score_below_zero_is_not_clipped():
    r = rubric(2, -3)
    assert score(r, verdicts(r, "01")).value == -3 / 2


def test_unknown_leaves_no_value_but_bounds_and_coverage():
    # weights 3, 1, -2: first known met, the others unknown.
    # low: 3 + 0 - 2 over 4; high: 3 + 1 - 0 over 4; known 3 of |6|
    r = rubric(3, 1, -2)
    result = score(r, verdicts(r, "1??"))
    assert result.value is None
    assert result.raw is None
    assert (result.low, result.high) == (1 / 4, 1.0)
    assert result.coverage == 0.5
    assert [c.status for c in result.contributions] == [
        Status.MET,
        Status.UNKNOWN,
        Status.UNKNOWN,
    ]


def test_missing_verdict_is_unknown_not_unmet():
    r = rubric(1, 1)
    result = score(r, verdicts(r, "11")[:1])
    assert result.value is None
    assert (result.low, result.high, result.coverage) == (0.5, 1.0, 0.5)


def test_soft_verdicts_count_by_their_probability():
    r = rubric(2, -1)
    soft = [
        Verdict(criterion_id=c.id, status=Status.MET, p_met=p)
        for c, p in zip(r.criteria, (0.75, 0.5), strict=True)
    ]
    assert score(r, soft).value == (2 * 0.75 - 0.5) / 2


def test_contributions_add_up_to_the_value():
    r = rubric(3, 2, -1, 1)
    result = score(r, verdicts(r, "1011"))
    amounts = [c.amount for c in result.contributions]
    assert math.isclose(sum(a for a in amounts if a is not None), result.value or math.nan)


@pytest.mark.parametrize(
    ("marks", "expected"),
    [("110", True), ("100", False), ("111", False), ("11?", None), ("0?0", False)],
)
def test_all_met_is_undecided_only_while_an_unknown_could_decide(marks, expected):
    r = rubric(1, 1, -1)
    assert score(r, verdicts(r, marks)).all_met is expected


def test_order_of_verdicts_does_not_matter():
    r = rubric(3, 2, -1)
    v = verdicts(r, "101")
    assert score(r, v) == score(r, reversed(v))


def test_verdict_of_another_rubric_is_refused():
    r = rubric(1)
    with pytest.raises(InputError, match="does not have"):
        score(r, [met("c_of_another_rubric")])


def test_two_verdicts_for_one_criterion_are_refused():
    r = rubric(1)
    with pytest.raises(InputError, match="two verdicts"):
        score(r, verdicts(r, "1") * 2)


class TestStrategies:
    def test_critical_gate_zeroes_what_a_failed_critical_criterion_spoils(self):
        r = rubric(3, 1, critical=(1,))
        gate = Strategy("critical_gate")
        assert score(r, verdicts(r, "10"), strategy=gate).value == 0
        assert score(r, verdicts(r, "11"), strategy=gate).value == 1
        assert score(r, verdicts(r, "01"), strategy=gate).value == 1 / 4

    def test_critical_gate_does_not_forgive_penalties(self):
        r = rubric(1, -3, 1, critical=(2,))
        assert score(r, verdicts(r, "110"), strategy=Strategy("critical_gate")).value == -2 / 2

    def test_minimum_is_the_least_satisfied_criterion(self):
        r = rubric(3, -1)
        minimum = Strategy("minimum")
        assert score(r, verdicts(r, "10"), strategy=minimum).value == 1
        assert score(r, verdicts(r, "11"), strategy=minimum).value == 0

    def test_capped_penalties_take_off_at_most_the_cap(self):
        # gain 4/4, penalties 6/4 capped at 1/2, or at the stated 1/4
        r = rubric(4, -6)
        assert score(r, verdicts(r, "11"), strategy=Strategy("capped_penalties")).value == 0.5
        quarter = Strategy("capped_penalties", {"cap": 0.25})
        assert score(r, verdicts(r, "11"), strategy=quarter).value == 0.75

    def test_implicit_takes_the_verifiers_own_grade(self):
        r = rubric(1, 1)
        implicit = Strategy("implicit")
        result = score(r, verdicts(r, "00"), strategy=implicit, grade=0.8)
        assert (result.value, result.raw) == (0.8, 0.0)
        assert score(r, verdicts(r, "00"), strategy=implicit).value is None

    def test_grade_that_would_be_ignored_is_refused(self):
        r = rubric(1)
        with pytest.raises(InputError, match="takes no grade"):
            score(r, verdicts(r, "1"), grade=0.5)

    def test_strategy_and_parameters_are_recorded(self):
        r = rubric(1)
        result = score(r, verdicts(r, "1"), strategy=Strategy("capped_penalties", {"cap": 0.25}))
        assert result.strategy == "capped_penalties(cap=0.25)"
        assert score(r, verdicts(r, "1")).strategy == "weighted_mean"

    @pytest.mark.parametrize(
        ("name", "params"),
        [
            ("mean", {}),
            ("weighted_mean", {"cap": 0.5}),
            ("capped_penalties", {"cap": 2}),
            ("capped_penalties", {"cap": math.nan}),
        ],
    )
    def test_unknown_strategy_or_parameter_is_refused(self, name, params):
        with pytest.raises(InputError):
            Strategy(name, params)


weights = st.lists(
    st.one_of(st.integers(-10, 10), st.floats(-10, 10, allow_nan=False)).filter(
        lambda w: abs(w) > 1e-3
    ),
    min_size=1,
    max_size=12,
).filter(lambda ws: any(w > 0 for w in ws))
MATRIX_STRATEGIES = [name for name in STRATEGIES if name != "implicit"]


@st.composite
def rubric_and_credits(draw):
    ws = draw(weights)
    critical = tuple(i for i in range(len(ws)) if draw(st.booleans()))
    credit = st.one_of(st.none(), st.floats(0, 1), st.sampled_from([0.0, 1.0]))
    rows = draw(
        st.lists(st.lists(credit, min_size=len(ws), max_size=len(ws)), min_size=1, max_size=5)
    )
    return rubric(*ws, critical=critical), rows


def soft(r: Rubric, row: list[float | None]) -> list[Verdict]:
    return [
        unknown(c.id, Cause.TIMEOUT)
        if p is None
        else Verdict(criterion_id=c.id, status=Status.MET if p >= 0.5 else Status.UNMET, p_met=p)
        for c, p in zip(r.criteria, row, strict=True)
    ]


@pytest.mark.parametrize("name", MATRIX_STRATEGIES)
@given(case=rubric_and_credits())
def test_matrix_and_scalar_scores_are_equal_to_the_last_bit(name, case):
    r, rows = case
    strategy = Strategy(name)
    matrix = score_matrix(
        r, [[math.nan if p is None else p for p in row] for row in rows], strategy=strategy
    )
    for i, row in enumerate(rows):
        one = score(r, soft(r, row), strategy=strategy)
        for field in ("raw", "value", "low", "high", "coverage"):
            expected = getattr(one, field)
            found = getattr(matrix, field)[i]
            assert math.isnan(found) if expected is None else found == expected


@pytest.mark.parametrize("name", MATRIX_STRATEGIES)
@given(case=rubric_and_credits(), fill=st.floats(0, 1))
def test_bounds_hold_whatever_the_unknowns_turn_out_to_be(name, case, fill):
    r, rows = case
    strategy = Strategy(name)
    for row in rows:
        bounds = score(r, soft(r, row), strategy=strategy)
        filled = score(r, soft(r, [fill if p is None else p for p in row]), strategy=strategy)
        assert filled.value is not None
        assert bounds.low - 1e-9 <= filled.value <= bounds.high + 1e-9


@given(case=rubric_and_credits())
def test_weighted_mean_equals_the_formula_in_exact_arithmetic(case):
    from fractions import Fraction

    r, rows = case
    scale = sum(Fraction(c.weight) for c in r.criteria if c.weight > 0)
    for row in rows:
        if None not in row:
            exact = (
                sum(Fraction(c.weight) * Fraction(p) for c, p in zip(r.criteria, row, strict=True))
                / scale
            )
            assert math.isclose(
                score(r, soft(r, row)).value, float(exact), rel_tol=1e-9, abs_tol=1e-9
            )


@pytest.mark.parametrize("credits", [[1, 0], [[1]], [[2, 0]], [[-0.1, 0]]])
def test_matrix_of_wrong_shape_or_range_is_refused(credits):
    with pytest.raises(InputError):
        score_matrix(rubric(1, 2), credits)


def test_empty_matrix_scores_nobody():
    assert score_matrix(rubric(1, 2), np.empty((0, 2))).value.shape == (0,)


@pytest.mark.parametrize("credits", [[["met"]], [[1.0], [1.0, 0.0]], [[object()]]])
def test_matrix_of_something_else_than_numbers_is_refused(credits):
    with pytest.raises(InputError, match="matrix of numbers"):
        score_matrix(rubric(1), credits)


@pytest.mark.parametrize("cap", ["0.5", None, True, math.nan, 10**400])
def test_parameter_that_is_no_share_is_refused(cap):
    with pytest.raises(InputError, match="must lie in"):
        Strategy("capped_penalties", {"cap": cap})


@pytest.mark.parametrize("grade", ["0.5", True, math.nan, -0.1])
def test_grade_that_is_no_share_is_refused(grade):
    with pytest.raises(InputError, match="grade"):
        score(rubric(1), [], strategy=Strategy("implicit"), grade=grade)


@given(
    st.lists(
        st.floats(-1e6, 1e6).filter(lambda w: w != 0), min_size=1, max_size=20, unique=True
    ).filter(lambda weights: max(weights) > 0)
)
def test_a_response_that_meets_everything_scores_exactly_one(weights):
    whole = rubric(*weights)
    verdicts = [(met if c.weight > 0 else unmet)(c.id) for c in whole.criteria]
    found = score(whole, verdicts)
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)
    credits = [[float(c.weight > 0) for c in whole.criteria]]
    assert score_matrix(whole, credits).value.tolist() == [1.0]
