"""Several judges over files: the tables they make, what a fault costs, and how they are named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest
from judging_samples import config, make_rubric, write_files
from simserver.dialect import Dialect
from simserver.latent import LatentJudge
from simserver.server import SimServer, at_first

from rubricbench.cli import main
from rubricbench.errors import InputError
from rubricbench.judging.files import Job, grade_files
from rubricbench.judging.files.planned import plan_files
from rubricbench.judging.judges_file import read_judges
from rubricbench.judging.panel import replicates
from rubricbench.rows import rubric_to_row
from rubricbench.tables import schema

NOISY = LatentJudge(margin=2.0, noise=1.0)
N = 10  # responses: two to each of five prompts


class Runs:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.out, self._capsys = folder, folder / "out", capsys
        self.rubrics, self.responses = write_files(folder, N // 2)

    def __call__(self, *more: str, server: SimServer | None = None, out: str = "out") -> int:
        self.out = self.folder / out
        files = ["--rubrics", str(self.rubrics), "--responses", str(self.responses)]
        judge = ["--judge-base-url", server.base_url, "--judge-model", "m"] if server else []
        pace = ["--retries", "0"] if server else []
        with pytest.raises(SystemExit) as end:
            main(["judge", *files, *judge, *pace, "--out", str(self.out), "--json", *more])
        stdout, self.stderr = self._capsys.readouterr()
        self.summary = json.loads(stdout) if stdout else {}
        code = end.value.code
        assert isinstance(code, int)
        return code

    def rows(self, name: str) -> list[dict[str, Any]]:
        table = pq.read_table(self.out / f"{name}.parquet")
        assert table.schema == schema(name)
        return table.to_pylist()

    def judges(self, *servers: SimServer, **more: Any) -> str:
        path = self.folder / "judges.yaml"
        listed = [
            {"base_url": s.base_url, "model": f"m{i}", "retries": 0, **more}
            for i, s in enumerate(servers)
        ]
        path.write_text(json.dumps(listed))  # JSON is YAML
        return str(path)


@pytest.fixture
def runs(tmp_path, capsys):
    return Runs(tmp_path, capsys)


THREE = ["--replicates", "3", "--temperature", "1"]


def test_replicates_have_a_row_each_and_what_they_come_to_has_one(runs):
    with SimServer(judge=NOISY) as server:
        assert runs(*THREE, server=server) == 0
        assert server.requests == 3 * N
    verdicts, scores, votes = (runs.rows(name) for name in ("verdicts", "scores", "votes"))
    assert (len(verdicts), len(scores), len(votes)) == (3 * N * 3, N * 4, N * 3)
    by_voter = {}
    for row in verdicts:
        key = (row["response_id"], row["criterion_id"])
        by_voter.setdefault(key, {})[row["judge"], row["replicate"]] = row["status"] == "met"
    for row in votes:
        said = by_voter[row["response_id"], row["criterion_id"]]
        assert set(said) == {("m", 0), ("m", 1), ("m", 2)}
        assert (row["met"], row["unmet"], row["unknown"]) == (sum(said.values()), 3 - row["met"], 0)
        assert row["p_met"] == row["met"] / 3
    for start in range(0, len(scores), 4):
        *members, panel = scores[start : start + 4]
        assert [(row["judge"], row["replicate"]) for row in scores[start : start + 4]] == [
            *(("m", i) for i in range(3)),
            ("panel", None),
        ]
        assert panel["value"] == pytest.approx(sum(row["value"] for row in members) / 3)
        assert panel["spread"] is not None
        assert {row["spread"] for row in members} == {None}


def test_the_summary_sets_judges_beside_each_other(runs):
    with SimServer(judge=NOISY) as server:
        assert runs(*THREE, "--vote", "majority", server=server) == 0
    summary, votes = runs.summary, runs.rows("votes")
    assert summary["judge"] == "m x3"
    assert summary["answers"] == 3 * N
    assert summary["met"] == sum(row["status"] == "met" for row in votes)
    assert summary["panel"]["vote"] == "majority"
    assert {row["p_met"] for row in votes} == {None}
    split = sum(row["met"] in (1, 2) for row in votes) / len(votes)
    assert summary["panel"]["split"] == pytest.approx(split)
    assert len(summary["panel"]["pairs"]) == len(summary["by_judge"]) == 3
    panel = [row["value"] for row in runs.rows("scores") if row["judge"] == "panel"]
    assert summary["overall"]["mean"] == pytest.approx(sum(panel) / N)
    again = json.loads((runs.out / "summary.json").read_text())
    assert again.items() <= summary.items()


def test_a_run_again_pays_nothing_and_writes_the_same_bytes(runs):
    store = ["--store", str(runs.folder / "store.sqlite")]
    names = ("verdicts.parquet", "scores.parquet", "votes.parquet", "summary.json")
    found = []
    with SimServer(judge=NOISY) as server:
        for out in ("one", "two"):
            assert runs(*THREE, *store, server=server, out=out) == 0
            found.append([(runs.out / name).read_bytes() for name in names])
        assert server.requests == 3 * N
        assert runs("--temperature", "1", *store, server=server, out="three") == 0  # a member alone
        assert server.requests == 3 * N
    assert found[0] == found[1]


def test_another_vote_is_another_run(runs):
    with SimServer(judge=NOISY) as server:
        assert runs(*THREE, server=server) == 0
        assert runs(*THREE, "--vote", "majority", server=server) == 1
    assert "vote" in runs.stderr


def test_judges_of_a_file_grade_everything(runs):
    wrong = LatentJudge(sensitivity=0.0, specificity=0.0)
    with SimServer() as one, SimServer(judge=wrong) as other:
        assert runs("--judges", runs.judges(one, other)) == 0
        assert (one.requests, other.requests) == (N, N)
    assert {row["p_met"] for row in runs.rows("votes")} == {0.5}
    assert [m["judge"] for m in runs.summary["panel"]["members"]] == ["m0", "m1"]
    assert runs.summary["panel"]["pairs"][0]["agreement"] == 0.0
    assert runs.summary["judge"] == "m0, m1"


def test_each_judge_of_a_file_can_be_asked_several_times(runs):
    with SimServer(judge=NOISY) as one, SimServer(judge=NOISY) as other:
        judges = runs.judges(one, other, temperature=1.0)
        assert runs("--judges", judges, "--replicates", "2") == 0
        assert (one.requests, other.requests) == (2 * N, 2 * N)
    members = [(m["judge"], m["replicate"]) for m in runs.summary["panel"]["members"]]
    assert members == [("m0", 0), ("m0", 1), ("m1", 0), ("m1", 1)]


def test_one_judge_in_a_file_is_no_panel(runs):
    with SimServer() as server:
        assert runs("--judges", runs.judges(server)) == 0
    assert runs.summary["panel"] is None
    assert not (runs.out / "votes.parquet").exists()
    assert len(runs.rows("scores")) == N


def test_what_one_judge_lost_is_asked_again_though_the_vote_stood(runs):
    with SimServer() as well, SimServer(fault=at_first("500", 1)) as ill:
        judges = runs.judges(well, well, ill)
        assert runs("--judges", judges) == 1
        assert runs.summary["lost"] == N
        assert runs.summary["overall"]["coverage"] == 1.0  # two of three are more than half
        assert {row["unknown"] for row in runs.rows("votes")} == {1}
        asked = well.requests
        assert runs("--judges", judges) == 0
        assert well.requests == asked
    assert runs.summary["lost"] == 0
    assert {row["unknown"] for row in runs.rows("votes")} == {0}


def test_a_programs_verdict_stands_once_for_all_judges(runs):
    lines = [json.dumps(rubric_to_row(make_rubric(i, checked=True))) for i in range(N // 2)]
    runs.rubrics.write_text("\n".join(lines) + "\n")
    with SimServer(judge=NOISY) as server:
        assert runs(*THREE, server=server) == 0
    by = [row["judge"] for row in runs.rows("verdicts")]
    assert (by.count("check"), by.count("m")) == (N, 3 * 3 * N)
    assert len(runs.rows("votes")) == 4 * N


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--replicates", "3"], "replicates at temperature 0 all say the same"),
        (["--replicates", "1", "--temperature", "1"], "a whole number from 2 on, got 1"),
    ],
)
def test_replicates_that_are_none_are_refused_before_anything_is_asked(runs, options, message):
    with SimServer() as server:
        assert runs(*options, server=server) == 2
        assert server.requests == 0
    assert message in runs.stderr
    assert not runs.out.exists()


def test_replicates_of_nobody_and_judges_named_twice_are_refused(runs):
    assert runs(*THREE) == 2
    assert "there is no judge to ask several times" in runs.stderr
    with SimServer() as server:
        judges = runs.judges(server)
        assert runs("--judges", judges, server=server) == 2
        assert "--retries stands beside --judges" in runs.stderr
        path = Path(judges)
        path.write_text(json.dumps(json.loads(path.read_text()) * 2))
        assert runs("--judges", judges) == 2
        assert "m0 replicate 0 is in the panel twice" in runs.stderr
        assert server.requests == 0


JUDGE = "- base_url: http://127.0.0.1:1/v1\n  model: m\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a list of judges"),
        ("base_url: http://127.0.0.1:1/v1\nmodel: m\n", "not a list of judges"),
        ("[]", "not a list of judges"),
        ("- m", "judge 1: not a mapping of fields"),
        ("- [", "not YAML"),
        (JUDGE + "- base_url: http://127.0.0.1:1/v1\n", "judge 2: .*`model`"),
        (JUDGE + "  modle: m\n", "judge 1: .*`modle`.*fields: model, base_url"),
        (JUDGE + "  api_key: sk-1\n", "judge 1: a judge has no field 'api_key'.* api_key_env"),
        (JUDGE + "  temperature: 3\n", "judge 1: .*temperature must be a number from 0 to 2"),
        (JUDGE + "  temperature: warm\n", "judge 1: .*temperature"),
        (JUDGE + "  revision: 2025-04-01\n", "judge 1: .*revision"),
        (JUDGE + "  format: xml\n", "judge 1: unknown answer format 'xml'"),
        ("- base_url: nowhere\n  model: m\n", "judge 1: .*'nowhere'"),
        (JUDGE * 101, "101 judges, the limit is 100"),
    ],
)
def test_a_file_of_judges_that_cannot_be_used_is_one_clear_line(tmp_path, text, message):
    path = tmp_path / "judges.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        read_judges(path)
    assert str(caught.value).startswith(str(path))
    assert "sk-1" not in str(caught.value)


def test_a_file_of_judges_is_read(tmp_path):
    path = tmp_path / "judges.yaml"
    path.write_text(
        JUDGE + "  extra_body: {chat_template_kwargs: {enable_thinking: false}}\n" + JUDGE
    )
    first, second = read_judges(path)
    assert first.extra_body == {"chat_template_kwargs": {"enable_thinking": False}}
    assert (second.model, second.extra_body) == ("m", {})


def test_each_judge_has_a_plan_that_its_calls_keep_to(runs):
    with SimServer(judge=NOISY) as server:
        first, *further = replicates(config(server, temperature=1.0), 3)
        job = Job(
            responses=runs.responses,
            rubrics=str(runs.rubrics),
            out=runs.folder / "out",
            config=first,
            further=tuple(further),
        )
        assert [plan.calls for plan in plan_files(job, quiet=True)] == [N, N, N]
        grade_files(msgspec.structs.replace(job, further=()), quiet=True)
        assert server.requests == N
        assert [plan.calls for plan in plan_files(job, quiet=True)] == [0, N, N]


def test_soft_verdicts_are_written_with_their_captured_share(runs):
    judge = LatentJudge(margin=3.0)
    with SimServer(judge=judge, dialect=Dialect(captured=0.9)) as server:
        assert runs("--logprobs", "20", server=server) == 0
    rows = runs.rows("verdicts")
    assert all(0.0 < row["p_met"] < 1.0 for row in rows)
    assert [row["captured"] for row in rows] == pytest.approx([0.9] * len(rows))
    assert runs.summary["soft"] == len(rows)
    assert runs.summary["captured"] == pytest.approx(0.9)


class TestRemarks:
    """What an endpoint ignores is said once, and stands in the summary."""

    @pytest.mark.parametrize(
        ("dialect", "options", "remark"),
        [
            (Dialect(schema="ignored"), [], "does not enforce the JSON schema"),
            (Dialect(logprobs="ignored"), ["--logprobs", "5"], "does not send the log-prob"),
        ],
    )
    def test_they_come_once(self, runs, dialect, options, remark):
        with SimServer(dialect=dialect) as server:
            assert runs(*options, server=server) == 0
        assert runs.stderr.count(remark) == 1
        (found,) = runs.summary["remarks"]
        assert remark in found
        assert f"{N} of {N} answers" in found
        assert json.loads((runs.out / "summary.json").read_text())["remarks"] == [found]

    def test_there_are_none_where_the_endpoint_does_as_asked(self, runs):
        with SimServer(dialect=Dialect(schema="enforced")) as server:
            assert runs("--logprobs", "5", server=server) == 0
        assert runs.summary["remarks"] == []
