from __future__ import annotations

import json
import math
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from pair_samples import pair, pairs_of
from scipy import stats

from rubricbench.certify.analyse import certificate
from rubricbench.certify.certificate import VariantCertificate, schema
from rubricbench.certify.pairs import About
from rubricbench.errors import InputError


def variant(folder: Path, rows: list[dict]) -> VariantCertificate:
    return certificate([pairs_of(folder, rows)], About()).variants[0]


def test_counts_leave_out_unknown_verdicts_checked_criteria_and_missing_references(tmp_path):
    rows = [
        pair("p", "a", "1", 1, 1),
        pair("p", "a", "2", 1, 0),
        pair("p", "a", "3", 0, 1),
        pair("p", "a", "4", 0, 0),
        pair("p", "a", "5", 1, None),
        pair("p", "a", "6", None, 1),
        pair("p", "a", "7", 1, 1, checked=True),
    ]
    found = variant(tmp_path, rows)
    assert set(found.confusion.values()) == {1}
    assert found.verdicts == 5
    assert found.unknown.value == 0.2
    assert found.causes == {"timeout": 1}


def test_scores_are_over_the_criteria_that_have_a_reference(tmp_path):
    # Weights 3, 1, -2, and 5 without a reference: judged (3 - 2)/4, reference 3/4.
    rows = [
        pair("p", "a", "1", 1, 1, weight=3),
        pair("p", "a", "2", 0, 0, weight=1),
        pair("p", "a", "3", 0, 1, weight=-2),
        pair("p", "a", "4", None, 1, weight=5),
    ]
    scores = variant(tmp_path, rows).scores
    assert (scores.judged.value, scores.reference.value) == (0.25, 0.75)
    assert scores.bias.value == -0.5
    assert scores.absolute_error.value == 0.5


def test_a_response_with_an_unknown_verdict_has_no_score_and_is_counted(tmp_path):
    rows = [
        pair("p", "a", "1", 1, 1),
        pair("p", "b", "1", 1, None),
        pair("p", "c", "1", 0, 0, weight=-1),
    ]
    scores = variant(tmp_path, rows).scores
    assert (scores.responses, scores.without_value, scores.unscorable) == (1, 1, 1)


def test_flips_are_pairs_of_gradings_that_differ(tmp_path):
    # Criterion 1 flips, 2 does not, 3 is known once only: 1 of 2.
    said = {"1": (1, 0), "2": (1, 1), "3": (1, None)}
    rows = [pair("p", "a", c, 1, v, replicate=i) for c, vs in said.items()
            for i, v in enumerate(vs)]  # fmt: skip
    assert variant(tmp_path, rows).flips.value == 0.5


def test_of_three_gradings_every_pair_counts(tmp_path):
    # 1, 1, 0: two of the three pairs differ.
    rows = [pair("p", "a", "1", 1, v, replicate=i) for i, v in enumerate((1, 1, 0))]
    assert variant(tmp_path, rows).flips.value == pytest.approx(2 / 3)


def test_without_replicates_flips_are_not_known(tmp_path):
    assert variant(tmp_path, [pair("p", "a", "1", 1, 1)]).flips.value is None


def test_rank_correlations_overall_and_within_prompts(tmp_path):
    # Two prompts of three responses, four criteria each; the score is the share met.
    reference = {"p": (4, 2, 1), "q": (3, 2, 2), "r": (1, 1, 1)}
    judged = {"p": (4, 1, 2), "q": (2, 2, 2), "r": (0, 1, 2)}
    rows = [
        pair(p, f"{p}{i}", str(c), int(c < reference[p][i]), int(c < judged[p][i]))
        for p in reference
        for i in range(3)
        for c in range(4)
    ]
    scores = variant(tmp_path, rows).scores
    flat = [np.concatenate([table[p] for p in table]) for table in (reference, judged)]
    assert scores.spearman.value == pytest.approx(stats.spearmanr(*flat).statistic)
    # p: ranks (3, 2, 1) and (3, 1, 2): 1 - 6·2/24 = .5. q: the judge tells nothing apart: 0.
    # r: the references do not differ, so there is nothing to rank.
    assert scores.within_prompt.value == pytest.approx(0.25)
    assert (scores.within_prompt.items, scores.within_prompt.prompts) == (6, 2)


def many(said_of, **more) -> list[dict]:
    return [
        pair(f"p{i}", f"a{i}", str(c), (i + c) % 2, said_of(i, c), position=c, listed=4, **more)
        for i in range(30)
        for c in range(4)
    ]


def test_tags_and_criteria_have_figures_where_there_are_enough_of_either_kind(tmp_path):
    rows = many(lambda i, c: (i + c) % 2 if c else 1)
    for i, row in enumerate(rows):
        row["tags"] = ["even" if i % 2 == 0 else "odd", *(["rare"] if i < 8 else [])]
        row["criterion"] = f"Criterion {row['criterion_id']}."
    found = variant(tmp_path, rows)
    assert [(g.name, g.verdicts) for g in found.by_tag.shown] == [("even", 60), ("odd", 60)]
    assert found.by_tag.too_small == 1  # eight verdicts, four of either kind
    by_criterion = {g.name: g for g in found.by_criterion.shown}
    # The judge always finds criterion 0 met and is right about the others.
    assert by_criterion["Criterion 0."].agreement["specificity"].value == 0
    assert by_criterion["Criterion 1."].agreement["specificity"].value == 1
    assert by_criterion["Criterion 0."].id == "0"


