"""A run directory holds one configuration, and says what differs when it is given another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rubricbench
from rubricbench.errors import InputError, RubricbenchError, RunError
from rubricbench.runs import RunDirectory

LOCK = ".rubricbench.lock"


def run(path: Path, command: str = "judge", **sections: Any) -> RunDirectory:
    return RunDirectory(path, command=command, **{"config": {"model": "m"}, **sections})


def enter(path: Path, **sections: Any) -> dict[str, Any]:
    with run(path, **sections) as directory:
        return directory.manifest


def test_manifest_is_readable_and_says_everything_that_decides_the_results(tmp_path: Path) -> None:
    enter(
        tmp_path / "out",
        config={"judge": {"model": "m", "temperature": 0.5}},
        data={"rubrics": "sha256:ab"},
        templates={"json": "cd"},
        seeds=(0, 1),
        versions={"lm_eval": "0.4.13"},
    )
    text = (tmp_path / "out" / "manifest.json").read_text()
    manifest = json.loads(text)
    created, environment = manifest.pop("created"), manifest.pop("environment")
    assert manifest == {
        "format": 1,
        "command": "judge",
        "rubricbench": rubricbench.__version__,
        "config": {"judge": {"model": "m", "temperature": 0.5}},
        "data": {"rubrics": "sha256:ab"},
        "templates": {"json": "cd"},
        "seeds": [0, 1],
        "versions": {"lm_eval": "0.4.13"},
    }
    assert len(created) == len("2026-01-02T03:04:05Z")
    assert environment["python"] == ".".join(map(str, sys.version_info[:3]))
    assert text.splitlines()[1].startswith('  "command"')  # sorted and indented


def test_same_configuration_may_continue(tmp_path: Path) -> None:
    first = enter(tmp_path / "out")
    (tmp_path / "out" / "x").write_text("kept")
    second = enter(tmp_path / "out")
    assert second["created"] == first["created"]
    assert (tmp_path / "out" / "x").read_text() == "kept"


def test_order_of_keys_does_not_matter(tmp_path: Path) -> None:
    enter(tmp_path / "out", config={"a": 1, "b": {"c": 2, "d": 3}})
    enter(tmp_path / "out", config={"b": {"d": 3, "c": 2}, "a": 1})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            {"config": {"judge": {"model": "a"}}},
            {"config": {"judge": {"model": "b"}}},
            'started with config.judge.model = "a", now it is "b"',
        ),
        (
            {"config": {"seed": 1}},
            {"config": {}},
            "started with config.seed = 1, now it is not given",
        ),
        ({"config": {}}, {"config": {"x": None}}, "started without config.x, now it is null"),
        (
            {"config": {"judge": {"t": 0}}},
            {"config": {"judge": 3}},
            'config.judge = {"t": 0}, now it is 3',
        ),
        ({"config": {"x": 1}}, {"config": {"x": True}}, "config.x = 1, now it is true"),
        ({"seeds": [0, 1]}, {"seeds": [0, 2]}, "seeds = [0, 1], now it is [0, 2]"),
        ({"data": {"q": "a"}}, {"data": {"q": "b"}}, 'data.q = "a", now it is "b"'),
        ({"templates": {"j": "a"}}, {"templates": {"j": "b"}}, "templates.j"),
        ({"versions": {"lm_eval": "1"}}, {"versions": {"lm_eval": "2"}}, "versions.lm_eval"),
        ({"command": "judge"}, {"command": "train"}, 'command = "judge", now it is "train"'),
        (
            {"config": {"a": 1, "b": 2, "c": 3}},
            {"config": {"a": 9, "b": 9, "c": 3}},
            "config.a = 1, now it is 9; also different: config.b;",
        ),
        ({"config": {"x": "y" * 500}}, {"config": {"x": "z"}}, 'y…, now it is "z"'),
    ],
)
def test_another_configuration_is_refused_with_key_and_both_values(
    tmp_path: Path, old: dict[str, Any], new: dict[str, Any], message: str
) -> None:
    enter(tmp_path / "out", **old)
    before = (tmp_path / "out" / "manifest.json").read_bytes()
    with pytest.raises(RunError) as caught:
        enter(tmp_path / "out", **new)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 400 + len(str(tmp_path))
    assert (tmp_path / "out" / "manifest.json").read_bytes() == before
    enter(tmp_path / "out", **old)  # and the refusal left no lock behind


def test_another_version_of_the_package_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(tmp_path / "out")
    monkeypatch.setattr(rubricbench, "__version__", "99.0")
    with pytest.raises(RunError, match=r'now it is "99\.0"'):
        enter(tmp_path / "out")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",)), max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(JSON)
def test_any_configuration_is_recorded_as_it_is_and_recognised_again(
    tmp_path_factory: pytest.TempPathFactory, value: Any
) -> None:
    folder = tmp_path_factory.mktemp("run") / "out"
    assert enter(folder, config={"value": value})["config"] == {"value": value}
    assert enter(folder, config={"value": value})["config"] == {"value": value}


DEEP: list[object] = []
DEEP.append(DEEP)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"judge": {"api_key": "x"}}, "config.judge: 'api_key' may not be part"),
        ({"JUDGE_API_KEY": "x"}, "config: 'JUDGE_API_KEY' may not be part"),
        ({"list": [{"apikey": "x"}]}, r"config\.list\[0\]: 'apikey'"),
        ({"judge": {"Authorization": "x"}}, "config.judge: 'Authorization'"),
        ({"url": "https://me:pw@host/v1"}, "config.url: a URL with a password"),
        ({"url": "https://host/v1?api_key=x"}, "config.url: a URL with a password"),
        ({"token": "x"}, "config: 'token' may not be part"),
        ({"headers": {"X-Team": "x"}}, "config: 'headers' may not be part"),
        ({"x\ud800": 1}, "config: half of a surrogate pair"),
        ({"x": 10**5_000}, "config: nested too deeply, or a number too long"),
        ({"x": DEEP}, "config: nested too deeply, or a number too long"),
        ({"x": float("nan")}, "config.x: cannot be written into a manifest: nan"),
        ({"x": float("inf")}, "config.x: cannot be written"),
        ({"x": {1, 2}}, "config.x: cannot be written"),
        ({"x": b"bytes"}, "config.x: cannot be written"),
        ({"x": [1, object()]}, r"config\.x\[1\]: cannot be written"),
        ({"x": {3: 4}}, "config.x: the name 3 is not text"),
        ({"x": "\ud800"}, "config.x: half of a surrogate pair"),
    ],
)
def test_what_may_not_be_written_down_is_refused_before_anything_is_made(
    tmp_path: Path, config: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        enter(tmp_path / "out", config=config)
    assert os.listdir(tmp_path) == []


def test_name_of_the_variable_that_holds_a_key_may_be_recorded(tmp_path: Path) -> None:
    config = {
        "api_key_env": "JUDGE_KEY",
        "max_tokens": 5,
        "url": "https://[bad@host",
        "path": tmp_path,
    }
    assert enter(tmp_path / "out", config=config)["config"]["path"] == str(tmp_path)


def test_folder_of_something_else_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(RunError, match=r"files that are no run's, such as 'thesis\.tex'"):
        enter(tmp_path)
    assert os.listdir(tmp_path) == ["thesis.tex"]


def test_manifest_of_something_else_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"name": "web app", "version": "1"}')
    with pytest.raises(RunError, match="this is not the manifest of a run"):
        enter(tmp_path)
    assert os.listdir(tmp_path) == ["manifest.json"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"format": 1', b"[" * 100_000])
def test_damaged_manifest_is_one_line(tmp_path: Path, content: bytes) -> None:
    enter(tmp_path / "out")
    (tmp_path / "out" / "manifest.json").write_bytes(content)
    with pytest.raises(RunError, match=r"manifest\.json: the manifest is damaged"):
        enter(tmp_path / "out")


def test_folder_whose_manifest_was_removed_is_refused(tmp_path: Path) -> None:
    enter(tmp_path / "out")
    (tmp_path / "out" / "verdicts.parquet").write_text("x")
    (tmp_path / "out" / "manifest.json").unlink()
    with pytest.raises(RunError, match="no run's, such as 'verdicts"):
        enter(tmp_path / "out")


def test_empty_folder_and_one_killed_before_its_manifest_are_fine(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / LOCK).write_text("pid 1")
    (tmp_path / "out" / ".manifest.json.1.0.partial").write_text("{")
    enter(tmp_path / "out")
    assert sorted(os.listdir(tmp_path / "out")) == [LOCK, "manifest.json"]


def test_leftovers_of_killed_writers_are_removed(tmp_path: Path) -> None:
    enter(tmp_path / "out")
    (tmp_path / "out" / "inner").mkdir()
    (tmp_path / "out" / "inner" / ".x.parquet.1.0.partial").write_text("half")
    (tmp_path / "out" / "inner" / "x.partial").write_text("named so by its owner")
    enter(tmp_path / "out")
    assert os.listdir(tmp_path / "out" / "inner") == ["x.partial"]


def test_file_in_place_of_the_folder_or_above_it(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(RunError, match="out: this is a file, not a folder"):
        enter(tmp_path / "out")
    with pytest.raises(RunError, match="cannot use the run directory: Not a directory"):
        enter(tmp_path / "out" / "below")


UNPRIVILEGED = """
import os, sys
from pathlib import Path
from rubricbench.errors import RunError
from rubricbench.runs import RunDirectory
folder = Path(sys.argv[1])
run = lambda: RunDirectory(folder, command="judge", config={})
if sys.argv[2] == "made before":
    with run(): pass
