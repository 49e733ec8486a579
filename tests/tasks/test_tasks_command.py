"""``rubricbench tasks``: path, list, validate."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from rubricbench.cli.tasks import command
from rubricbench.tasks import task_names, task_path


def run(*arguments: str):
    return CliRunner().invoke(command, list(arguments), standalone_mode=False)


def test_path_is_the_folder_of_the_task_files():
    printed = run("path").output.strip()
    assert printed == str(task_path())
    assert (task_path() / "rubricbench_verifiable.yaml").is_file()


def test_path_comes_as_json_too():
    assert json.loads(run("path", "--json").output) == {"path": str(task_path())}


def test_list_names_the_tasks():
    assert run("list").output.split() == task_names() == ["rubricbench_verifiable"]


def test_validate_loads_our_tasks_without_warnings():
    done = run("validate", "--json")
    assert done.return_value == 0
    (report,) = json.loads(done.output)["tasks"]
    assert report["task"] == "rubricbench_verifiable"
    assert report["documents"] == 500
    assert (report["error"], report["warnings"]) == ("", [])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("task: broken\nclass: !function no.such.module.Task\n", "no.such.module"),
        ("task: [unclosed", "ParserError"),
        ("- a list", "Expected YAML dict"),
        ("unknown: shape", "Unknown config shape"),
    ],
)
def test_validate_says_what_lm_eval_would_skip_silently(tmp_path, text, said):
    (tmp_path / "broken.yaml").write_text(text)
    done = run("validate", str(tmp_path))
    assert done.return_value == 1
    assert "FAILED" in done.output
    assert said in done.output


def test_validate_refuses_a_folder_without_tasks(tmp_path):
    done = run("validate", str(tmp_path))
    assert "no task files" in str(done.exception)
