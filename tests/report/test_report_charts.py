from __future__ import annotations

import re
from dataclasses import replace

import pytest
from report_samples import report_data

from rubricbench.report.bootstrap import Estimate, Method
from rubricbench.report.charts.distribution import histogram
from rubricbench.report.charts.markers import Style, styles
from rubricbench.report.charts.scatter import Cloud, length_axis, scatter
from rubricbench.report.charts.tracks import RATE_SCALE, Mark, score_scale, track
from rubricbench.report.model import Kind, Responder, SampleView
from rubricbench.report.svg import Scale, element, nice_scale, percentage

SAMPLE = report_data(1).samples[0]
STYLE = Style("circle", "tone-model-1")


def scored(value: float, *, words: int = 10) -> SampleView:
    return replace(SAMPLE, value=value, low=value, high=value, words=words)


def test_elements_escape_text_and_attributes() -> None:
    shown = element("text", "<b>&\x00", x=1.50, class_='a"b', text_anchor="end", y=None)
    assert shown == '<text x="1.5" class="a&#34;b" text-anchor="end">&lt;b&gt;&amp;\u2400</text>'
    assert element("g", element("line", x1=0)) == '<g><line x1="0"/></g>'


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.0, 1.0, (0.0, 0.25, 0.5, 0.75, 1.0)),
        (-0.2, 1.0, (-0.5, 0.0, 0.5, 1.0)),
        (0.0, 204.0, (0.0, 100.0, 200.0, 300.0)),
        (-3.0, 1.0, (-3.0, -2.0, -1.0, 0.0, 1.0)),
    ],
)
def test_axes_have_round_ticks(low: float, high: float, ticks: tuple[float, ...]) -> None:
    assert nice_scale(low, high).ticks == ticks


def test_the_score_axis_holds_penalties_and_bounds() -> None:
    assert score_scale([scored(0.3)]).ticks[0] == 0.0
    wide = score_scale([scored(-0.4), replace(SAMPLE, value=None, low=0.0, high=1.2)])
    assert wide.low <= -0.4
    assert wide.high >= 1.2


def test_places_are_clamped_to_the_axis() -> None:
    scale = Scale(-1.0, 1.0, ())
    assert [scale.share(v) for v in (-2, -1, 0, 1, 3)] == [0, 0, 0.5, 1, 1]
    assert percentage(1 / 3) == "33.3%"
    assert percentage(0.5) == "50%"


@pytest.mark.parametrize("i", range(20))
def test_a_score_on_an_edge_belongs_to_the_bin_it_opens(i: int) -> None:
    found = histogram(RATE_SCALE, [scored(i * 0.05), scored(i / 20)])
    assert found.counts[i] == 2


def test_zero_is_an_edge_of_a_bin_where_scores_are_negative() -> None:
    # Axis −.5 to 1 with ticks at every half: three times five bins, a tenth each.
    found = histogram(Scale(-0.5, 1.0, (-0.5, 0.0, 0.5, 1.0)), [scored(-0.05), scored(0.0)])
    assert 0.0 in found.edges
    assert found.edges[1] - found.edges[0] == pytest.approx(0.1)
    assert found.counts[4:6] == (1, 1)


def test_the_last_bin_holds_full_marks_and_unknowns_are_left_out() -> None:
    unknown = replace(SAMPLE, value=None, low=0.0, high=1.0)
    found = histogram(RATE_SCALE, [scored(1.0), scored(0.97), unknown])
    assert (found.counts[-1], sum(found.counts), found.left_out) == (2, 2, 1)
    assert found.edges[:2] == (0.0, 0.05)
    assert len(found.edges) == len(found.counts) + 1


def test_a_track_draws_bar_bounds_and_whisker() -> None:
    unsure = Estimate(0.4, 0.6, (0.3, 0.8), Method.BOOTSTRAP, 9, 9)
    drawn = track(RATE_SCALE, [Mark(unsure, STYLE, bar=True)])
    assert '<rect x="0%" width="40%"' in drawn
    assert re.search(r'<rect x="40%" width="20%"[^>]*class="bar unsure"', drawn)
    assert re.search(r'<line x1="30%" x2="80%"[^>]*class="whisker"', drawn)


def test_a_bar_below_zero_reaches_from_zero() -> None:
    scale = Scale(-1.0, 1.0, (-1.0, 0.0, 1.0))
    below = Estimate(-0.5, -0.5, None, Method.NONE, 1, 1)
    assert '<rect x="25%" width="25%"' in track(scale, [Mark(below, STYLE, bar=True)])


def test_points_of_a_track_do_not_cover_each_other() -> None:
    same = Estimate(0.5, 0.5, None, Method.NONE, 1, 1)
    drawn = track(RATE_SCALE, [Mark(same, STYLE), Mark(same, Style("square", "t"))])
    places = re.findall(r'<use [^>]*y="([^"]+)"', drawn)
    assert len(set(places)) == 2


def test_responders_differ_in_shape_within_a_page() -> None:
    people = [Responder("a"), Responder("b"), Responder("e", Kind.FLOOR)]
    people += [Responder("f", Kind.FLOOR), Responder("c", Kind.CEILING)]
    found = styles(people)
    assert len({style.shape for style in found.values()}) == len(people)
    assert found["a"].tone != found["b"].tone


def test_the_length_axis_turns_logarithmic_for_runaways() -> None:
    even = [scored(0.5, words=w) for w in (0, 40, 60, 90)]
    assert not length_axis(even).logarithmic
    runaway = length_axis([*even, scored(0.5, words=5000)])
    assert runaway.logarithmic
    assert runaway.at(0) == 0.0
    assert runaway.at(5000) == 1.0
    assert [label for _, label in runaway.labels()][:4] == ["0", "1", "3", "10"]
    assert length_axis([scored(0, words=0)]).at(0) == 0.0


def test_the_scatter_draws_every_sample_once() -> None:
    samples = [scored(i / 10, words=i) for i in range(10)]
    unknown = replace(SAMPLE, value=None, low=0.2, high=0.7, words=5)
    drawn = scatter(RATE_SCALE, [Cloud(STYLE, [*samples, samples[0], unknown])], anchor="a")
    assert drawn.count("<use ") == 10
    assert drawn.count('class="bounds"') == 1
    assert 'y1="30%"' in drawn  # high bound .7


def test_a_huge_scatter_stays_small() -> None:
    samples = [scored((i * 7919 % 10007) / 10007, words=i * 31 % 4001) for i in range(40_000)]
    drawn = scatter(RATE_SCALE, [Cloud(STYLE, samples)], anchor="a")
    assert len(drawn) < 900_000  # at most 101 × 101 marks of some 60 bytes
