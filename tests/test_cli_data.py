"""The data and build commands: what people and programs read from them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rubricbench.cli import cli
from rubricbench.errors import InputError, SchemaError
from rubricbench.hub import embedded, load
from rubricbench.rows import rubric_to_row
from rubricbench.schema import Criterion, Prompt, Rubric


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def test_show_prints_prompt_and_rubric():
    rubric = Rubric.from_row(load("verifiable", split="test")[3])
    shown = invoke("data", "show", "verifiable:test", "--index", "3")
    assert shown.exit_code == 0
    assert rubric.prompt.messages[-1].content in shown.output
    for criterion in rubric.criteria:
        assert f"{criterion.weight:+d}  {criterion.criterion}" in shown.output


def test_show_finds_a_prompt_by_its_id():
    row = load("verifiable", split="test")[7]
    shown = invoke("data", "show", "verifiable:test", "--id", row["prompt_id"], "--json")
    assert json.loads(shown.output)["prompt"] == row["prompt"]


@pytest.mark.parametrize("arguments", [("--index", "500"), ("--id", "p_0000000000000000")])
def test_show_says_what_is_not_there(arguments):
    result = invoke("data", "show", "verifiable:test", *arguments)
    assert isinstance(result.exception, InputError)
    assert "among 500 rows" in str(result.exception)


def test_validate_counts_rows_of_any_form(tmp_path):
    shutil.copy(embedded("verifiable") / "test.parquet", tmp_path / "rows.parquet")
    result = invoke("data", "validate", str(tmp_path / "rows.parquet"), "--json")
    assert json.loads(result.output) == {
        "source": str(tmp_path / "rows.parquet"),
        "rows": 500,
        "valid": True,
    }


def test_validate_names_line_and_field_of_a_bad_check(tmp_path):
    rubric = Rubric(
        prompt=Prompt.from_text("Name a tree."),
        criteria=(Criterion(criterion="It is an oak.", weight=2),),
    )
    row = rubric_to_row(rubric)
    row["rubrics"][0]["check"] = {"name": "word_cuont", "params": '{"minimum": 3}'}
    row["rubrics"][0].pop("id")
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{json.dumps(rubric_to_row(rubric))}\n{json.dumps(row)}\n", encoding="utf-8")
    result = invoke("data", "validate", str(path))
    assert isinstance(result.exception, SchemaError)
    assert "rows.jsonl:2" in str(result.exception)
    assert "rubrics[0].check.name" in str(result.exception)
    assert "word_count" in str(result.exception)


def test_stats_add_up():
    found = json.loads(invoke("data", "stats", "verifiable:test", "--json").output)
    assert found["rows"] == 500
    assert sum(found["families"].values()) == found["criteria"] == sum(found["weights"].values())
    assert sum(found["criteria_per_row"].values()) == 500
    assert "500 prompts" in invoke("data", "stats", "verifiable:test").output


def test_checks_lists_every_family():
    from rubricbench.checks import registered

    listed = json.loads(invoke("data", "checks", "--json").output)["families"]
    assert [entry["name"] for entry in listed] == list(registered())


def test_build_writes_what_load_reads(tmp_path: Path):
    folder = tmp_path / "mine" / "verifiable"
    arguments = ("--out", str(folder), "--train", "4", "--test", "3", "--seed", "5", "--json")
    built = json.loads(invoke("build", "verifiable", *arguments).output)
    assert [(split["name"], split["rows"]) for split in built["splits"]] == [
        ("train", 4),
        ("test", 3),
    ]
    rows = load("verifiable", source=tmp_path / "mine")
    assert {name: len(split) for name, split in rows.items()} == {"train": 4, "test": 3}
    again = json.loads(invoke("build", "verifiable", *arguments).output)
    assert again == built


def test_build_refuses_more_rows_than_there_can_be(tmp_path: Path):
    result = invoke("build", "verifiable", "--out", str(tmp_path / "x"), "--train", "99999")
    assert isinstance(result.exception, InputError)
    assert not (tmp_path / "x").exists()
