"""The documentation of the check families is what the registry says."""

from __future__ import annotations

import json
from pathlib import Path

from rubricbench import checks
from rubricbench.checks.catalogue import as_json, markdown

PAGE = Path(__file__).parents[2] / "docs" / "checks.md"


def test_the_page_is_up_to_date():
    """Regenerate with: rubricbench data checks --markdown > docs/checks.md"""
    assert PAGE.read_text(encoding="utf-8") == markdown()


def test_the_data_covers_every_family_and_is_json():
    entries = json.loads(json.dumps(as_json()))
    assert [entry["name"] for entry in entries] == list(checks.registered())
    for entry in entries:
        assert entry["summary"].endswith((".", ":"))
        assert set(entry["params"]) == set(checks.get(entry["name"]).params)
        assert entry["passes"]
        assert entry["fails"]


def test_required_and_optional_parameters_are_told_apart():
    params = {e["name"]: e["params"] for e in as_json()}["code_block"]
    assert params["language"] | {"doc": ""} == {
        "kind": "str", "doc": "", "required": False, "default": None, "minimum": 1, "maximum": 40,
        "choices": [],
    }  # fmt: skip
    assert {e["name"]: e["params"] for e in as_json()}["json_schema"]["schema"]["required"]


def test_every_table_row_has_the_cells_of_its_header():
    """An unescaped bar in an example would break its table."""
    from rubricbench.checks.text.tables import cells

    width = 0
    for row in markdown().splitlines():
        if not row.startswith("|"):
            width = 0
            continue
        width = width or len(cells(row))
        assert len(cells(row)) == width, row
