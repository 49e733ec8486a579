"""Tables of results: every figure, its interval, its cautions and its reasons are in sight."""

from __future__ import annotations

import pytest
from figure_samples import Drawn, chart, line

from rubricbench.figures.blocks import (
    cautions_list,
    cell,
    ends,
    figure_block,
    label,
    matrix,
    reasons_list,
    results_table,
    shown,
    units,
    verdict,
)
from rubricbench.metrics.result import Method, Result, caution, not_computable

RESULT = Result(
    name="gold_peak", estimate=0.6284, low=0.59, high=0.66, method=Method.T, n=120, items=1920
)
WARNED = RESULT.with_warnings([caution("few_prompts", "30 prompts")])
CENSORED = Result(
    name="onset", estimate=None, low=320.0, n=120, reason="no onset by the last checkpoint"
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.000"),
        (0.62839, "0.628"),
        (-0.0314, "−0.031"),
        (12.345, "12.35"),
        (123.45, "123.5"),
        (240.0, "240"),
        (12345.6, "12,346"),
        (0.0000123, "1.23e−5"),
        (-4.5e9, "−4.50e9"),
    ],
)
def test_numbers_have_about_three_digits_that_count(value, text):
    assert shown(value) == text


def test_names_are_made_readable():
    assert label("gold_peak") == "Gold peak"
    assert label("kl_bound") == "KL bound"
    assert label("r2") == "R²"
    assert label("") == "?"


def test_intervals_and_one_sided_bounds():
    assert ends(RESULT) == "0.590–0.660"
    assert ends(Result(name="a", estimate=1.0, low=-0.5, high=2.0)) == "−0.500 to 2.000"
    assert ends(Result(name="a", estimate=1.0, low=0.5)) == "at least 0.500"
    assert ends(Result(name="a", estimate=1.0, high=0.5)) == "at most 0.500"
    assert ends(Result(name="a", estimate=1.0)) == "–"


def test_what_is_behind_a_result():
    assert units(RESULT) == "120 prompts, 1,920 items"
    assert units(Result(name="a", estimate=1.0, n=1, unit="seeds")) == "1 seed"
    assert units(Result(name="a", estimate=1.0)) == "–"


def texts(markup) -> str:
    return " ".join(text for _, text in Drawn(f"<p>{markup}</p>").texts)


def test_a_cell_has_estimate_interval_and_a_star_for_cautions():
    assert texts(cell(RESULT)) == "0.628 0.590–0.660"
    assert texts(cell(WARNED)) == "0.628 * 0.590–0.660"
    assert str(cell(None)) == "–"


def test_what_is_censored_shows_its_bound():
    assert texts(cell(CENSORED)) == "none up to 320"
    end = Result(name="kl", estimate=2.4, warnings=(caution("censored"),))
    assert texts(cell(end)) == "≥ 2.400 *"


def test_every_caution_and_reason_stands_below_its_table():
    none = not_computable("auc", "KL was not logged")
    found = texts(results_table([WARNED, none], caption="Figures", anchor="t"))
    assert "Gold peak" in found
    assert "Not computable: KL was not logged" in found
    assert "30 prompts: few prompts: the interval may cover less often than it says" in found


def test_a_caution_of_many_figures_is_said_once():
    named = [(f"arm {i}", WARNED) for i in range(9)]
    found = Drawn(str(cautions_list(named, anchor="a")))
    assert len(found.of("li")) == 1
    assert found.said("bdi")[0] == "arm 0, arm 1, arm 2, arm 3, arm 4, arm 5 and 3 more"


def test_cautions_that_differ_in_degree_alone_are_told_apart_while_they_are_few():
    def of(number: int) -> list[str]:
        named = [(f"arm {i}", caution("few_prompts", f"{20 + i} prompts")) for i in range(number)]
        return Drawn(str(cautions_list(named))).said("bdi")

    assert "23 prompts: few prompts: the interval may cover less often than it says" in of(4)
    assert of(5) == [
        "arm 0, arm 1, arm 2, arm 3, arm 4",
        "20 to 24 prompts: few prompts: the interval may cover less often than it says",
    ]


def test_one_thing_s_cautions_that_differ_in_their_numbers_alone_are_one_line_with_the_range():
    details = ("about -0.024, 1.1 standard errors", "about -0.0083, 0.5 standard errors")
    named = [("exact tilt", caution("bias", detail)) for detail in details]
    assert Drawn(str(cautions_list(named))).said("bdi") == [
        "exact tilt",
        "about −0.024 to −0.0083, 0.5 to 1.1 standard errors: an estimated bias of the estimate, "
        "which the interval allows for",
    ]


def test_cautions_too_many_and_too_different_for_a_range_are_counted():
    named = [("gold", caution("left_out", f"{'x' * n} is unknown")) for n in range(1, 7)]
    assert Drawn(str(cautions_list(named))).said("bdi") == [
        "gold",
        "rows or prompts were left out (6 cases that differ in degree)",
    ]


def test_numbers_inside_names_are_no_numbers():
    named = [("gold", caution("left_out", f"prompt p{n}")) for n in range(3)]
    assert len(Drawn(str(cautions_list(named))).of("li")) == 3


def test_figures_of_the_same_things_are_named_together():
    named = [((head, arm), WARNED) for arm in ("a", "b") for head in ("Peak", "Drop")]
    named.append((("Onset", "b"), WARNED))
    found = Drawn(str(cautions_list(named)))
    assert found.said("bdi")[0] == "Peak, Drop (a, b); Onset (b)"


def test_an_event_that_was_not_seen_is_no_failure_and_is_said_once():
    end = caution("censored", "gold is highest at the last checkpoint")
    named = [("Onset", CENSORED.with_warnings([end])), ("AUC", not_computable("auc", "no KL"))]
    found = Drawn(str(reasons_list(named, anchor="a")))
    assert [e["id"] for _, e in found.elements if "id" in e] == ["a-unseen", "a-reasons"]
    assert found.said("bdi") == [
        "Onset",
        "no onset by the last checkpoint: gold is highest at the last checkpoint",
        "AUC",
        "no KL",
    ]
    assert cautions_list(named) == ""


def test_reasons_are_listed_and_nothing_is_where_there_is_none():
    assert "Onset: no onset by the last checkpoint" in texts(
        reasons_list([("Onset", CENSORED), ("Peak", RESULT)])
    ).replace(" :", ":")
    assert reasons_list([("Peak", RESULT)]) == ""
    assert cautions_list([("Peak", RESULT)]) == ""
    assert results_table([], caption="None", anchor="t") == ""
    assert matrix([], caption="None", heads=("A",), anchor="t") == ""


def test_a_figure_has_its_cautions_below_it():
    found = Drawn(str(figure_block(chart(line([1, 2])), anchor="f", named=[("gold", WARNED)])))
    order = [e.get("class", "") for _, e in found.elements]
    assert order.index("chart") < order.index("notes cautions")


def test_hostile_names_stay_text():
    text = "<script>alert(1)</script>" + "x" * 500
    warned = RESULT.with_warnings([caution("left_out", text)])
    named = [(text, warned), (text, not_computable(text, text))]
    for markup in (
        results_table([warned, not_computable(text, text)], caption=text, anchor="t"),
        cautions_list(named),
        reasons_list(named),
        verdict(text, [text], tone="bad", word="at risk", name=text, style=3),
    ):
        assert Drawn(str(markup)).of("script") == []
        assert len(markup) < 5000
