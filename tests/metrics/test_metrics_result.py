from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest

from rubricbench.metrics.result import (
    CAUTIONS,
    Caution,
    Method,
    Result,
    caution,
    frame,
    not_computable,
    walk,
)


class Pair(msgspec.Struct, frozen=True):
    first: Result
    others: dict[str, tuple[Result, ...]]
    note: str = ""


def result(name: str = "win rate", estimate: float = 0.5, **more) -> Result:
    return Result(name=name, estimate=estimate, n=3, **more)


@pytest.mark.parametrize("end", ["estimate", "low", "high"])
@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_no_result_holds_nan_or_infinity(end: str, number: float):
    with pytest.raises(ValueError, match="is not a result"):
        Result(**{"name": "gold", "estimate": 0.5, end: number})


def test_an_estimate_or_a_reason_and_never_both_or_neither():
    assert not_computable("gold", "no baseline").reason == "no baseline"
    for estimate, reason in [(None, ""), (0.5, "no baseline")]:
        with pytest.raises(ValueError, match="an estimate, or a reason"):
            Result(name="gold", estimate=estimate, reason=reason)


def test_an_interval_has_both_ends():
    assert result(low=0.4, high=0.6).interval == (0.4, 0.6)
    assert result(low=0.4).interval is None


def test_a_caution_is_one_of_the_list_and_stands_once():
    with pytest.raises(ValueError, match="no caution"):
        Caution("strange", "")
    twice = result().with_warnings(
        [caution("ties"), caution("ties", "half are"), caution("uneven")]
    )
    assert [c.code for c in twice.warnings] == ["ties", "uneven"]
    assert twice.warnings[0].text == f"half are: {CAUTIONS['ties']}"


def test_two_reasons_of_one_kind_are_both_kept_and_their_code_is_listed_once():
    lost = [caution("left_out", "2 rows"), caution("ties"), caution("left_out", "1 prompt")]
    found = result().with_warnings(lost).with_warnings(lost)
    assert [c.text.split(":")[0] for c in found.warnings] == ["2 rows", "1 prompt", "many ties"]
    assert frame(found).warnings[0] == "left_out ties"


def test_it_reads_as_a_line():
    assert str(result(low=0.41234, high=0.6)) == "win rate: 0.5 [0.4123, 0.6]"
    assert str(result()) == "win rate: 0.5"
    assert str(result(low=0.4)) == "win rate: 0.5 [0.4, ∞)"
    assert str(result(high=0.6)) == "win rate: 0.5 (-∞, 0.6]"
    assert str(not_computable("gap", "no proxy")) == "gap: not computable (no proxy)"


def test_every_result_within_an_answer_is_found_in_order():
    a, b, c = (result(x) for x in "abc")
    assert [r.name for r in walk(Pair(a, {"x": (b,), "y": (c,)}))] == ["a", "b", "c"]
    assert [r.name for r in walk([b, (a, c)])] == ["b", "a", "c"]


def test_a_table_has_a_row_for_each_and_nan_for_what_is_missing():
    missing = not_computable("onset", "no proxy").with_warnings([caution("censored")])
    table = frame([result(low=0.4, high=0.6, method=Method.T), missing])
    assert list(table["name"]) == ["win rate", "onset"]
    assert list(table["method"]) == ["cluster_t", "none"]
    assert list(table["warnings"]) == ["", "censored"]
    assert np.isnan(table.loc[1, ["estimate", "low", "high"]].astype(float)).all()
    assert list(frame([]).columns) == list(table.columns)


def test_a_result_goes_through_json_and_back():
    whole = result(low=0.4, high=0.6, method=Method.BCA, warnings=(caution("ties"),))
    assert msgspec.json.decode(msgspec.json.encode(whole), type=Result) == whole