os.chmod(folder if folder.exists() else folder.parent, 0o555)
if os.geteuid() == 0:  # root may write anywhere
    os.setuid(65534)
try:
    with run(): pass
except RunError as error:
    print(error)
"""


@pytest.mark.parametrize("when", ["made before", "never made"])
def test_read_only_folder_is_one_line(when: str) -> None:
    with tempfile.TemporaryDirectory() as parent:  # pytest's own is closed to other users
        os.chmod(parent, 0o755)
        out = Path(parent) / "out"
        result = subprocess.run(
            [sys.executable, "-c", UNPRIVILEGED, str(out), when], capture_output=True, text=True
        )
        os.chmod(out if out.exists() else parent, 0o755)
    assert result.stderr == ""
    (line,) = result.stdout.splitlines()
    assert line.startswith(f"{out}: cannot ")
    assert "Permission denied" in line


def test_marking_a_stage_needs_the_run_to_be_entered(tmp_path: Path) -> None:
    directory = run(tmp_path / "out")
    for attempt in (lambda: directory.mark_done("judge", []), lambda: directory.redo("judge")):
        with pytest.raises(RunError, match="the run is not entered"):
            attempt()


def test_errors_of_runs_leave_with_exit_code_1_and_those_of_input_with_2() -> None:
    assert (RunError.exit_code, InputError.exit_code) == (1, 2)
    assert issubclass(RunError, RubricbenchError)


def test_folder_whose_name_is_too_long_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="File name too long"):
        enter(tmp_path / ("x" * 300))


def test_a_run_that_began_just_now_can_be_forgotten(tmp_path: Path) -> None:
    with run(tmp_path / "out") as directory:
        directory.path("store.db").write_bytes(b"")
        directory.forget(["store.*"])
    assert os.listdir(tmp_path / "out") == [LOCK]
    assert enter(tmp_path / "out", config={"model": "k"})["config"] == {"model": "k"}


def test_a_run_of_an_earlier_entry_is_not_forgotten(tmp_path: Path) -> None:
    enter(tmp_path / "out")
    with run(tmp_path / "out") as directory:
        directory.path("store.db").write_bytes(b"")
        directory.forget(["store.*"])
    assert sorted(os.listdir(tmp_path / "out")) == [LOCK, "manifest.json", "store.db"]
    with pytest.raises(RunError, match="model"):
        enter(tmp_path / "out", config={"model": "k"})
