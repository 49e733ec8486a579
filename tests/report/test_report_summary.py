"""Statistics of small reports whose numbers can be worked out by hand."""

from __future__ import annotations

import pytest

from rubricbench.report import Kind, ReportData, Responder, SampleView, VerdictView
from rubricbench.report.model import sample_view
from rubricbench.report.summary import Summary, summarise
from rubricbench.schema import (
    Cause,
    Check,
    Criterion,
    Message,
    Prompt,
    Rubric,
    Status,
    met,
    unknown,
    unmet,
)

MODEL, FLOOR, CEILING = (
    Responder("m"),
    Responder("f", Kind.FLOOR),
    Responder("c", Kind.CEILING),
)


def verdict(status: str, family: str = "", weight: int = 1) -> VerdictView:
    cause = Cause.TIMEOUT if status == "unknown" else None
    return VerdictView("It is so.", weight, Status(status), family=family, cause=cause)


def sample(
    prompt: str,
    responder: str,
    low: float,
    high: float | None = None,
    *verdicts: VerdictView,
    words: int = 3,
    text: str = "a b c",
    finish: str = "",
) -> SampleView:
    high = low if high is None else high
    return SampleView(
        prompt_id=prompt,
        messages=(Message("user", "Why?"),),
        response=text,
        responder=responder,
        value=low if low == high else None,
        low=low,
        high=high,
        coverage=1.0 if low == high else 0.5,
        verdicts=verdicts or (verdict("met"),),
        words=words,
        finish_reason=finish,
    )


def summary(*samples: SampleView, responders: tuple[Responder, ...] = (MODEL,)) -> Summary:
    return summarise(ReportData("t", "now", responders, samples))


def test_mean_coverage_and_bounds() -> None:
    (found,) = summary(
        sample("p", "m", 0.5), sample("q", "m", 0.2, 0.6), sample("r", "m", 1.0)
    ).responders
    # Low (.5 + .2 + 1) / 3, high (.5 + .6 + 1) / 3, coverage (1 + .5 + 1) / 3.
    assert (found.mean.low, found.mean.high) == pytest.approx((1.7 / 3, 2.1 / 3))
    assert found.mean.value is None
    assert found.coverage == pytest.approx(2.5 / 3)
    assert (found.samples, found.prompts) == (3, 3)


def test_all_met_counts_undecided_as_open() -> None:
    passed, failed = verdict("met"), verdict("unmet")
    (found,) = summary(
        sample("p", "m", 1, 1, passed, passed),
        sample("q", "m", 0, 1, passed, verdict("unknown")),  # may still pass
        sample("r", "m", 0, 1, failed, verdict("unknown")),  # has failed already
        sample("s", "m", 0, 0, failed, failed),
    ).responders
    assert (found.all_met.low, found.all_met.high) == (1 / 4, 2 / 4)
    # Criteria: 3 met, 3 unmet, 2 unknown of 8.
    assert (found.satisfied.low, found.satisfied.high) == (3 / 8, 5 / 8)
    assert found.causes == {"timeout": 2}


def test_a_penalty_passes_when_it_is_not_met() -> None:
    (row,) = summary(
        sample("p", "m", 0, 0, verdict("met", "style", weight=-1)),
        sample("q", "m", 0, 0, verdict("unmet", "style", weight=-1)),
        sample("r", "m", 1, 1, verdict("met", "style")),
    ).families
    assert row.rates["m"].value == pytest.approx(2 / 3)


def test_families_are_ordered_by_the_models_rate_and_count_distinct_criteria() -> None:
    found = summary(
        sample("p", "m", 0, 0, verdict("met", "easy"), verdict("unmet", "hard")),
        sample("q", "m", 0, 0, verdict("met", "easy"), verdict("met")),
        sample("p", "f", 0, 0, verdict("unmet", "easy"), verdict("met", "hard")),
        responders=(MODEL, FLOOR),
    ).families
    assert [row.family for row in found] == ["easy", "hard"]
    assert (found[0].prompts, found[0].criteria) == (2, 2)
    assert (found[0].rates["m"].value, found[0].rates["f"].value) == (1.0, 0.0)


