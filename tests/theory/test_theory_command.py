"""``rubricbench theory``: the table, the figures, the prediction, and bad input."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pandas as pd
import pytest
from theory_worlds import MAP

from rubricbench.cli import main
from rubricbench.theory import theorem
from rubricbench.theory.maps import top_wrong


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(["theory", *arguments])
    said = capsys.readouterr()
    return int(stopped.value.code or 0), said.out, said.err


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    samples = MAP.samples(0, 30, 100)
    file = tmp_path / "scores.parquet"
    ids = samples.prompts[samples.of_prompt]
    pd.DataFrame({"prompt_id": ids, "reward": samples.proxy, "gold": samples.gold}).to_parquet(file)
    return file


def test_the_table_for_people_and_for_machines(capsys):
    code, out, _ = run(capsys)
    assert code == 0
    for figure in ("0.7975", "0.1354", "0.9780"):  # top 25% at KL 2, reversed at 1, worst 90% at 3
        assert figure in out
    _, out, _ = run(capsys, "--json", "--kl", "1,2", "--map", "top-25", "--map", "reversed")
    found = json.loads(out)
    assert found["maps"] == ["top 25% wrong", "reversed"]
    assert found["at"] == [1, 2]
    cell = found["rows"][1][0]
    assert cell["win_rate"]["estimate"] == theorem.win_rate(top_wrong(0.25), cell["beta"])
    assert cell["win_rate"]["method"] == "exact"


def test_temperatures_in_place_of_kls(capsys):
    _, out, _ = run(capsys, "--json", "--beta", "0.0001,0.1")
    found = json.loads(out)
    assert found["by"] == "beta"
    assert found["rows"][0][0]["kl"]["estimate"] == theorem.kl(0.0001)


def test_the_initial_policy_is_strict_json(capsys):
    def refuse(word: str) -> None:
        raise AssertionError(word)

    _, out, _ = run(capsys, "--json", "--kl", "0,1")
    found = json.loads(out, parse_constant=refuse)
    assert found["rows"][0][0]["beta"] is None
    assert found["rows"][0][0]["win_rate"]["estimate"] == 0.5


def test_a_map_of_ones_own_that_changes_the_distribution(capsys, tmp_path, monkeypatch):
    (tmp_path / "own_map_of_theory.py").write_text("def capped(r):\n    return r.clip(0, 0.5)\n")
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(capsys, "--map", "own_map_of_theory:capped", "--kl", "0.1,1")
    assert code == 0
    assert "changes the distribution" in out
    assert "the KL ends at 0.6931" in out  # half of it ties at the top: log 2


def test_a_map_that_prints_leaves_one_json_document(capfd, tmp_path, monkeypatch):
    source = "def square(r):\n    print('called')\n    return r**2\n"
    (tmp_path / "noisy_map_of_theory.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capfd, "--map", "noisy_map_of_theory:square", "--kl", "1", "--json")
    assert code == 0
    assert json.loads(out)["maps"] == ["noisy_map_of_theory:square"]
    assert "called" in err


def test_figures_in_a_folder_and_beside_each_other(capsys, tmp_path):
    code, _, _ = run(capsys, "--plot", str(tmp_path / "figures"), "--map", "top-10")
    assert code == 0
    names = sorted(p.name for p in (tmp_path / "figures").iterdir())
    assert names == [f"figure_2{x}.{s}" for x in "ab" for s in ("csv", "png", "svg")]
    with (tmp_path / "figures" / "figure_2a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {r["series"] for r in rows} >= {"correct", "reversed", "top 10% wrong"}
    run(capsys, "--plot", str(tmp_path / "Paper Fig.svg"))
    assert {p.name for p in tmp_path.glob("*.svg")} == {
        "paper_fig_figure_2a.svg",
        "paper_fig_figure_2b.svg",
    }


def test_the_prediction_for_scores(capsys, scores, tmp_path):
    arguments = ["--from", str(scores), "--proxy", "reward", "--resamples", "100"]
    code, out, _ = run(capsys, *arguments, "--kl", "0.5,3")
    assert code == 0
    assert "30 prompts, 100 samples each" in out
    assert "effective sample size" in out  # KL 3 needs 546 samples
    _, out, _ = run(capsys, *arguments, "--kl", "2,3,4")
    assert out.count("(-)") <= 2  # of each column the first, not one a cell
    _, out, _ = run(capsys, *arguments, "--kl", "0.5", "--json", "--plot", str(tmp_path / "p.csv"))
    found = json.loads(out)
    win = found["at"][0]["win_rate"]
    assert [p["kl"] for p in found["at"]] == [0.5]
    assert win["low"] < 0.7462 < win["high"]  # Theorem 1, top 25% wrong
    assert win["n"] == 30
    assert len(found["files"]) == 4
    for file in found["files"]:
        assert Path(file).stat().st_size > 0


def test_the_level_is_that_of_every_interval(capsys, scores):
    wide, narrow = (
        json.loads(run(capsys, "--from", str(scores), "--proxy", "reward", "--json", *extra)[1])
        for extra in ([], ["--level", "0.8"])
    )
    for at in (lambda d: d["at"][0]["win_rate"], lambda d: d["tail_error"][0]["error"]):
        assert (at(wide)["level"], at(narrow)["level"]) == (0.95, 0.8)
        assert at(narrow)["high"] - at(narrow)["low"] < at(wide)["high"] - at(wide)["low"]


def test_one_checkpoint_of_several_is_named(capsys, scores):
    table = pd.read_parquet(scores)
    both = pd.concat([table.assign(step=0), table.assign(step=10, gold=-table["gold"])])
    both.to_parquet(scores)
    arguments = ["--from", str(scores), "--proxy", "reward", "--kl", "0.1"]
    code, _, err = run(capsys, *arguments)
    assert code == 2
    assert "--step" in err
    code, out, _ = run(capsys, *arguments, "--step", "0")
    assert code == 0
    assert "100 samples each" in out


def test_unknown_rewards_are_refused_or_counted(capsys, scores):
    table = pd.read_parquet(scores)
    table.loc[3, "gold"] = None
    table.to_parquet(scores)
    arguments = ["--from", str(scores), "--proxy", "reward", "--kl", "0.1"]
    code, _, err = run(capsys, *arguments)
    assert code == 2
    assert "--unknown drop" in err
    code, out, _ = run(capsys, *arguments, "--unknown", "drop")
    assert code == 0
    assert "1 sample" in out


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--kl", "-1"], "KL"),
        (["--kl", "many"], "numbers"),
        (["--beta", "0"], "beta"),
        (["--beta", "inf"], "--kl 0"),
        (["--kl", "nan"], "KL"),
        (["--map", "nonsense"], "no map"),
        (["--kl", "1", "--beta", "1"], "both"),
        (["--from", "gone.parquet"], "gone.parquet"),
        (["--from", "gone.parquet", "--map", "identity"], "--map"),
        (["--from", "gone.parquet", "--resamples", "1"], "resamples"),
        (["--from", "gone.parquet", "--level", "95"], "level"),
        (["--plot", "figure.pdf"], ".svg"),
    ],
)
def test_bad_input_is_one_line(capsys, arguments, word):
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert word in err
