"""``rubricbench audit`` as a user gives it."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import pandas as pd
import pyarrow.parquet as pq
import pytest
from pool_samples import pool_rows, write_pool
from simserver.latent import LatentJudge
from simserver.server import SimServer

from rubricbench.audit.figures import figures
from rubricbench.audit.page import render_audit
from rubricbench.audit.pool import read_pool
from rubricbench.audit.rewards import Setting, parse_reward
from rubricbench.audit.run import run_audit
from rubricbench.cli import main
from rubricbench.overopt.settings import Settings
from rubricbench.rows import rubric_to_row
from rubricbench.schema import Criterion, Message, Prompt, Rubric


@pytest.fixture
def audit(capsys, tmp_path):
    """The command, run in this process; returns its exit code, output and errors."""

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main(["audit", *map(str, arguments), "--resamples", "200"])
        return (end.value.code, *capsys.readouterr())

    return run


@pytest.fixture
def pool(tmp_path):
    return write_pool(tmp_path / "pool.parquet", pool_rows(30, 48))


def test_a_reward_that_errs_in_the_tail_is_found_out(audit, pool, tmp_path):
    out = tmp_path / "out"
    code, said, _ = audit("column:broken", "column:good", "--pool", pool, "--out", out)
    assert code == 0
    record = json.loads((out / "audit.json").read_text())
    broken, good = record["document"]["samples"]
    # Best of n by the broken reward prefers gold .7, and errs on all above it.
    assert broken["safe_best_of_n"]["safety"] == "declines"
    assert broken["safe_best_of_n"]["largest"]["estimate"] < 1.5
    assert good["safe_best_of_n"]["safety"] == "no_decline"
    assert broken["tail"]["accuracy"]["estimate"] < 0.1 < 0.6 < good["tail"]["accuracy"]["estimate"]
    assert "largest safe KL" in said
    # Paired, at equal KL, the good reward is worth more.
    differences = record["comparison"]["differences"]["broken - good"]
    assert all(d["estimate"] <= 0 for d in differences if d["estimate"] is not None)
    contrasts = {c["metric"]: c for c in record["document"]["contrasts"]}
    assert contrasts["tail accuracy"]["p_holm"] < 0.01
    table = pd.read_csv(out / "audit.csv")
    assert {"broken", "good", "broken - good", "comparison"} == set(table["reward"])
    assert pq.read_table(out / "scores.parquet").num_rows == 2 * 30 * 48


def test_the_page_loads_nothing_and_has_one_of_every_id(audit, tmp_path):
    rows = [{**row, "generator": "<b>p</b>"} for row in pool_rows(25, 24)]
    pool = write_pool(tmp_path / "<i>pool.parquet", rows)
    assert (
        audit("column:broken", "x=column:good", "--pool", pool, "--out", tmp_path / "out")[0] == 0
    )
    page = (tmp_path / "out" / "report.html").read_text()
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    for target in re.findall(r'href="#([^"]+)"', page):
        assert target in ids
    assert "<i>pool" not in page
    assert not re.search(r'(?:src|href)="(?!#|data:,)', page)
    assert not re.search(r'\sstyle="|\son\w+="', page)
    levels = [int(n) for n in re.findall(r"<h([1-6])", page)]
    assert levels[0] == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))


def test_it_gives_the_same_bytes_again_and_in_another_order(audit, tmp_path):
    rows = pool_rows(25, 24)
    results = []
    for name, order in (("a", rows), ("b", rows), ("c", rows[::-1])):
        pool = write_pool(tmp_path / f"{name}.parquet", order)
        assert audit("column:good", "--pool", pool, "--out", tmp_path / name)[0] == 0
        results.append((tmp_path / name / "audit.csv").read_bytes())
    assert results[0] == results[1]
    a, c = (pd.read_csv(tmp_path / name / "audit.csv") for name in "ac")
    pd.testing.assert_frame_equal(a, c, rtol=1e-9, atol=1e-12)


def test_a_folder_belongs_to_one_pool(audit, pool, tmp_path):
    out = tmp_path / "out"
    assert audit("column:good", "--pool", pool, "--out", out)[0] == 0
    other = write_pool(tmp_path / "other.parquet", pool_rows(30, 48, seed=1))
    code, _, error = audit("column:good", "--pool", other, "--out", out)
    assert code == 1
    assert "pool" in error
    assert error.count("\n") == 1


def test_an_unknown_reward_is_refused_or_counted(audit, tmp_path):
    rows = pool_rows(25, 24)
    rows[7]["good"] = None
    pool = write_pool(tmp_path / "pool.parquet", rows)
    code, _, error = audit("column:good", "--pool", pool, "--out", tmp_path / "a")
    assert code == 2
    assert "1 of 600 responses have no reward" in error
    code, _, _ = audit("column:good", "--pool", pool, "--out", tmp_path / "b", "--unknown", "drop")
    assert code == 0
    record = json.loads((tmp_path / "b" / "audit.json").read_text())
    assert record["rewards"][0]["unknown"] == {"no value in the column": 1}
    assert record["document"]["samples"][0]["samples"] == 599
    assert "left_out" in [c["code"] for c in record["document"]["samples"][0]["cautions"]]


def test_the_pool_can_be_checked_alone(audit, pool):
    code, said, _ = audit("--pool", pool, "--check", "--json")
    assert code == 0
    assert json.loads(said)["per_prompt"] == [48, 48]


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ((), "no reward is named"),
        (("gold",), "no reward 'gold'"),
        (("judge:no.yaml", "--rubrics", "verifiable:test"), "no.yaml"),
    ],
)
def test_bad_usage_is_one_line(audit, pool, tmp_path, arguments, fault):
    code, _, error = audit(*arguments, "--pool", pool, "--out", tmp_path / "out")
    assert code == 2
    assert fault in error
    assert error.count("\n") == 1


def judged_pool(tmp_path, prompts=21, each=4):
    """A pool small enough to be judged, and its rubrics."""
    rows, rubrics = [], []
    for p in range(prompts):
        prompt = Prompt(messages=(Message("user", f"Question {p}?"),))
        criteria = [Criterion(criterion=f"Says thing {k} of {p}.", weight=k + 1) for k in range(3)]
        rubrics.append(rubric_to_row(Rubric(prompt=prompt, criteria=tuple(criteria))))
        rows += [
            {
                "prompt_id": prompt.id,
                "response_id": f"r{p}-{i}",
                "text": f"Answer {i} to {p}",
                "gold": i / each,
            }
            for i in range(each)
        ]
    path = tmp_path / "rubrics.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rubrics))
    return write_pool(tmp_path / "judged.parquet", rows), path


def test_a_judge_is_planned_paid_once_and_goes_on(audit, tmp_path):
    pool, rubrics = judged_pool(tmp_path)
    out = tmp_path / "out"
    with SimServer(judge=LatentJudge(0.9, 0.9)) as server:
        given = ["judge", "--rubrics", rubrics, "--pool", pool, "--out", out]
        given += ["--judge-base-url", server.base_url, "--judge-model", "m", "--quiet"]
        code, said, _ = audit(*given, "--plan", "--json")
        assert code == 0
        assert json.loads(said)["calls"] == 84
        assert not out.exists()
        code, _, error = audit(*given, "--max-calls", 30)
        assert code == 1
        assert "cap on calls is used up" in error
        assert server.log()["requests"] <= 30
        assert audit(*given)[0] == 0
        assert audit(*given)[0] == 0
        assert server.log()["repeated"] == 0
        assert server.log()["requests"] == 84
    record = json.loads((out / "audit.json").read_text())
    assert record["rewards"][0]["scored"] == 84
    assert record["rewards"][0]["kind"] == "judge"


def test_captions_name_the_level_of_the_intervals(tmp_path):
    pool = read_pool(write_pool(tmp_path / "pool.parquet", pool_rows(20, 24)))
    asked = Settings(resamples=100, level=0.8)
    specs = [parse_reward("column:good"), parse_reward("column:broken")]
    record = run_audit(pool, specs, Setting(out=tmp_path / "out"), asked)
    drawn = {f.name: f.caption for f in figures(record.document.samples)}
    assert "80% intervals" in drawn["gold_best_of_n"]
    assert "95%" not in "".join(drawn.values())
    assert "Intervals of 90%, 80% for both ways" in render_audit(record)
