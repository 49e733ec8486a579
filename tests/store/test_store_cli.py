"""``rubricbench store``: what it prints and the code it exits with."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest
from store_rows import completion, key_of, raw_key_of

from rubricbench.cli import main
from rubricbench.store import Store


@pytest.fixture
def run(capsys):
    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as done:
            main(["store", *map(str, arguments)])
        printed = capsys.readouterr()
        return int(done.value.code or 0), printed.out, printed.err

    return call


@pytest.fixture
def filled(path):
    with Store.open(path) as store:
        for i in range(4):
            store.put(
                completion(
                    i,
                    model="judge" if i else "",
                    usage={"prompt_tokens": 10, "completion_tokens": i},
                    created=100.0 + i,
                )
            )
    return path


def damage(path):
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("UPDATE completions SET text = ? WHERE key = ?", (b"forged", raw_key_of(1)))


def test_stats_add_up(run, filled):
    code, out, _ = run("stats", filled, "--json")
    found = json.loads(out)
    assert code == 0
    # tokens: 4 rows of 10; 0 + 1 + 2 + 3
    assert (found["completions"], found["prompt_tokens"], found["completion_tokens"]) == (4, 40, 6)
    assert found["by_model"]["judge"] == {
        "completions": 3,
        "prompt_tokens": 30,
        "completion_tokens": 6,
    }
    assert (found["first"], found["last"]) == (100.0, 103.0)
    assert found["bytes"] == filled.stat().st_size


def test_stats_for_people(run, filled):
    code, out, _ = run("stats", filled)
    assert code == 0
    assert "4 completions" in out
    assert "judge: 3 completions, 30 + 6 tokens" in out
    assert "(no name): 1 completions" in out
    assert "from 1970-01-01 00:01:40+00:00 to 1970-01-01 00:01:43+00:00" in out


def test_stats_of_an_empty_store(run, path):
    Store.open(path).close()
    code, out, _ = run("stats", path)
    assert code == 0
    assert out.startswith("0 completions")
    assert "from" not in out


def test_model_name_that_is_not_unicode_is_shown_escaped(run, path):
    with Store.open(path) as store:
        store.put(completion(1, model="half \ud800"))
    assert r"half \xed\xa0\x80: 1" in run("stats", path)[1]


def test_verify_of_a_sound_store(run, filled):
    assert run("verify", filled)[:2] == (0, "4 completions, all intact\n")
    code, out, _ = run("verify", filled, "--json")
    assert (code, json.loads(out)["ok"]) == (0, True)


def test_verify_names_what_is_damaged_and_exits_with_1(run, filled):
    damage(filled)
    code, out, _ = run("verify", filled)
    assert code == 1
    assert out == f"4 completions, NOT intact\n1 damaged: {key_of(1)}\n"
    code, out, _ = run("verify", filled, "--json")
    assert (code, json.loads(out)["damaged"]) == (1, [key_of(1)])


def test_export_and_import(run, filled, tmp_path):
    parquet, other = tmp_path / "s.parquet", tmp_path / "other.sqlite"
    assert run("export", filled, parquet)[:2] == (0, f"4 completions in {parquet}\n")
    assert run("import", other, parquet)[:2] == (0, "4 added, 0 there already\n")
    assert run("import", other, parquet)[:2] == (0, "0 added, 4 there already\n")


def test_import_reports_conflicts(run, filled, tmp_path):
    parquet, other = tmp_path / "s.parquet", tmp_path / "other.sqlite"
    run("export", filled, parquet)
    with Store.open(other) as store:
        for i in range(4):
            store.put(completion(i, "mine"))
    code, out, _ = run("import", other, parquet)
    assert code == 0
    assert out.startswith("0 added, 0 there already\n4 in conflict, the first answer stays: ")


def test_export_of_a_damaged_store_says_what_it_left_out(run, filled, tmp_path):
    damage(filled)
    code, out, _ = run("export", filled, tmp_path / "s.parquet")
    assert code == 1
    assert out.endswith(f"1 left out: {key_of(1)}\n")


def test_import_of_a_wrong_file_makes_no_store(run, tmp_path):
    other = tmp_path / "other.sqlite"
    code, out, err = run("import", other, tmp_path / "missing.parquet")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "missing.parquet" in err
    assert not other.exists()


@pytest.mark.parametrize("action", ["stats", "verify"])
def test_missing_store_is_one_line_and_exit_code_1(run, path, action):
    assert run(action, path) == (1, "", f"error: {path}: no such store; check the path\n")
