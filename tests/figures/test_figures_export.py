"""Figures as files: the same bytes each time, whole or not at all, whatever the names."""

from __future__ import annotations

import csv
import sys
import xml.etree.ElementTree as ET

import pytest
from figure_samples import chart, line, mark
from test_report_escaping import HOSTILE

from rubricbench.errors import InputError, MissingExtraError
from rubricbench.figures import Axis
from rubricbench.figures.export import csv_bytes, export, png_bytes, svg_bytes

pytest.importorskip("matplotlib")


def shown(**of: object):
    return chart(
        line([0.1, 0.3, None, 0.2], half=0.05),
        line([0.2, 0.4, 0.5, 0.6], name="proxy", style=1, secondary=True),
        marks=(mark(1.0),),
        **of,
    )


def test_files_are_named_after_the_figure_and_made_alike_twice(tmp_path):
    first = export(shown(), tmp_path / "one")
    second = export(shown(), tmp_path / "two")
    assert [p.name for p in first] == ["test.svg", "test.png", "test.csv"]
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]
    assert first[1].read_bytes().startswith(b"\x89PNG")
    assert ET.fromstring(first[0].read_bytes()).tag.endswith("svg")
    assert b"<dc:date>" not in first[0].read_bytes()
    assert sorted(p.name for p in (tmp_path / "one").iterdir()) == [
        "test.csv",
        "test.png",
        "test.svg",
    ]


def test_the_csv_holds_every_point_as_it_is(tmp_path):
    (path,) = export(shown(), tmp_path, ("csv",))
    rows = list(csv.DictReader(path.open(encoding="utf-8")))
    assert len(rows) == 8
    assert rows[1] == {"series": "gold", "x": "1", "y": "0.3", "low": "0.25", "high": "0.35"}
    assert rows[2]["y"] == rows[2]["low"] == ""
    assert rows[4]["low"] == ""
    assert float(rows[5]["y"]) == 0.4


def test_a_number_survives_the_csv_to_the_last_digit():
    value = 0.1 + 0.2
    assert repr(value).encode() in csv_bytes(chart(line([value])))


def test_csv_needs_no_matplotlib_and_the_others_say_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"rubricbench\[plots\]"):
        export(shown(), tmp_path / "all")
    assert not (tmp_path / "all").exists()  # not even the CSV: whole or not at all
    assert export(shown(), tmp_path, ("csv",))


def test_an_unknown_format_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="no figure format 'pdf'; formats are svg, png and csv"):
        export(shown(), tmp_path, ("svg", "pdf"))
    assert list(tmp_path.iterdir()) == []


def test_a_name_cannot_leave_the_folder(tmp_path):
    with pytest.raises(ValueError, match="stem"):
        export(shown(name="../up"), tmp_path, ("csv",))


@pytest.mark.parametrize(
    "figure",
    [
        chart(),
        chart(line([])),
        chart(line([None, None]), categories=("a", "b")),
        chart(line([1.0])),
        chart(line([2.0, 2.0], half=0.1)),
        chart(line([float("nan"), 1.0, 2.0])),
        chart(line([1, 10, 100], x=[1, 2, 4]), x=Axis(label="n", scale="log")),
        chart(line([0, 10, 100], x=[0, 2, 4]), y=Axis(label="y", scale="log")),
        chart(line([0.5, None], half=0.1, kind="bars"), categories=("a", "b")),
        chart(line([1, -2, 3], kind="bars", half=0.5)),
        chart(line([1, 2], kind="points", half=0.5), line([1, 2], kind="points", style=9)),
    ],
)
def test_every_figure_can_be_drawn(figure):
    assert b"</svg>" in svg_bytes(figure)


def test_names_are_neither_formulas_nor_hidden_nor_too_long():
    text = "_$x^2$ " + " ".join(HOSTILE.values()).replace("\x00", "") + "y" * 500
    text = text.encode("utf-8", "replace").decode()
    figure = chart(
        line([1, 2], name=text),
        line([1, 2], name="_hidden", style=1),
        title=text,
        x=Axis(label=text),
        marks=(mark(1, text),),
    )
    assert b"</svg>" in svg_bytes(figure)
    assert png_bytes(figure)
    assert len(csv_bytes(figure).splitlines()) > 4
