"""``rubricbench analyze rewards`` and ``analyze rubric`` as a user gives them."""

from __future__ import annotations

import json
import re

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pool_samples import pool_rows, write_pool
from simserver.latent import LatentJudge
from simserver.server import SimServer

from rubricbench.analyze.probes import probe_pool, probes
from rubricbench.audit.pool import read_pool
from rubricbench.cli import main
from rubricbench.judging.attacks import families
from rubricbench.rows import rubric_to_row
from rubricbench.schema import Criterion, Message, Prompt, Rubric


@pytest.fixture
def analyze(capsys):
    """The command, run in this process; returns its exit code, output and errors."""

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main(["analyze", *map(str, arguments)])
        return (end.value.code, *capsys.readouterr())

    return run


@pytest.fixture
def module(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    name = f"hackable_{abs(hash(tmp_path))}"
    (tmp_path / f"{name}.py").write_text(
        "def long(prompts, responses):\n    return [float(len(r)) for r in responses]\n"
    )
    return name


def well_formed(page: str) -> None:
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)
    assert not re.search(r'\sstyle="|\son\w+="|<script src', page)


def test_a_reward_of_length_is_found_out(analyze, module, tmp_path):
    pool = write_pool(tmp_path / "pool.parquet", pool_rows(22, 12))
    out = tmp_path / "out"
    given = (f"python:{module}:long", "column:good", "--pool", pool, "--out", out)
    code, said, _ = analyze("rewards", *given, "--probes", 21, "--resamples", 200)
    assert code == 0
    record = json.loads((out / "rewards.json").read_text())
    long, good = record["rewards"]
    by_feature = {e["feature"]: e for e in long["features"]}
    assert by_feature["words"]["reward"]["estimate"] > 0.9
    nulls = {n["name"]: n["quantile"]["estimate"] for n in long["nulls"]}
    assert nulls["empty"] == 0
    attacks = {u["family"]: u["uplift"]["estimate"] for u in long["attacks"]}
    assert set(attacks) == set(families())
    assert attacks["long run"] > 0
    assert all(u["uplift"]["low"] > 0 for u in long["appended"])
    assert "these texts raise it" in said
    # A column cannot be asked about new texts.
    assert good["nulls"] == good["attacks"] == []
    assert good["probed"] == 0
    table = pd.read_csv(out / "rewards.csv")
    assert set(table["reward"]) == {"long", "good"}
    well_formed((out / "report.html").read_text())


def test_probes_do_not_depend_on_the_order_of_rows(tmp_path):
    rows = pool_rows(5, 4)
    one = read_pool(write_pool(tmp_path / "a.parquet", rows))
    other = read_pool(write_pool(tmp_path / "b.parquet", rows[::-1]))
    a, b = (probes(pool, prompts=3) for pool in (one, other))
    assert [p.text for p in a] == [p.text for p in b]
    assert len({one.prompt_ids[p.row] for p in a}) == 3
    asked = probe_pool(one, a)
    assert len(asked) == len(a) == 3 * (4 + len(families()) + 3)
    assert len(set(asked.response_ids)) == len(a)
    assert not any("\0" in text for text in asked.texts)


def judged(tmp_path, prompts=20, each=10):
    """Rubrics of three recurring criteria, and a pool."""
    rubrics, rows = [], []
    for p in range(prompts):
        prompt = Prompt(messages=(Message("user", f"Question {p}?"),))
        criteria = [
            Criterion(criterion=f"Says thing {k}.", weight=w, tags=(f"axis:{k % 2}",), id=f"k{k}")
            for k, w in enumerate((3, 2, -1))
        ]
        rubrics.append(Rubric(prompt=prompt, criteria=tuple(criteria)))
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
    path.write_text("".join(json.dumps(rubric_to_row(r)) + "\n" for r in rubrics))
    return write_pool(tmp_path / "pool.parquet", rows), path, rubrics


def verdict_rows(rubrics, rows):
    """The first criterion is met where gold is high, the second always, the penalty by chance."""
    by_prompt = {r.prompt_id: r for r in rubrics}
    found = []
    for i, row in enumerate(rows):
        for c in by_prompt[row["prompt_id"]].criteria:
            met = {"k0": row["gold"] >= 0.5, "k1": True, "k2": i * 7 % 3 == 0}[c.id]
            found.append(
                {
                    "prompt_id": row["prompt_id"],
                    "response_id": row["response_id"],
                    "criterion_id": c.id,
                    "status": "met" if met else "unmet",
                    "judge": "m",
                    "replicate": 0,
                }
            )
    return found