def test_a_judge_that_tires_leans_with_the_place(tmp_path):
    # Unmet whatever is true from the third criterion on: error -1 on half of them, at equal truth
    # the error falls from 0 at places 0, 1/3 to -.5 at 2/3, 1 on average.
    found = variant(tmp_path, many(lambda i, c: (i + c) % 2 if c < 2 else 0))
    # Least squares of (0, 0, -.5, -.5) on (0, 1/3, 2/3, 1): slope -.6.
    assert found.effects.position.value == pytest.approx(-0.6)
    assert found.effects.position.high < 0
    assert found.effects.length.value is None


def test_a_judge_that_likes_length_leans_with_it(tmp_path):
    rows = many(lambda i, c: 1 if i % 3 == 2 else (i + c) % 2)
    for row in rows:
        row["words"] = 2 ** (2 + int(row["prompt_id"][1:]) % 3)
    # Doublings 2, 3, 4; error 0, 0, .5: slope .25.
    assert variant(tmp_path, rows).effects.length.value == pytest.approx(0.25)


def test_one_by_one_a_place_has_no_effect(tmp_path):
    rows = [{**row, "position": 0, "listed": 1} for row in many(lambda i, c: 1)]
    assert variant(tmp_path, rows).effects.position.value is None


def test_reliability_of_soft_verdicts(tmp_path):
    # Stated .9, met 3 of 5; stated .2, met 1 of 5.
    rows = [
        pair(f"p{i}", "a", "1", met, 1 if p > 0.5 else 0, p_met=p)
        for i, (p, met) in enumerate([(0.9, 1)] * 3 + [(0.9, 0)] * 2 + [(0.2, 1)] + [(0.2, 0)] * 4)
    ]
    found = variant(tmp_path, rows).reliability
    assert [(b.low, b.met.value, b.met.items) for b in found.bins] == [(0.2, 0.2, 5), (0.9, 0.6, 5)]
    assert found.error == pytest.approx((0 + 0.3) / 2)
    # .9: 3·.01 + 2·.81; .2: .64 + 4·.04; over ten.
    assert found.brier == pytest.approx((0.03 + 1.62 + 0.64 + 0.16) / 10)
    assert found.brier_base == pytest.approx(0.4 * 0.6)


def test_hard_verdicts_have_no_reliability(tmp_path):
    assert variant(tmp_path, [pair("p", "a", "1", 1, 1)]).reliability is None


def test_annotators_agree_with_one_another_and_with_the_judge(tmp_path):
    rows = [
        # Three of three: all pairs agree; the judge is with all, then with none of them.
        pair("p", "a", "1", 1, 1, annotators=3, agreement=1.0),
        pair("q", "a", "1", 1, 0, annotators=3, agreement=1.0),
        # Two of three: one pair of three; the judge is with two of them.
        pair("r", "a", "1", 0, 0, annotators=3, agreement=2 / 3),
        # One of two: no pair; the judge is with one of them whatever it says.
        pair("s", "a", "1", None, 1, annotators=2, agreement=0.5),
    ]
    found = certificate([pairs_of(tmp_path, rows)], About())
    assert found.source.annotator_agreement.value == pytest.approx((1 + 1 + 1 / 3 + 0) / 4)
    assert found.variants[0].annotators.value == pytest.approx((1 + 0 + 2 / 3 + 0.5) / 4)
    assert found.source.ties == 1


def test_generators_are_corrected_with_the_rates_of_the_others(tmp_path):
    rng = np.random.default_rng(0)
    rows = []
    for i in range(400):
        for name, quality in (("weak", 0.3), ("strong", 0.8)):
            truth = int(rng.random() < quality)
            said = int(rng.random() < (0.8 if truth else 0.25))
            rows.append(pair(f"p{i}", f"{name}{i}", "1", truth, said, generator=name))
    checks = {c.part: c for c in variant(tmp_path, rows).corrections}
    for check in checks.values():
        low, high = check.corrected.interval
        assert low < check.reference.value < high
    # By hand: the judge passes .8·.8 + .25·.2 = .69 of the strong one's criteria, not .8.
    assert checks["strong"].judged.value == pytest.approx(0.69, abs=0.05)
    assert checks["strong"].corrected.value == pytest.approx(0.8, abs=0.1)
    assert checks["strong"].learnt_on == "the other generators"


def test_one_generator_is_checked_by_halves_of_the_prompts(tmp_path):
    checks = variant(tmp_path, many(lambda i, c: (i + c) % 2)).corrections
    assert [c.part for c in checks] == ["first half of the prompts", "second half of the prompts"]
    assert sum(c.judged.items for c in checks) == 30
    assert all(c.corrected.value == pytest.approx(c.reference.value) for c in checks)


def test_where_nothing_can_be_learnt_the_check_says_why(tmp_path):
    checks = variant(tmp_path, many(lambda i, c: 1)).corrections
    assert all(c.corrected.value is None for c in checks)
    assert all("no better than chance" in c.note for c in checks)


def test_a_certificate_fits_its_schema_and_is_read_back(tmp_path):
    made = certificate([pairs_of(tmp_path, many(lambda i, c: (i * c) % 2, p_met=0.5))], About())
    document = json.loads(made.to_json())
    jsonschema.validate(document, schema())
    assert document["variants"][0]["agreement"]["sensitivity"]["items"] == 60
    assert not any(isinstance(v, float) and math.isnan(v) for v in _leaves(document))


def _leaves(value):
    inner = value.values() if isinstance(value, dict) else value
    if isinstance(inner, list | type({}.values())):
        for item in inner:
            yield from _leaves(item)
    else:
        yield value


def test_no_reference_at_all_is_refused(tmp_path):
    with pytest.raises(InputError, match="no verdict has a reference"):
        certificate([pairs_of(tmp_path, [pair("p", "a", "1", None, 1)])], About())