def test_rare_families_come_after_all_others() -> None:
    often = [sample(f"p{i}", "m", 0, 0, verdict("unmet", "often")) for i in range(5)]
    rare = [sample(f"q{i}", "m", 1, 1, verdict("met", "rare")) for i in range(4)]
    found = summary(*often, *rare).families
    assert [(row.family, row.rare) for row in found] == [("often", False), ("rare", True)]


def test_a_family_rate_weighs_criteria_not_prompts() -> None:
    # One prompt with three criteria met, one with one unmet: 3 of 4.
    (row,) = summary(
        sample("p", "m", 1, 1, *[verdict("met", "k")] * 3),
        sample("q", "m", 0, 0, verdict("unmet", "k")),
    ).families
    assert row.rates["m"].value == 0.75


def test_models_are_compared_with_each_baseline() -> None:
    found = summary(
        sample("p", "m", 0.5), sample("q", "m", 0.7),
        sample("p", "f", 0.1), sample("q", "f", 0.1),
        sample("p", "c", 1.0), sample("q", "c", 1.0),
        responders=(MODEL, FLOOR, CEILING),
    )  # fmt: skip
    values = [d.estimate.value for d in found.responders[0].differences if d.estimate]
    assert values == pytest.approx([0.5, -0.4])
    assert found.responders[1].differences == ()
    assert found.subjects == (MODEL,)


def test_without_a_model_every_responder_is_a_subject() -> None:
    found = summary(sample("p", "f", 0.1), responders=(FLOOR,))
    assert found.subjects == (FLOOR,)


def test_how_responses_ended() -> None:
    (found,) = summary(
        sample("p", "m", 0, finish="length"), sample("q", "m", 0, finish="stop", text=" \n")
    ).responders
    assert (found.truncated, found.blank) == (1, 1)
    (silent,) = summary(sample("p", "m", 0)).responders
    assert silent.truncated is None


def test_quarters_keep_equal_lengths_together() -> None:
    lengths = [1, 1, 1, 2, 2, 2, 2, 9]
    (relation,) = summary(
        *(sample(f"p{i}", "m", i / 10, words=w) for i, w in enumerate(lengths))
    ).lengths
    assert [(b.shortest, b.longest, b.samples) for b in relation.bins] == [
        (1, 1, 3),
        (2, 9, 5),
    ]
    # Quarters end after 2, 4 and 6 samples: within the ones, the twos, the twos.
    assert relation.bins[0].mean.value == pytest.approx(0.1)


def test_length_leaves_out_what_has_no_score() -> None:
    (relation,) = summary(
        *(sample(f"p{i}", "m", i / 10, words=i) for i in range(6)),
        sample("q", "m", 0.0, 1.0, words=99),
    ).lengths
    assert relation.left_out == 1
    assert relation.correlation is not None
    assert relation.correlation.value == pytest.approx(1.0)


def test_view_of_a_scored_response() -> None:
    check = Check("no_commas")
    rubric = Rubric(
        prompt=Prompt.from_text("Write."),
        criteria=(
            Criterion(criterion="No comma.", weight=3, check=check),
            Criterion(criterion="Kind.", weight=1, tags=("tone",)),
            Criterion(criterion="Rude.", weight=-2),
        ),
    )
    ids = [c.id for c in rubric.criteria]
    view = sample_view(rubric, "some text", "m", [met(ids[0], "0 commas"), unmet(ids[2])])
    # 3 of 4 is sure, the unjudged criterion may add 1; the penalty is known to be avoided.
    assert (view.value, view.low, view.high) == (None, 0.75, 1.0)
    assert view.coverage == pytest.approx(5 / 6)
    assert [v.family for v in view.verdicts] == ["no_commas", "", ""]
    assert [v.contribution for v in view.verdicts] == [0.75, None, 0.0]
    assert [v.passed for v in view.verdicts] == [True, None, True]
    assert view.verdicts[1].cause is Cause.NOT_JUDGED
    assert view.words == 2
    timed_out = sample_view(rubric, "t", "m", [unknown(ids[0], Cause.TIMEOUT)])
    assert timed_out.verdicts[0].cause is Cause.TIMEOUT
