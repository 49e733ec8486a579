"""Options do what they say in every figure; what they cannot find is said."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from overopt_worlds import run_table, sample_table

from rubricbench import cli
from rubricbench.errors import InputError
from rubricbench.metrics.result import walk
from rubricbench.metrics.samples import Samples
from rubricbench.overopt.analyse import analyse
from rubricbench.overopt.contrasts import sample_contrasts
from rubricbench.overopt.inputs import Request, gather
from rubricbench.overopt.settings import Settings
from rubricbench.overopt.study import study


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("options")
    run_table(falls={"rubric": 0.05, "bt": 0.3}, prompts=24).to_parquet(path / "runs.parquet")
    table = sample_table(prompts=24)
    table.to_parquet(path / "samples.parquet")
    table.assign(arm=[f"{'x' * 500}{i % 3}" for i in range(len(table))], proxy=0.5).to_parquet(
        path / "arms.parquet"
    )
    return path


def call(capsys, *line: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["overopt", *line])
    said = capsys.readouterr()
    return int(stopped.value.code or 0), said.out, said.err


def test_every_interval_has_the_level_that_was_asked_for(folder):
    """Best-of-n and the tilt share the error of a verdict: 80% for both is 90% for each."""
    settings = Settings(resamples=100, level=0.8)
    request = Request(
        paths=(str(folder / "runs.parquet"), str(folder / "samples.parquet")),
        proxies=("faithful", "hacked"),
    )
    document = analyse("report", gather(request, settings), settings)
    levels = {r.level for r in walk(document) if r.low is not None or r.high is not None}
    assert levels == {0.8, 0.9}
    (drifts, theory) = document.curves[0].drift, document.samples[0].theory
    assert {r.level for r in drifts if r.interval} == {0.8}
    assert {p.win.level for p in theory if p.win.interval} == {0.8}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("bon samples.parquet --proxy hacked --step 3", "no column step to find 3 in"),
        ("bon samples.parquet --proxy hacked --proxy hacked", "'hacked' is named twice"),
        ("plan arms.parquet --effect 1", "name one with --arm"),
        ("plan runs.parquet --effect 1 --arm bt", "name one with --step"),
    ],
)
def test_what_an_option_cannot_find_is_one_short_line(folder, monkeypatch, capsys, line, message):
    monkeypatch.chdir(folder)
    code, out, err = call(capsys, *line.split())
    assert (code, out) == (2, "")
    assert message in err
    assert len(err) < 400


def test_an_arm_in_runs_and_in_samples_is_told_apart(folder, tmp_path, capsys):
    runs, samples = (str(folder / f"{name}.parquet") for name in ("runs", "samples"))
    line = ["report", runs, samples, "--proxy", "hacked", "--resamples", "100"]
    code, out, _ = call(capsys, *line, "--out", str(tmp_path / "o"), "--figures", "none")
    assert code == 0
    said = [text.partition(":")[0] for text in out.splitlines() if not text.startswith(" ")]
    assert said[:3] == ["bt, trained", "rubric, trained", "hacked, on samples"]


def test_a_table_of_other_names_says_what_to_rename(tmp_path, capsys):
    file = tmp_path / "mine.csv"
    file.write_text("pid,reward,human\na,1,2\n")
    code, _, err = call(capsys, "bon", str(file), "--proxy", "reward", "--gold", "human")
    assert code == 2
    assert "call the one that tells prompts apart so; its columns are: pid, reward, human" in err


def test_a_pilot_of_one_checkpoint(tmp_path, capsys):
    run_table(falls={"bt": 0.3}, seeds=1, prompts=24).to_parquet(tmp_path / "run.parquet")
    line = ["plan", str(tmp_path / "run.parquet"), "--step", "0", "--effect", "1e-9"]
    code, out, _ = call(capsys, *line, "--samples", "2")
    assert code == 0
    assert "2 samples a prompt: more than 10,000,000 for an effect of 1e-09\n" in out + "\n"


def test_arms_on_different_prompts_have_curves_and_no_comparison(folder, tmp_path, capsys):
    table = pd.read_parquet(folder / "runs.parquet")
    other = table["arm"] == "bt"
    table.loc[other, "prompt_id"] = "q" + table.loc[other, "prompt_id"]
    file = tmp_path / "apart.parquet"
    table.to_parquet(file)
    settings = Settings(resamples=100)
    for command in ("curve", "report"):
        document = analyse(command, gather(Request(paths=(str(file),)), settings), settings)
        assert document.contrasts == ()
        for curve in document.curves:
            assert curve.peak.over_prompts.interval
            assert "share no prompt" in curve.auc.over_prompts.reason
    with pytest.raises(InputError, match="share no prompt"):
        analyse("compare", gather(Request(paths=(str(file),)), settings), settings)


def test_many_arms_are_compared_without_drawing_for_each_pair():
    """Thirty arms make 435 pairs of four figures: drawing 2,000 resamples for each took 30 s."""
    rng = np.random.default_rng(0)
    prompts = np.repeat([f"p{i}" for i in range(20)], 20)
    gold = rng.normal(size=400)
    arms = {f"arm {i}": Samples.of(prompts, gold + rng.normal(size=400), gold) for i in range(30)}
    start = time.process_time()
    found = sample_contrasts(arms, Settings())
    assert time.process_time() - start < 15
    assert len({(c.a, c.b) for c in found}) == 435


@pytest.mark.parametrize(
    ("gold", "prompts", "columns", "found", "words"),
    [
        ([0, 1, 2, 3, 4], 60, {}, "holds", "highest at the last checkpoint"),
        ([0, 1, 1, 1, 1], 60, {}, "holds", "no over-optimization is seen"),
        ([0, 0, 0, 0, 0], 60, {}, "at_risk", "gold is not seen to rise"),
        ([0, 0, 0, 0, 0], 60, {"gold": 1.0}, "unclear", "gold does not vary"),
        ([0, 1, 2, 3, 4], 3, {}, "unclear", "3 prompts are too few"),
        ([0, 2, 0, 0, 0], 60, {}, "over_optimized", "gold falls by step 20"),
    ],
)
def test_a_run_holds_only_where_gold_is_seen_to_rise(
    tmp_path, gold, prompts, columns, found, words
):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "step": np.repeat(np.arange(5), prompts) * 10,
            "prompt_id": np.tile([f"p{i}" for i in range(prompts)], 5),
            "gold": np.repeat(gold, prompts) + 0.2 * rng.normal(size=5 * prompts),
            "proxy": np.repeat(np.arange(5), prompts) + 0.2 * rng.normal(size=5 * prompts),
        }
    ).assign(**columns)
    table.to_parquet(tmp_path / "run.parquet")
    settings = Settings(resamples=100)
    inputs = gather(Request(paths=(str(tmp_path / "run.parquet"),)), settings)
    verdict = analyse("curve", inputs, settings).curves[0].verdict
    assert verdict.outcome.value == found
    assert words in verdict.headline


def test_a_run_without_its_initial_policy_says_so(folder, tmp_path, capsys):
    table = pd.read_parquet(folder / "runs.parquet")
    table[table["step"] > 0].to_parquet(tmp_path / "late.parquet")
    code, out, _ = call(capsys, "curve", str(tmp_path / "late.parquet"))
    assert code == 0
    assert out.count("Step 0, the initial policy, is missing") == 2
    assert "is missing" not in call(capsys, "curve", str(folder / "runs.parquet"))[1]


def test_a_fall_of_a_rare_gold_is_cautioned(tmp_path, capsys):
    """One success in a hundred: a fall is called too often, so the caution stands beside it."""
    ids = np.repeat([f"p{i}" for i in range(60)], 64)
    for key in range(40):
        rng = np.random.default_rng(key)
        gold = (rng.random(len(ids)) < 0.01).astype(float)
        table = pd.DataFrame({"prompt_id": ids, "proxy": rng.normal(size=len(ids)), "gold": gold})
        found = study("rare", Samples.of(ids, table["proxy"], table["gold"]), Settings())
        if found.verdict.outcome.value == "over_optimized":
            break
    else:
        pytest.fail("no fall in forty draws")
    table.to_parquet(tmp_path / "rare.parquet")
    code, out, _ = call(capsys, "bon", str(tmp_path / "rare.parquet"))
    assert code == 0
    assert "Caution: a decline may be called more often than it should be" in out