def write_verdicts(path, rows):
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def test_a_rubric_is_taken_apart(analyze, tmp_path):
    pool, path, rubrics = judged(tmp_path)
    rows = verdict_rows(rubrics, pq.read_table(pool).to_pylist())
    verdicts = write_verdicts(tmp_path / "verdicts.parquet", rows)
    out = tmp_path / "out"
    given = ("--rubrics", path, "--verdicts", verdicts, "--gold", pool, "--out", out)
    code, said, _ = analyze("rubric", *given, "--resamples", 200)
    assert code == 0
    record = json.loads((out / "rubric.json").read_text())
    assert record["by"] == "id"
    groups = {
        g["name"]: {k: v["estimate"] for k, v in g["figures"].items()} for g in record["groups"]
    }
    assert groups["k0"]["weight_share"] == pytest.approx(3 / 6)
    assert groups["k0"]["met"] == pytest.approx(0.5)
    assert groups["k0"]["discrimination"] == pytest.approx(1)
    assert groups["k1"]["saturated"] == 1
    assert groups["k1"]["item_gold"] is None
    assert groups["k0"]["adds_spearman"] > 0.5 > abs(groups["k1"]["adds_spearman"])
    assert [g["name"] for g in record["groups"]] == ["k0", "k1", "k2"]  # by weight
    assert {(p["a"], p["b"]) for p in record["pairs"]} == {("k0", "k2")}
    assert "effective number" in said.lower()
    well_formed((out / "report.html").read_text())
    assert set(pd.read_csv(out / "rubric.csv")["rubric"]) == {"(all)", "k0", "k1", "k2"}
    # By tag: the first and third criterion together.
    given = (*given[:-1], tmp_path / "tags", "--by", "axis")
    assert analyze("rubric", *given, "--resamples", 200)[0] == 0
    record = json.loads((tmp_path / "tags" / "rubric.json").read_text())
    tags = {g["name"]: g for g in record["groups"]}
    assert tags["axis:0"]["figures"]["weight_share"]["estimate"] == pytest.approx(4 / 6)
    assert tags["axis:0"]["criteria"] == 40


def test_the_run_of_a_judge_can_be_analyzed(analyze, tmp_path):
    pool, path, _ = judged(tmp_path, prompts=4, each=6)
    given = ["--responses", pool, "--rubrics", path, "--out", tmp_path / "run"]
    with SimServer(judge=LatentJudge()) as server:
        given += ["--judge-base-url", server.base_url, "--judge-model", "m", "--quiet"]
        with pytest.raises(SystemExit) as end:
            main(["judge", *map(str, given)])
    assert end.value.code == 0
    given = ("--rubrics", path, "--verdicts", tmp_path / "run", "--out", tmp_path / "out")
    code, said, _ = analyze("rubric", *given, "--resamples", 200, "--json")
    assert code == 0
    record = json.loads(said)
    assert record["has_gold"] is False
    assert record["responses"] == 24


def test_a_judge_is_planned_with_its_probes_and_not_paid_twice(analyze, tmp_path):
    pool, path, _ = judged(tmp_path, prompts=3, each=4)
    given = ["rewards", "judge", "--rubrics", path, "--pool", pool, "--out", tmp_path / "out"]
    given += ["--probes", 2, "--resamples", 200, "--quiet"]
    with SimServer(judge=LatentJudge(0.9, 0.9)) as server:
        given += ["--judge-base-url", server.base_url, "--judge-model", "m"]
        code, said, _ = analyze(*given, "--plan", "--json")
        assert code == 0
        # 12 responses; 2 prompts with 3 null texts (the pool does not say what was asked, so there
        # is no echo), an attack of every family and 3 claims.
        assert json.loads(said)["calls"] == 12 + 2 * (3 + len(families()) + 3)
        assert analyze(*given)[0] == 0
        asked = server.requests
        assert analyze(*given)[0] == 0
        assert server.requests == asked
    record = json.loads((tmp_path / "out" / "rewards.json").read_text())
    assert record["rewards"][0]["probed"] == 2


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda rows: [*rows, rows[0]], "two verdicts on criterion k0"),
        (lambda rows: [{**rows[0], "criterion_id": "other"}], "has no criterion other"),
        (lambda rows: [{**rows[0], "prompt_id": "p_none"}], "no rubric of prompt"),
        (lambda rows: [{**rows[0], "status": "perhaps"}], "a verdict is 'perhaps'"),
        (lambda rows: [rows[0], {**rows[1], "judge": "other"}], "verdicts of several: judge"),
        (lambda rows: [{"prompt_id": "p"}], "no column 'response_id'"),
        (lambda rows: [{**rows[0], "response_id": "none"}], "no response has verdicts and gold"),
    ],
)
def test_verdicts_that_do_not_fit_are_one_line(analyze, tmp_path, change, fault):
    pool, path, rubrics = judged(tmp_path, prompts=2, each=3)
    rows = verdict_rows(rubrics, pq.read_table(pool).to_pylist())
    verdicts = write_verdicts(tmp_path / "verdicts.parquet", change(rows))
    given = ("--rubrics", path, "--verdicts", verdicts, "--gold", pool, "--out", tmp_path / "out")
    code, _, error = analyze("rubric", *given)
    assert code == 2
    assert fault in error
    assert error.count("\n") == 1


def test_other_bad_usage_is_one_line(analyze, tmp_path):
    pool, path, rubrics = judged(tmp_path, prompts=2, each=3)
    rows = verdict_rows(rubrics, pq.read_table(pool).to_pylist())
    verdicts = write_verdicts(tmp_path / "verdicts.parquet", rows)
    given = ("--rubrics", path, "--verdicts", verdicts, "--out", tmp_path / "out")
    for more, fault in [
        (("--by", "family"), "prefixes there are: axis"),
        (("--judge", "other"), "there are: m"),
        (("--strategy", "best"), "unknown aggregation"),
        (("--gold", tmp_path / "none.parquet"), "no such file"),
        (("--gold", pool, "--gold-column", "value"), "no column 'value'"),
    ]:
        code, _, error = analyze("rubric", *given, *more)
        assert code == 2
        assert fault in error
        assert error.count("\n") == 1
    code, _, error = analyze("rewards", "--pool", pool, "--out", tmp_path / "out")
    assert code == 2
    assert "no reward is named" in error
