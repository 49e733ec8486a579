"""Figures in a page: what is drawn where, and that nothing else is."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from figure_samples import Drawn, chart, line, mark
from test_report_escaping import HOSTILE

from rubricbench.figures import Axis, Series
from rubricbench.figures.inline import description, inline
from rubricbench.figures.styles import COLOURS, DASHES, SHAPES, look
from rubricbench.figures.thin import corners, spread
from rubricbench.report.page import asset


def drawn(figure) -> Drawn:
    return Drawn(str(inline(figure, anchor="fig")))


def path(figure, class_: str) -> str:
    return drawn(figure).of("path", class_)[0]["d"]


def test_a_line_runs_through_its_points():
    # x 0, 1, 2 on an axis from 0 to 2.08 (4% beyond, zero an edge); y 0 to 1.04, upside down
    assert path(chart(line([0, 1, 0.5])), "curve") == "M0 1000l481-962 481 481"
    # 1/2.08 = .4808, 1 − 1/1.04 = .0385, 1 − .5/1.04 = .5192


def test_a_band_goes_there_along_the_top_and_back_along_the_bottom():
    d = path(chart(line([1, 1], half=0.5)), "band")
    # y from .46 to 1.54 (4% of 1): the upper end at .04/1.08 = 37, the lower at 963
    assert d == "M0 37l962 0 0 926-962 0z"


def test_a_gap_breaks_line_and_band():
    found = drawn(chart(line([1, 2, None, 2, 1], half=0.1)))
    assert len(found.of("path", "curve")) == 2
    assert len(found.of("path", "band")) == 2


def test_a_point_between_gaps_has_marker_and_whisker():
    found = drawn(chart(line([1, None, 2, None, 3, 4], half=0.1)))
    assert len(found.of("use")) == 4
    assert len(found.of("line", "whisker")) == 6  # two points alone, three lines each
    assert len(found.of("path", "curve")) == 1


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_a_gap(bad):
    text = str(inline(chart(line([1, bad, 2, 3])), anchor="fig"))
    assert "nan" not in text.lower()
    assert "inf" not in text.lower()
    assert len(Drawn(text).of("path", "curve")) == 1


def test_an_interval_that_one_end_lacks_is_not_drawn():
    series = Series(name="s", x=[0, 1, 2], y=[1, 2, 3], low=[0.5, None, 2], high=[2, 3, 4])
    assert drawn(chart(series)).of("path", "band") == []


@pytest.mark.parametrize("series", [(), (line([]),), (line([None, None]),), (line([math.nan]),)])
@pytest.mark.parametrize("names", [(), ("a", "b")])
def test_no_data_are_said_to_be_none(series, names):
    found = drawn(chart(*series, categories=names, caption="There was nothing."))
    assert found.said("chart-empty") == ["No data."]
    assert found.said("chart-caption") == ["There was nothing."]
    assert found.of("svg") == []


def test_one_point_is_a_marker_with_its_value():
    found = drawn(chart(line([0.25], x=[3.0], half=0.1)))
    assert found.said("title") == ["gold, at 3: 0.25 [0.15, 0.35]"]
    assert found.of("use")[0]["x"] == "50%"


def test_percentages():
    found = drawn(chart(line([0.25, 0.75]), y=Axis(label="share", percent=True)))
    # from .23 to .77 (4% of .5 on either side) in about six steps
    assert found.said("tick-left") == ["30%", "40%", "50%", "60%", "70%"]
    assert "gold, at 1: 75%" in found.said("title")


def test_style_numbers_set_shape_dash_and_colour_and_secondary_is_lighter():
    found = drawn(chart(line([1, 2], style=1), line([2, 3], name="ideal", style=3, secondary=True)))
    hrefs = [u["href"] for u in found.of("use")]
    assert hrefs == ["#fig-square"] * 2  # a secondary line has no markers
    assert {p["id"] for p in found.of("path") if "id" in p} == {"fig-square", "fig-diamond"}
    assert [g["class"] for g in found.of("g", "dash-3")] == ["hue-3 dash-3 lighter"]
    keys = found.of("svg", "key")
    assert [k["class"] for k in keys] == ["key hue-1 dash-1", "key hue-3 dash-3 lighter"]


def test_the_first_seven_styles_differ_in_shape_and_every_280_in_something():
    assert len({look(i).shape for i in range(7)}) == 7
    assert len({look(i) for i in range(280)}) == 280


def test_the_style_sheet_has_the_same_colours_and_dashes():
    css = asset("figures.css")
    for i, colour in enumerate(COLOURS):
        assert f"--hue-{i}: light-dark({colour}, " in css
        assert f".hue-{i} {{ --hue: var(--hue-{i}); }}" in css
    for i, dash in enumerate(DASHES[1:], 1):
        assert f".dash-{i} {{ --dash: {' '.join(map(str, dash))}; }}" in css
    assert len(SHAPES) == len(set(SHAPES))


def test_a_legend_names_the_series_where_there_are_several():
    two = drawn(chart(line([1, 2], half=0.1), line([2, 3], name="proxy", style=1)))
    assert two.said("bdi")[:2] == ["gold", "proxy"]
    assert len(two.of("svg", "key")) == 2
    assert drawn(chart(line([1, 2]))).of("svg", "key") == []


def test_marks_stand_at_their_place_and_labels_do_not_meet():
    marks = (mark(0.5, "gold peak, step 120"), mark(0.6, "onset, step 160", 1), mark(1.9, "end", 2))
    found = drawn(chart(line([0, 1, 2]), marks=marks))
    assert [s["x"] for s in found.of("svg", "marks")] == ["24%", "28.8%", "91.3%"]  # of 2.08
    texts = [t for t in found.of("text") if t.get("class", "").startswith("flag")]
    rows = [float(t["y"]) for t in texts]
    assert rows[0] != rows[1]  # they would overlap
    # 274 of a phone's 300 pixels, and a text of 31: it ends at its mark
    assert [t["class"] for t in texts] == ["flag-start", "flag-start", "flag-end"]
    # and no line is drawn over a text
    order = [e["class"] for _, e in found.elements if e.get("class", "").startswith("flag")]
    assert order == ["flag"] * 3 + ["flag-start", "flag-start", "flag-end"]
    assert "top-2" in found.of("div", "chart-frame")[0]["class"]


def test_a_label_near_the_right_edge_ends_at_its_mark():
    found = drawn(chart(line([0, 1]), marks=(mark(1.0, "end of the run"),)))
    assert found.said("flag-end") == ["end of the run"]


def test_many_marks_are_numbered_and_listed():
    marks = tuple(mark(0.1 * i, f"onset of arm {i}", i) for i in range(8))
    found = drawn(chart(line([0, 1]), marks=marks))
    assert found.said("flag-start") == [str(i) for i in range(1, 9)]
    assert len(found.of("ol", "chart-marks")) == 1
    assert [t for t in found.said("bdi") if t.startswith("onset")] == [m.text for m in marks]


def test_many_marks_at_one_place_stay_within_five_rows():
    marks = tuple(mark(0.5, f"arm {i}", i) for i in range(30))
    found = drawn(chart(line([0, 1]), marks=marks))
    assert "top-5" in found.of("div", "chart-frame")[0]["class"]


def test_values_that_a_logarithmic_axis_cannot_show_are_counted():
    figure = chart(line([1, 2, 3], x=[0, 1, 2]), x=Axis(label="n", scale="log"))
    found = drawn(figure)
    text = "Not shown on the logarithmic horizontal axis: 1 of 3 points not above zero."
    assert found.said("chart-note") == [text]
    assert len(found.of("use")) == 2


def test_limits_cut_the_line_off():
    figure = chart(line([0, 5, 1]), y=Axis(label="y", low=0, high=2))
    found = drawn(figure)
    assert found.of("svg", "cut")
    assert len(found.of("use")) == 2  # the point beyond has no marker
    assert not drawn(chart(line([0, 5, 1]))).of("svg", "cut")


def bars(*values: float | None, **of: object) -> Series:
    return line(list(values), kind="bars", **of)


def test_categories_are_rows_with_bars_from_zero():
    found = drawn(
        chart(
            bars(0.5, None, half=0.1, name="a"),
            bars(1.0, 0.25, name="b", style=1),
            categories=("rubric", "reward model"),
            y=Axis(label="accuracy", percent=True, low=0, high=1),
        )
    )
    assert found.said("category") == ["rubric", "reward model"]
    assert found.said("no-value") == ["no value"]
    plot = [r for r in found.of("rect", "bar") if "%" in r["width"]]
    assert [r["width"] for r in plot] == ["50%", "100%", "25%"]
    assert {r["x"] for r in plot} == {"0%"}
    assert "a, rubric: 50% [40%, 60%]" in found.said("title")


def test_a_negative_bar_ends_at_zero():
    found = drawn(chart(bars(-1.0, 1.0), categories=("a", "b")))
    left, right = (r for r in found.of("rect", "bar") if "%" in r["width"])
    assert float(left["x"][:-1]) + float(left["width"][:-1]) == pytest.approx(50)
    assert right["x"] == "50%"


def test_bars_over_numbers_stand_upright():
    found = drawn(chart(bars(1, 2, 3)))
    heights = [float(r["height"][:-1]) for r in found.of("rect", "bar")]
    assert heights[2] == pytest.approx(3 * heights[0], abs=0.2)


def test_screen_readers_get_title_caption_and_course():
    figure = chart(line([0.1, 0.4, 0.3]), marks=(mark(1, "gold peak"),))
    found = drawn(figure)
    plot = found.of("svg", "plot")[0]
    ids = {e["id"] for _, e in found.elements if "id" in e}
    assert {plot["aria-labelledby"], *plot["aria-describedby"].split()} <= ids
    assert description(figure) == (
        "reward over √KL. gold: 0.1 at 0, 0.4 at 1, 0.3 at 2. Marked at 1: gold peak."
    )


def test_an_anchor_must_be_an_identifier():
    with pytest.raises(ValueError, match="prefix of ids"):
        inline(chart(line([1])), anchor="a b")


@pytest.mark.parametrize("name", [*HOSTILE, "long", "empty"])
@pytest.mark.parametrize("kind", ["line", "points", "bars"])
def test_hostile_names_stay_text_in_every_place(name, kind):
    text = {"long": "x" * 500, "empty": ""}.get(name) or HOSTILE.get(name, "")
    text = text.encode("utf-8", "replace").decode() if name == "surrogates" else text
    series = [line([1, 2], name=text, kind=kind, half=0.1, style=i) for i in range(2)]
    for names in ((), (text, text)):
        figure = chart(
            *series,
            title=text,
            caption=text,
            x=Axis(label=text),
            y=Axis(label=text),
            marks=(mark(1, text),),
            categories=names,
        )
        markup = str(inline(figure, anchor="fig"))
        found = Drawn(markup)  # well formed: every element closed in order
        assert {tag for tag, _ in found.elements} <= {
            "figure", "figcaption", "ul", "li", "svg", "rect", "line", "path", "g", "bdi", "div",
            "p", "desc", "defs", "text", "use", "title", "ol",
        }  # fmt: skip
        assert not any(a.startswith("on") or a == "style" for _, e in found.elements for a in e)
        assert not re.search("[\x00-\x08\u202a-\u202e\u2066-\u2069]", markup)
        assert len(markup) < 20_000


def test_a_crowded_figure_stays_small():
    rng = np.random.default_rng(0)
    x = np.linspace(0, 3, 400)
    series = [
        line((np.sin(x + i) + rng.normal(0, 0.05, 400)).tolist(), x=x.tolist(), half=0.1, style=i)
        for i in range(10)
    ]
    assert len(inline(chart(*series), anchor="fig")) < 80_000  # of 4,000 points, noise and all
    smooth = [line(np.sin(x + i).tolist(), x=x.tolist(), half=0.1, style=i) for i in range(10)]
    assert len(inline(chart(*smooth), anchor="fig")) < 30_000


def test_thinning_moves_no_point_of_the_line_further_than_the_tolerance():
    x = np.linspace(0, 1000, 400)
    y = 500 + 400 * np.sin(x / 90)
    kept = corners(list(zip(x, y, strict=True)), tolerance=0.7)
    assert len(kept) < 120
    xs, ys = np.array(kept).T
    assert np.abs(np.interp(x, xs, ys) - y).max() <= 0.7
    assert kept[0] == (x[0], y[0])
    assert kept[-1] == (x[-1], y[-1])


def test_thinning_keeps_a_lone_peak_and_drops_a_straight_line():
    flat = [(float(i), 0.0) for i in range(300)]
    assert corners(flat) == [flat[0], flat[-1]]
    flat[150] = (150.0, 30.0)
    assert flat[150] in corners(flat)


def test_markers_of_a_long_line_are_spread_evenly():
    assert spread(5, 14) == [0, 1, 2, 3, 4]
    assert spread(101, 3) == [0, 50, 100]
    found = drawn(chart(line(list(range(400)))))
    assert len(found.of("use")) == 14
