from __future__ import annotations

from dataclasses import replace

import pytest
from report_samples import report_data

from rubricbench.report import ReportData, SampleView, VerdictView
from rubricbench.report.cards import BUDGET, Group, cards, select
from rubricbench.report.render import render_report
from rubricbench.schema import Message, Status

BASE = report_data(1).samples[0]


def scored(i: int, value: float) -> SampleView:
    return replace(BASE, prompt_id=f"p{i:04}", value=value, low=value, high=value)


def shown(data: ReportData) -> list[str]:
    return [card.anchor for card in cards(data, data.responders[:1])]


@pytest.mark.parametrize("n", [1, 2, 3, 5, 40, 60])
def test_few_samples_are_all_shown_once(n: int) -> None:
    chosen = select([scored(i, i / n) for i in range(n)])
    ids = [s.prompt_id for group in chosen.values() for s in group]
    assert sorted(ids) == [f"p{i:04}" for i in range(n)]


def test_many_samples_are_shown_at_the_ends_and_in_the_middle() -> None:
    chosen = select([scored(i, i / 500) for i in range(500)])
    assert [s.prompt_id for s in chosen[Group.LOWEST]] == [f"p{i:04}" for i in range(20)]
    assert [s.prompt_id for s in chosen[Group.HIGHEST]] == [f"p{i:04}" for i in range(499, 479, -1)]
    assert [s.prompt_id for s in chosen[Group.MIDDLE]] == [f"p{i:04}" for i in range(240, 260)]


def test_ties_go_by_prompt_id_whatever_the_order() -> None:
    samples = [scored(i, 0.5) for i in range(100)]
    assert select(samples) == select(samples[::-1])


def test_a_score_within_bounds_stands_in_their_middle() -> None:
    unsure = replace(BASE, prompt_id="u", value=None, low=0.0, high=1.0)
    chosen = select([scored(1, 0.4), unsure, scored(2, 0.6)])
    assert chosen[Group.MIDDLE] == [unsure]


def test_long_texts_are_cut_with_a_note() -> None:
    data = report_data(3)
    long = replace(
        data.samples[0],
        response="x" * 1_000_000,
        messages=(Message("user", "y" * 200_000),),
    )
    page = render_report(replace(data, samples=(long, *data.samples[1:])))
    assert "994,000 characters not shown" in page
    assert "197,000 characters not shown" in page
    assert len(page) < 400_000


def test_long_conversations_keep_the_first_and_the_last_turns() -> None:
    turns = tuple(Message("user" if i % 2 == 0 else "assistant", f"turn {i}") for i in range(41))
    data = report_data(1)
    sample = replace(data.samples[0], messages=turns)
    (card,) = cards(replace(data, samples=(sample, *data.samples[1:])), data.responders[:1])
    assert [t.text.head for t in card.turns][:2] == ["turn 0", "turn 30"]
    assert card.turns[-1].text.head == "turn 40"
    assert card.omitted_turns == 29
    assert card.preview == "turn 40"


def test_the_page_stays_below_its_limit_with_the_worst_texts() -> None:
    # Ampersands take five bytes each once escaped; 200 criteria of 10,000 characters are the most
    # a rubric may have.
    verdict = VerdictView("&" * 10_000, 1, Status.UNMET, family="f", evidence="&" * 5000)
    data = report_data(60)
    worst = tuple(
        replace(s, response="&" * 50_000, verdicts=(verdict,) * 200) for s in data.samples
    )
    page = render_report(replace(data, samples=worst)).encode()
    assert len(page) < 3_000_000


def test_the_budget_is_spent_on_both_ends_alike() -> None:
    data = report_data(60)
    fat = tuple(replace(s, response="&" * 6000) for s in data.samples)
    heavy = tuple(
        replace(s, verdicts=s.verdicts + (replace(s.verdicts[0], evidence="&" * 400),) * 50)
        for s in fat
    )
    found = cards(replace(data, samples=heavy), data.responders[:1])
    assert sum(card.size() for card in found) <= BUDGET
    counts = {group: sum(c.group is group for c in found) for group in Group}
    assert 0 < len(found) < 60
    assert max(counts.values()) - min(counts.values()) <= 1


def test_points_are_shown_where_they_make_the_score() -> None:
    data = report_data(4)
    for card in cards(data, data.responders[:1]):
        assert card.points is not None
        earned, total = card.points
        assert earned / total == pytest.approx(card.sample.value)
        met = [v for v in card.sample.verdicts if v.status is Status.MET]
        assert earned == pytest.approx(sum(v.weight for v in met))
    # Under another aggregation the sum of contributions is not the score.
    sample = data.samples[0]
    other = replace(sample, value=0.123, low=0.123, high=0.123)
    (card, *_) = [
        c
        for c in cards(replace(data, samples=(other, *data.samples[1:])), data.responders[:1])
        if c.sample is other
    ]
    assert card.points is None


def test_tags_are_shown_where_they_belong() -> None:
    data = report_data(1)
    tags = (("area:x", "family:a", "axis:1"), ("area:x", "axis:2"), ("area:x",))
    verdicts = tuple(
        replace(v, family="a", tags=t) for v, t in zip(BASE.verdicts[:3], tags, strict=True)
    )
    sample = replace(data.samples[0], verdicts=verdicts)
    (card,) = cards(replace(data, samples=(sample, *data.samples[1:])), data.responders[:1])
    assert card.tags == ("area:x",)
    assert [row.tags for row in card.rows] == [("axis:1",), ("axis:2",), ()]


def test_baselines_are_those_of_the_same_prompt() -> None:
    data = report_data(3)
    for card in cards(data, data.responders[:1]):
        assert {s.prompt_id for s in card.others} == {card.sample.prompt_id}
        assert [s.responder for s in card.others] == ["empty", "echo", "careful"]
        assert card.ceiling is not None


def test_anchors_are_unique() -> None:
    names = shown(report_data(100))
    assert len(names) == 60
    assert len(set(names)) == 60
