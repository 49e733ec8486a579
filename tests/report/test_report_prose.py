"""Sentences say what the numbers support, and no more."""

from __future__ import annotations

from dataclasses import replace

from report_samples import report_data, without
from test_report_summary import CEILING, FLOOR, MODEL, sample, summary, verdict

from rubricbench.report.prose import family_remarks, length_remarks, opening
from rubricbench.report.summary import summarise


def said(*args: object, **kwargs: object) -> str:
    return " ".join(opening(summary(*args, **kwargs)))  # type: ignore[arg-type]


def test_a_clear_lead_over_the_strongest_floor() -> None:
    other = replace(FLOOR, name="g")
    text = said(
        *(sample(f"p{i}", "m", 0.6 + i / 100) for i in range(8)),
        *(sample(f"p{i}", "f", 0.1) for i in range(8)),
        *(sample(f"p{i}", "g", 0.2) for i in range(8)),
        *(sample(f"p{i}", "c", 1.0) for i in range(8)),
        responders=(MODEL, FLOOR, other, CEILING),
    )
    # Mean .6 + .035; .435 above g and .365 below c.
    assert "m has a mean score of 0.635 over 8 prompts (95% interval" in text
    assert "It is 0.435 (" in text
    assert ") above the strongest floor, g (0.200)." in text
    assert "It is 0.365 (" in text
    assert ") below the ceiling, c (1.000)." in text
    assert "Every verdict is known." in text


def test_no_lead_is_claimed_where_the_interval_holds_zero() -> None:
    text = said(
        *(sample(f"p{i}", "m", 0.4 + (-1) ** i * 0.3) for i in range(8)),
        *(sample(f"p{i}", "f", 0.4) for i in range(8)),
        responders=(MODEL, FLOOR),
    )
    assert "These data do not tell it apart from the floor, f (0.400): the difference is" in text
    assert "above" not in text


def test_no_lead_is_claimed_where_only_the_bounds_allow_one() -> None:
    # Known to be .3 at least and .9 at most; the floor is at .5.
    text = said(
        *(sample(f"p{i}", "m", 0.3, 0.9) for i in range(8)),
        *(sample(f"p{i}", "f", 0.5 + i / 1000) for i in range(8)),
        responders=(MODEL, FLOOR),
    )
    assert "The mean score of m is unknown" in text
    assert "it lies between 0.300 and 0.900" in text
    assert "do not tell it apart" in text


def test_one_prompt_has_no_interval() -> None:
    text = said(sample("p", "m", 0.5), sample("p", "f", 0.1), responders=(MODEL, FLOOR))
    assert "over 1 prompt (one prompt: no interval)" in text
    assert "It differs from the floor, f (0.100) by 0.400 (one prompt: no interval)." in text


def test_unknown_verdicts_are_named_with_their_causes() -> None:
    text = said(
        sample("p", "m", 0.0, 1.0, verdict("unknown"), verdict("met")), sample("q", "m", 1.0)
    )
    assert "1 of its 3 verdicts is unknown (timeout 1) and counted neither way" in text
    assert "Every verdict is known" not in text
    assert "Between 50% and 100% of its responses meet every criterion." in text


def test_all_met_agrees_in_number() -> None:
    failed = verdict("unmet")
    assert "None of its 2 responses meets" in said(
        sample("p", "m", 0, 0, failed), sample("q", "m", 0, 0, failed)
    )
    assert "1 of its 2 responses meets" in said(sample("p", "m", 1), sample("q", "m", 0, 0, failed))
    assert "2 of its 2 responses meet " in said(sample("p", "m", 1), sample("q", "m", 1))


def test_how_responses_ended_is_said_only_where_it_went_wrong() -> None:
    assert "token limit" not in said(sample("p", "m", 1, finish="stop"))
    assert "1 of its 1 response stopped at the token limit." in said(
        sample("p", "m", 1, finish="length")
    )
    assert "1 of its 1 response had no text." in said(sample("p", "m", 1, text=""))


def test_length_remarks_follow_the_interval() -> None:
    rising = [sample(f"p{i}", "m", i / 30, words=i) for i in range(30)]
    falling = [replace(s, words=30 - s.words) for s in rising]
    flat = [replace(s, words=(i * 7) % 10) for i, s in enumerate(rising)]
    assert length_remarks(summary(*rising))[0].startswith(
        "Longer responses tended to score higher (Spearman’s ρ 1.00"
    )
    assert "tended to score lower (Spearman’s ρ −1.00" in length_remarks(summary(*falling))[0]
    assert "show no clear relation" in length_remarks(summary(*flat))[0]
    same = [replace(s, words=5) for s in rising]
    assert length_remarks(summary(*same))[0].startswith("No rank correlation")


def test_families_are_named_only_with_enough_prompts() -> None:
    few = [
        sample(f"p{i}", "m", 1, 1, *(verdict("met", f"f{k}") for k in range(6))) for i in range(4)
    ]
    assert family_remarks(summary(*few)) == []
    outcome = {True: "met", False: "unmet"}
    more = [
        sample(f"p{i}", "m", 1, 1, *(verdict(outcome[k < i], f"f{k}") for k in range(6)))
        for i in range(6)
    ]
    # Family k is met in the prompts i > k of six: 5/6, 4/6, … 0.
    (remark,) = family_remarks(summary(*more))
    assert remark.startswith("m passes f0 (83%) and f1 (67%) most often, ")
    assert "f5 (0%) and f4 (17%) least often" in remark


def test_families_that_a_floor_passes_as_often_are_counted() -> None:
    (remark,) = family_remarks(
        summary(
            sample("p", "m", 1, 1, *(verdict(v, k) for v, k in (("met", "a"), ("met", "b")))),
            sample("p", "f", 1, 1, *(verdict(v, k) for v, k in (("unmet", "a"), ("met", "b")))),
            responders=(MODEL, FLOOR),
        )
    )
    assert remark.startswith("In 1 of 2 families, f passes at least as often as it does")


def test_a_family_that_nobody_passes_is_not_an_easy_one() -> None:
    nobody = [sample("p", name, 0, 0, verdict("unmet", "a")) for name in ("m", "f")]
    assert family_remarks(summary(*nobody, responders=(MODEL, FLOOR))) == []


def test_sentences_hold_together_on_every_kind_of_report() -> None:
    for data in (
        report_data(1),
        report_data(9, unknowns=True),
        without(report_data(4), "middling-135M"),
        without(report_data(4), "empty", "echo", "careful"),
    ):
        found = summarise(data)
        for text in (*opening(found), *family_remarks(found), *length_remarks(found)):
            assert text.endswith(".")
            assert "nan" not in text
            assert "  " not in text
