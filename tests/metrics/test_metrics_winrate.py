"""Verdicts, and what they amount to."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rubricbench.errors import InputError
from rubricbench.metrics.comparisons import Comparisons
from rubricbench.metrics.resample import Bootstrap
from rubricbench.metrics.result import walk
from rubricbench.metrics.winrate import Form, outcomes, prompt_win_rates, win_rate

VOTES = st.sampled_from([0.0, 0.2, 0.5, 0.8, 1.0])


@st.composite
def both_orders(draw):
    """Up to 8 prompts with up to 3 pairs, each judged in both orders: rows in any order."""
    rows = []
    for p in range(draw(st.integers(1, 8))):
        for k in range(draw(st.integers(1, 3))):
            rows += [(f"p{p}", f"k{k}", f, draw(VOTES)) for f in (True, False)]
    return draw(st.permutations(rows))


def verdicts(rows, **more):
    ids, pairs, first, votes = zip(*rows, strict=True)
    return Comparisons.of(ids, votes, pair_ids=pairs, first=first, **more)


def test_a_pair_is_won_only_in_both_orders():
    rows = [
        *[("a", "", True, 1.0), ("a", "", False, 1.0)],  # won
        *[("b", "", True, 1.0), ("b", "", False, 0.0)],  # the first place won
        *[("c", "", True, 0.0), ("c", "", False, 0.0)],  # lost
        *[("d", "", True, 0.5), ("d", "", False, 1.0)],  # a tie and a win: they disagree
        *[("e", "", True, 0.5), ("e", "", False, 0.5)],  # two ties: they agree
        *[("f", "", True, 0.0), ("f", "", False, 1.0)],  # the second place won
    ]
    found = win_rate(verdicts(rows))
    assert outcomes(verdicts(rows)).tolist() == [1, 0.5, 0, 0.5, 0.5, 0.5]
    assert found.win_rate.estimate == pytest.approx(3 / 6)
    assert found.consistency.estimate == pytest.approx(3 / 6)
    assert found.ties.estimate == pytest.approx(4 / 6)
    # the first place: a 1, 0 (second, it won); b 1, 1; c 0, 1; d .5, 0; e .5, .5; f 0, 0
    assert found.first.estimate == pytest.approx(5.5 / 12)
    assert found.win_rate.items == 6


def test_prompts_weigh_the_same_however_many_pairs_they_have():
    rows = [("a", f"k{i}", f, 1.0) for i in range(9) for f in (True, False)]
    rows += [("b", "k", f, 0.0) for f in (True, False)]
    assert win_rate(verdicts(rows)).win_rate.estimate == pytest.approx(0.5)


def test_the_standard_error_is_that_of_the_mean_over_prompts():
    wins = np.random.default_rng(0).random(40)
    found = win_rate(Comparisons.of(range(40), wins), form=Form.FRACTIONAL)
    assert found.standard_error.estimate == pytest.approx(wins.std(ddof=1) / 40**0.5)


def test_lengths_are_means_over_prompts():
    table = Comparisons.of(["a", "a", "b"], [1, 1, 0], length=[1, 3, 10], other_length=[4, 4, 5])
    found = win_rate(table, form=Form.FRACTIONAL)
    assert (found.length.estimate, found.other_length.estimate) == (6, 4.5)


@settings(max_examples=40)
@given(both_orders(), st.sampled_from(list(Form)))
def test_both_sides_win_rates_add_to_one(rows, form):
    if form is Form.ONE:
        rows = [(*r[:3], float(r[3] >= 0.5)) for r in rows]
    table = verdicts(rows)
    mine, theirs = (outcomes(t, form=form) for t in (table, table.flipped()))
    if form is Form.ONE:  # flipping the sides flips which order is the first: compare without draw
        one = np.unique(table.pair, return_index=True)[1]
        rows = [
            (*table.pair_names[table.pair[i]], table.first[i], table.preference[i]) for i in one
        ]
        mine, theirs = (outcomes(t, form=form) for t in (verdicts(rows), verdicts(rows).flipped()))
    assert mine + theirs == pytest.approx(np.ones(len(mine)))


@settings(max_examples=40)
@given(both_orders(), st.randoms(use_true_random=False), st.sampled_from(list(Form)))
def test_the_order_of_rows_changes_nothing(rows, random, form):
    if form is Form.ONE:
        rows = [(*r[:3], float(r[3] >= 0.5)) for r in rows]
    shuffled = random.sample(rows, len(rows))
    one, other = (list(walk(win_rate(verdicts(r), form=form))) for r in (rows, shuffled))
    assert one == other


def test_not_even_rounding_depends_on_the_order_of_rows():
    # (.1 + .2) + .3 is not .1 + (.2 + .3) in floats.
    one, other = (
        win_rate(Comparisons.of(["a"] * 3 + ["b"], [*v, 0]), form=Form.FRACTIONAL).win_rate
        for v in ([0.1, 0.2, 0.3], [0.3, 0.2, 0.1])
    )
    assert one == other


@settings(max_examples=40)
@given(both_orders())
def test_hard_verdicts_average_to_the_same_as_both_orders(rows):
    # (1, 1), (1, 0), (0, 0) have means 1, 1/2, 0: the outcomes. Only ties make a difference.
    rows = [(*r[:3], float(r[3] >= 0.5)) for r in rows]
    both, mean = (prompt_win_rates(verdicts(rows), form=f) for f in (Form.BOTH, Form.FRACTIONAL))
    assert both == pytest.approx(mean)


def test_one_order_is_drawn_by_key_and_evenly():
    rows = [(f"p{i}", "", f, float(f)) for i in range(2000) for f in (True, False)]
    # The policy wins where it stands first, so the outcome tells which order was drawn.
    drawn = outcomes(verdicts(rows), form=Form.ONE)
    assert abs(drawn.mean() - 0.5) < 4 * 0.5 / 2000**0.5
    fewer = outcomes(verdicts(rows[:100]), form=Form.ONE)
    kept = dict(zip(verdicts(rows).prompts, drawn, strict=True))
    assert fewer.tolist() == [kept[p] for p in verdicts(rows[:100]).prompts]
    assert outcomes(verdicts(rows), form=Form.ONE, seed=1).tolist() != drawn.tolist()


def test_the_only_order_there_is_is_taken():
    rows = [(f"p{i}", "", i % 2 == 0, float(i < 3)) for i in range(8)]
    assert outcomes(verdicts(rows), form=Form.ONE).sum() == 3


def test_what_a_form_cannot_take_is_refused():
    once = [("a", "", True, 1.0)]
    with pytest.raises(InputError, match="prompt 'a' is judged in one order only"):
        outcomes(verdicts(once))
    with pytest.raises(InputError, match="judged twice in one order"):
        outcomes(verdicts(once * 2))
    with pytest.raises(InputError, match="no word of which"):
        outcomes(Comparisons.of(["a"], [1]))
    with pytest.raises(InputError, match="a tie in prompt 'a'"):
        outcomes(verdicts([("a", "", True, 0.5)]), form=Form.ONE)


def test_unknown_verdicts_are_refused_or_counted_and_never_scored():
    with pytest.raises(InputError, match="1 of 2 verdicts are unknown, row 2 first"):
        Comparisons.of(["a", "b"], [1, np.nan])
    table = Comparisons.of(["a", "b", "c"], [1, np.nan, 0], unknown="drop")
    found = win_rate(table, form=Form.FRACTIONAL).win_rate
    assert (found.estimate, found.n) == (0.5, 2)
    assert "left_out" in {c.code for c in found.warnings}


@pytest.mark.parametrize(
    ("preference", "said"),
    [
        ([1.5], "preference 1.5 in row 1"),
        (["yes"], "not a number"),
        ([np.nan], "no verdict"),
        ([1, 1], "2 values"),
    ],
)
def test_bad_preferences_are_refused(preference, said):
    with pytest.raises(InputError, match=said):
        Comparisons.of(["a"], preference, unknown="drop")


def test_a_place_is_true_or_false():
    with pytest.raises(InputError, match="first is neither true nor false"):
        Comparisons.of(["a"], [1], first=["False"])
    assert Comparisons.of(["a", "b"], [1, 1], first=[0, 1]).first.tolist() == [False, True]


def test_columns_of_other_lengths_are_refused():
    for column in ("pair_ids", "first", "length", "other_length"):
        with pytest.raises(InputError, match="values"):
            Comparisons.of(["a"], [1], **{column: [1, 0]})


def test_a_policy_that_wins_always_keeps_an_interval():
    found = win_rate(Comparisons.of(range(100), np.ones(100)), form=Form.FRACTIONAL)
    assert found.win_rate.estimate == found.win_rate.high == 1
    assert 0.95 < found.win_rate.low < 0.98


def test_one_bootstrap_pairs_two_policies():
    """The difference of two policies judged on the same prompts has the paired standard error."""
    rng = np.random.default_rng(1)
    hard = rng.random(60)
    a, b = (np.clip(hard + rng.normal(0, 0.05, 60), 0, 1) for _ in range(2))
    boot = Bootstrap([str(i) for i in range(60)], resamples=0)
    ids = [str(i) for i in range(60)]
    order = np.argsort(ids)
    columns = [prompt_win_rates(Comparisons.of(ids, v), form=Form.FRACTIONAL) for v in (a, b)]
    found = boot.means(np.stack(columns, 1)).map(lambda m: m[:, 1] - m[:, 0])
    assert columns[0].tolist() == a[order].tolist()
    assert found.standard_error()[0] == pytest.approx((b - a).std(ddof=1) / 60**0.5)
