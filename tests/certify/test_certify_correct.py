from __future__ import annotations

import msgspec
import numpy as np
import pytest
from cover import part
from worlds import VerdictWorld

from rubricbench.certify.correct import Graded, corrected_mean, error_rates, mean_of_scores
from rubricbench.certify.measure import Prompts
from rubricbench.errors import InputError
from rubricbench.schema import Criterion, Prompt, Rubric
from rubricbench.scoring import score_matrix


def graded(rows: list[tuple[str, int, float, float, float]]) -> Graded:
    prompt, response, share, credit, reference = zip(*rows, strict=True)
    arrays = (np.array(x, float) for x in (share, credit, reference))
    return Graded(Prompts(prompt), np.array(response), *arrays)


def labelled(found: int, missed: int, passed: int, refused: int, share: float = 0.5) -> Graded:
    """Verdicts in four cells, each prompt one of them."""
    cells = [(1, 1)] * found + [(0, 1)] * missed + [(1, 0)] * passed + [(0, 0)] * refused
    return graded([(f"l{i}", i, share, c, r) for i, (c, r) in enumerate(cells)])


def test_rogan_and_gladen_of_a_worked_example():
    # se = 90/100, 1 - sp = 20/100. Ten responses of two halves each; the judge passes 11 of 20:
    # .55, so (.55 - .2)/.7 = .5.
    rates = error_rates(labelled(90, 10, 20, 80))
    credits = [1] * 11 + [0] * 9
    target = graded([(f"t{i // 2}", i // 2, 0.5, c, np.nan) for i, c in enumerate(credits)])
    found = corrected_mean(target, rates)
    assert found.judged.value == pytest.approx(0.55)
    assert found.corrected.value == pytest.approx(0.5)
    assert found.bounds == pytest.approx((0.5, 0.5))


def test_its_interval_carries_both_samples():
    # By hand, with independent rows: var(se) = .09/100, var(fp) = .16/100 (times 100/99), by the
    # derivatives -M/J = -.5/.7 and (M - 1)/J = -.5/.7; and the sample's: scores 0, .5, 1.
    rates = error_rates(labelled(90, 10, 20, 80))
    scores = [1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0, 0]
    rows = [(f"t{i}", i, 0.5, c, np.nan) for i, s in enumerate(scores)
            for c in (s > 0, s > 0.5)]  # fmt: skip
    found = corrected_mean(graded(rows), rates)
    calibration = (0.5 / 0.7) ** 2 * (0.0009 + 0.0016) * 100 / 99
    sample = np.var(scores, ddof=1) / 10 / 0.7**2
    half = (found.corrected.high - found.corrected.low) / 2
    error = np.sqrt(calibration + sample)
    assert 2.0 < half / error < 2.3  # Student's t between 9 and many degrees of freedom
    assert half > 2.0 * np.sqrt(sample)


def test_merits_and_penalties_have_rates_of_their_own():
    # Merits: se 1, fp 0. Penalties: se .5, fp 0, so one seen in 1 of 4 was incurred in 2 of 4.
    merits = labelled(20, 0, 0, 20)
    penalties = labelled(10, 10, 0, 20, share=-0.5)
    rates = error_rates(joined(merits, penalties))
    rows = [(f"t{i}", i, share, credit, np.nan) for i in range(4)
            for share, credit in ((1.0, 1), (-0.5, i == 0))]  # fmt: skip
    found = corrected_mean(graded(rows), rates)
    assert found.judged.value == pytest.approx(1 - 0.5 / 4)
    assert found.corrected.value == pytest.approx(1 - 0.5 * 2 / 4)
    assert found.pooled == ()


def joined(*given: Graded) -> Graded:
    names = np.concatenate([g.prompts.names[g.prompts.of] + f"-{i}" for i, g in enumerate(given)])
    offset = np.cumsum([0, *(g.responses for g in given)])
    response = np.concatenate([g.response + o for g, o in zip(given, offset, strict=False)])
    columns = [np.concatenate([getattr(g, name) for g in given])
               for name in ("share", "credit", "reference")]  # fmt: skip
    return Graded(Prompts(names), response, *columns)


def test_too_few_labelled_penalties_take_the_rates_of_all_and_it_is_said():
    rates = error_rates(joined(labelled(20, 0, 0, 20), labelled(2, 1, 0, 2, share=-0.5)))
    target = graded([("t", 0, 1.0, 1, np.nan), ("t", 0, -0.5, 0, np.nan)])
    assert corrected_mean(target, rates).pooled == ("penalties",)


def test_errors_on_heavy_criteria_weigh_more():
    # The judge misses every heavy criterion (share .9) it should find and no light one (.1): of the
    # met weight it finds a tenth.
    rows = [(f"p{i}", i, share, credit, reference) for i in range(20)
            for share, credit, reference in
            ((0.9, 0, i % 2), (0.1, i % 2, i % 2))]  # fmt: skip
    assert error_rates(graded(rows))["merits"].met == pytest.approx(0.1)


def test_soft_verdicts_are_corrected_with_mean_credits():
    # Met gets .8, unmet .3: a mean credit of .55 is a pass rate of (.55 - .3)/.5 = .5.
    rows = [(f"l{i}", i, 1.0, 0.8 if i % 2 else 0.3, i % 2) for i in range(40)]
    target = graded([(f"t{i}", i, 1.0, 0.55, np.nan) for i in range(4)])
    found = corrected_mean(target, error_rates(graded(rows)))
    assert found.corrected.value == pytest.approx(0.5)


def test_on_its_own_labels_a_correction_returns_the_true_mean():
    # An identity: Q = se·M + fp·(A - M) holds with the rates of the same rows.
    world = VerdictWorld(0.7, 0.8).draw(np.random.default_rng(3), 50, 2)
    found = corrected_mean(world, error_rates(world))
    truth = mean_of_scores(world, world.reference).value
    assert found.corrected.value == pytest.approx(truth)
    assert abs(found.judged.value - truth) > 0.02


def test_unknown_verdicts_leave_bounds_in_terms_of_the_truth():
    # A perfect judge; of two equal merits one is unknown: the mean is between .5 and 1.
    rates = error_rates(labelled(20, 0, 0, 20))
    target = graded([("t", 0, 0.5, 1, np.nan), ("t", 0, 0.5, np.nan, np.nan),
                     ("u", 1, 0.5, 1, np.nan), ("u", 1, 0.5, np.nan, np.nan)])  # fmt: skip
    found = corrected_mean(target, rates)
    assert found.bounds == pytest.approx((0.5, 1.0))
    assert found.corrected.value is None
    assert found.unknown == 0.5
    assert found.judged.value is None


def test_an_unknown_penalty_is_bounded_the_other_way():
    rates = error_rates(labelled(20, 0, 0, 20))
    rows = [(p, i, s, c, np.nan) for i, p in enumerate("tu")
            for s, c in ((1.0, 1), (-0.25, np.nan))]  # fmt: skip
    assert corrected_mean(graded(rows), rates).bounds == pytest.approx((0.75, 1.0))


def test_a_coin_corrects_nothing():
    with pytest.raises(InputError, match="no better than chance"):
        error_rates(labelled(25, 25, 25, 25))


def test_too_few_labels_correct_nothing():
    with pytest.raises(InputError, match="fewer than 10 labelled verdicts"):
        error_rates(labelled(5, 4, 20, 20))


def test_judged_means_are_those_of_the_one_scoring_function():
    prompt = Prompt.from_text("p")
    weights = (3, 2, -1)
    criteria = tuple(Criterion(criterion=f"c{i}", weight=w) for i, w in enumerate(weights))
    credits = np.random.default_rng(0).integers(0, 2, (6, 3)).astype(float)
    rows = [(f"p{i % 3}", i, w / 5, credits[i, j], 0) for i in range(6)
            for j, w in enumerate(weights)]  # fmt: skip
    expected = score_matrix(Rubric(prompt=prompt, criteria=criteria), credits).value.mean()
    found = graded(rows)
    assert mean_of_scores(found, found.credit).value == pytest.approx(expected)


def test_the_order_of_rows_does_not_matter():
    world = VerdictWorld().draw(np.random.default_rng(1), 40, 2)
    order = np.random.default_rng(2).permutation(len(world.share))
    columns = {
        name: getattr(world, name)[order] for name in ("response", "share", "credit", "reference")
    }
    mixed = Graded(Prompts(world.prompts.names[world.prompts.of[order]]), **columns)
    one, two = (corrected_mean(g, error_rates(g)).corrected for g in (world, mixed))
    assert msgspec.structs.astuple(one)[:3] == pytest.approx(msgspec.structs.astuple(two)[:3])


def test_shared_prompts_are_counted_once():
    # The same rows as labels and as target: only the prompts' own spread of true scores is left.
    world = VerdictWorld(0.999999, 0.999999, 1e9).draw(np.random.default_rng(5), 60, 2)
    target = part(world, world.response % 2 == 0)
    found = corrected_mean(target, error_rates(target))
    alone = mean_of_scores(target, target.reference)
    assert found.corrected.interval == pytest.approx(alone.interval, abs=1e-3)
