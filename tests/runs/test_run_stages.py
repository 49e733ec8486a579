"""A stage is done only while its files are what they were, and can be run again alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rubricbench.errors import RunError
from rubricbench.runs import RunDirectory

STAGES = ("generate", "judge", "score", "report")


@pytest.fixture
def run(tmp_path):
    with RunDirectory(tmp_path / "out", command="judge", config={}) as directory:
        yield directory


def finish(run: RunDirectory, stage: str, content: str = "") -> None:
    run.path(stage).write_text(content or stage)
    before = STAGES[: STAGES.index(stage)][-1:]
    run.mark_done(stage, [stage], [name for name in before if run.path(name).exists()])


def state(run: RunDirectory) -> list[bool]:
    return [run.done(stage) for stage in STAGES]


def test_stage_is_done_once_it_is_marked(run):
    assert state(run) == [False] * 4
    finish(run, "generate")
    assert state(run) == [True, False, False, False]


def test_stage_is_done_in_the_next_process_too(tmp_path):
    for expected in (False, True):
        with RunDirectory(tmp_path / "out", command="judge", config={}) as run:
            assert run.done("generate") is expected
            finish(run, "generate")


@pytest.mark.parametrize(
    "spoil", [lambda p: p.write_text("edited"), Path.unlink, lambda p: p.write_text("")]
)
def test_stage_is_not_done_once_its_output_has_changed(run, spoil):
    finish(run, "generate")
    spoil(run.path("generate"))
    assert not run.done("generate")


def test_stage_is_not_done_once_its_input_has_changed(run):
    finish(run, "generate")
    finish(run, "judge")
    run.path("generate").write_text("edited")
    assert not run.done("judge")


def test_stage_may_read_files_from_elsewhere_and_write_below(run, tmp_path):
    (tmp_path / "responses.jsonl").write_text("x")
    run.path("samples").mkdir()
    run.path("samples/a.json").write_text("y")
    run.mark_done("judge", ["samples/a.json"], [str(tmp_path / "responses.jsonl")])
    assert run.done("judge")
    (tmp_path / "responses.jsonl").write_text("z")
    assert not run.done("judge")


def test_redoing_a_stage_redoes_those_after_it_and_keeps_their_files(run):
    for stage in STAGES:
        finish(run, stage)
    run.redo("judge")
    assert state(run) == [True, False, False, False]
    assert all(run.path(stage).exists() for stage in STAGES)


def test_redoing_what_was_never_done_changes_nothing(run):
    finish(run, "generate")
    run.redo("report")
    assert state(run) == [True, False, False, False]


def test_stage_repeated_with_the_same_result_keeps_those_after_it(run):
    for stage in STAGES:
        finish(run, stage)
    finish(run, "generate")
    assert state(run) == [True] * 4


def test_stage_repeated_with_another_result_takes_those_after_it_back(run):
    for stage in STAGES:
        run.path(stage).write_text(stage)
        run.mark_done(stage, [stage])  # no inputs named: the order of finishing has to do
    finish(run, "generate", "something else")
    assert state(run) == [True, False, False, False]


def test_marking_a_stage_without_its_file_is_one_line_and_marks_nothing(run):
    with pytest.raises(RunError, match="verdicts: cannot read the file: No such file"):
        run.mark_done("judge", ["verdicts"])
    assert not run.done("judge")


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"judge": 1}', b"\xff", b'{"judge": {"a": 1}}'])
def test_damaged_record_is_one_line_that_says_what_to_do(run, content):
    run.path("stages.json").write_bytes(content)
    with pytest.raises(
        RunError, match=r"stages\.json: the record of finished stages is damaged.*re"
    ):
        run.done("judge")


def test_record_is_readable(run):
    finish(run, "generate")
    finish(run, "judge")
    record = json.loads(run.path("stages.json").read_text())
    assert list(record) == ["generate", "judge"]
    assert record["judge"]["inputs"] == record["generate"]["outputs"]
