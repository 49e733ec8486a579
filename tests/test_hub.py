"""Loading: the source is chosen and never guessed, and rows read as rubrics."""

from __future__ import annotations

import shutil

import pytest

import rubricbench as rb
from rubricbench.errors import InputError
from rubricbench.hub import CANARY, available, embedded, load


def test_embedded_rows_read_as_rubrics():
    rows = load("verifiable", split="test")
    assert len(rows) == 500
    rubric = rb.Rubric.from_row(rows[0])
    assert rubric.prompt.canary == CANARY
    assert all(criterion.check for criterion in rubric.criteria)


def test_without_a_split_all_come_by_name():
    loaded = load("verifiable")
    assert {name: len(rows) for name, rows in loaded.items()} == {"train": 2000, "test": 500}


def test_streaming_gives_the_same_rows():
    first = next(iter(load("verifiable", split="test", streaming=True)))
    assert first == load("verifiable", split="test")[0]


def test_folder_of_ones_own(tmp_path):
    (tmp_path / "mine").mkdir()
    shutil.copy(embedded("verifiable") / "test.parquet", tmp_path / "mine" / "test.parquet")
    assert len(load("mine", split="test", source=tmp_path)) == 500
    assert list(load("mine", source=tmp_path)) == ["test"]
    with pytest.raises(InputError, match=r"no train\.parquet"):
        load("mine", split="train", source=tmp_path)


def test_damaged_file_is_one_clear_error(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "test.parquet").write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match="not a readable parquet file"):
        load("mine", split="test", source=tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "health"}, "not embedded in this version.*embedded: verifiable"),
        ({"name": "nonsense"}, "does not exist"),
        ({"name": "../verifiable"}, "does not exist"),
        ({"name": "verifiable", "split": "validation"}, "choose from train, test"),
        ({"name": "verifiable", "revision": "v1"}, "only the Hub has revisions"),
        ({"name": "mine", "source": "nowhere"}, "no such folder"),
    ],
)
def test_what_is_not_there_is_not_looked_for_elsewhere(arguments, message):
    with pytest.raises(InputError, match=message):
        load(**arguments)


def test_hub_needs_its_repository_named(monkeypatch):
    monkeypatch.delenv("RUBRICBENCH_REPO", raising=False)
    with pytest.raises(InputError, match="RUBRICBENCH_REPO is not set"):
        load("verifiable", source="hub")


def test_hub_that_does_not_answer_is_one_clear_error(monkeypatch, tmp_path):
    import subprocess
    import sys

    # HF_ENDPOINT is read at import, so the client needs a process of its own.
    code = "import rubricbench; rubricbench.load('verifiable', source='hub')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={
            "HF_ENDPOINT": "http://127.0.0.1:9",
            "HF_HOME": str(tmp_path),
            "RUBRICBENCH_REPO": "org/nothing",
            "PATH": "",
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "InputError: org/nothing: cannot load 'verifiable' from the Hub" in done.stderr


def test_available_lists_what_is_embedded():
    assert available() == ["verifiable"]
