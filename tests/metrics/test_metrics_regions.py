"""Table 2: agreement where rewards are high and where they are low."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rubricbench.errors import InputError
from rubricbench.metrics.regions import Majority, region_agreement
from rubricbench.metrics.result import walk


def table(*pairs):
    """Columns of (prompt, region, gradings as +1 first better / 0 tie / -1, preference)."""
    rows = [(p, r, 2.0 + g, 2.0, label) for p, r, gradings, label in pairs for g in gradings]
    return [np.array(c) for c in zip(*rows, strict=True)]


@st.composite
def graded(draw):
    """A table of up to 6 prompts, with a pair of five gradings in one region or both."""
    gradings = st.lists(st.sampled_from([-1, 0, 1]), min_size=5, max_size=5)
    return [
        (f"p{i}", region, draw(gradings), draw(st.sampled_from([0.0, 1.0])))
        for i in range(draw(st.integers(1, 6)))
        for region in draw(st.sampled_from([["high"], ["low"], ["high", "low"]]))
    ]


def test_a_hand_made_table():
    found = region_agreement(
        *table(
            ("a", "high", [1, 1, 1, -1, -1], 1),  # three of five agree: right
            ("b", "high", [1, 1, 0, 0, 0], 1),  # two of five: a tie, wrong
            ("c", "high", [-1, -1, -1, 0, 0], 1),  # wrong
            ("d", "high", [-1, -1, -1, -1, -1], 0),  # the second is better, and scored so: right
            ("a", "low", [1, 1, 1, 1, 1], 1),
            ("b", "low", [1, 1, 1, 1, 0], 1),
        )
    )
    assert found.high.ties_as_wrong.estimate == 2 / 4
    assert found.high.tie_rate.estimate == 1 / 4
    assert found.high.ties_half.estimate == 2.5 / 4
    assert found.low.ties_as_wrong.estimate == 1
    # over a and b, which have both: (1 - 1 + 0 - 1) / 2
    assert found.difference.estimate == -0.5
    assert found.difference.n == 2
    assert found.high.ties_as_wrong.name == "high_agreement_ties_as_wrong"


@pytest.mark.parametrize(
    ("gradings", "strict", "plurality"),
    [
        ([1, 1, 0, 0, 0], 0, 1),  # two for it and none against it
        ([1, 1, -1, 0, 0], 0, 1),
        ([1, -1, 0, 0, 0], 0, 0),
        ([1, 1, 1, -1, -1], 1, 1),
        ([-1, -1, 0, 0, 0], 0, 0),
        ([1, 1, 0, 0], 0, 1),  # half is no majority
    ],
)
def test_what_a_majority_is(gradings, strict, plurality):
    for majority, expected in ((Majority.STRICT, strict), (Majority.PLURALITY, plurality)):
        found = region_agreement(
            *table(("a", "high", gradings, 1)), majority=majority, gradings=None
        )
        assert found.high.ties_as_wrong.estimate == expected


@settings(max_examples=40)
@given(graded())
def test_equal_to_a_count_pair_by_pair(pairs):
    found = region_agreement(*table(*pairs))
    for region in ("high", "low"):
        right = [
            sum(g == (1 if label else -1) for g in gradings) >= 3
            for _, where, gradings, label in pairs
            if where == region
        ]
        result = getattr(found, region).ties_as_wrong
        assert result.estimate == (pytest.approx(np.mean(right)) if right else None)


@settings(max_examples=40)
@given(graded(), st.randoms(use_true_random=False))
def test_row_order_sides_and_increasing_maps_change_nothing(pairs, random):
    columns = table(*pairs)
    order = random.sample(range(len(columns[0])), len(columns[0]))
    found = list(walk(region_agreement(*columns)))
    assert list(walk(region_agreement(*(c[order] for c in columns)))) == found
    ids, regions, one, two, label = columns
    assert list(walk(region_agreement(ids, regions, two, one, 1 - label))) == found
    assert list(walk(region_agreement(ids, regions, np.exp(one), np.exp(two), label))) == found


def test_a_judge_asked_anew_for_every_grading_goes_by_its_majority():
    ids, regions, one, two, _ = table(("a", "high", [1] * 5, 1), ("b", "high", [1] * 4, 1))
    label = [1, 1, 1, 0, 0, 1, 1, 0, 0]  # a: the first is better; b: undecided, left out
    found = region_agreement(ids, regions, one, two, label, gradings=None).high
    assert (found.ties_as_wrong.estimate, found.ties_as_wrong.items) == (1, 1)
    text = next(c.text for c in found.ties_as_wrong.warnings if c.code == "left_out")
    assert text.startswith("1 pairs have no preference")


def test_several_pairs_of_a_prompt_are_told_apart():
    columns = table(("a", "high", [1] * 5, 1), ("a", "high", [1] * 5, 0))
    with pytest.raises(InputError, match="10 gradings of the high pair '' of prompt 'a'"):
        region_agreement(*columns)
    found = region_agreement(*columns, pair_ids=["x"] * 5 + ["y"] * 5)
    assert found.high.ties_as_wrong.estimate == 0.5


def test_a_pair_with_an_unknown_score_is_refused_or_dropped_whole():
    columns = table(("a", "high", [1] * 5, 1), ("b", "high", [-1] * 5, 1))
    columns[2][7] = np.nan
    with pytest.raises(InputError, match="row 8 first"):
        region_agreement(*columns)
    found = region_agreement(*columns, unknown="drop").high.ties_as_wrong
    assert (found.estimate, found.items) == (1, 1)
    assert "left_out" in {c.code for c in found.warnings}


def test_a_missing_grading_is_refused_or_dropped():
    columns = table(("a", "low", [1] * 5, 1), ("b", "low", [1] * 4, 1))
    with pytest.raises(InputError, match="4 gradings of the low pair '' of prompt 'b'"):
        region_agreement(*columns)
    found = region_agreement(*columns, unknown="drop")
    assert found.low.ties_as_wrong.items == 1
    assert found.high.ties_as_wrong.estimate is None
    assert found.difference.estimate is None


@pytest.mark.parametrize(
    ("column", "value", "said"), [(1, "middle", "region 'middle'"), (4, 2.0, "outside")]
)
def test_bad_tables_are_refused(column, value, said):
    columns = table(("a", "high", [1] * 5, 1))
    columns[column] = np.full(5, value)
    with pytest.raises(InputError, match=said):
        region_agreement(*columns)


def test_nothing_left_is_refused():
    with pytest.raises(InputError, match="no pair with all its gradings"):
        region_agreement(*table(("a", "high", [1] * 5, 0.5)))


def test_an_empty_table_is_refused():
    with pytest.raises(InputError, match="no pair"):
        region_agreement([], [], [], [], [])
