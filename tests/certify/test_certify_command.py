"""``rubricbench certify`` against a judge whose error rates are set."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest
from label_samples import labelled, write_labels
from simserver.latent import LatentJudge
from simserver.server import SimServer, always

from rubricbench.certify.certificate import Certificate
from rubricbench.certify.pairs import SCHEMA
from rubricbench.judging.config import JudgeConfig


class Certifying:
    """The command on labels of the simulator's truth."""

    def __init__(self, command, folder: Path) -> None:
        self.run = command
        self.folder = folder
        self.labels = write_labels(folder / "labels.jsonl", labelled(40))
        self.out = folder / "out"

    def __call__(self, server, *more: object) -> int:
        judge = ("--judge-base-url", server.base_url, "--judge-model", "m", "--retries", "0")
        return self.run(
            *("certify", "--labels", self.labels, "--out", self.out, *judge, "--quiet", *more)
        )

    def certificate(self) -> Certificate:
        return msgspec.json.decode((self.out / "certificate.json").read_bytes(), type=Certificate)

    def bytes(self) -> list[bytes]:
        names = ("certificate.json", "verdict_pairs.parquet", "report.html")
        return [(self.out / name).read_bytes() for name in names]


@pytest.fixture
def certify(command, tmp_path: Path) -> Certifying:
    return Certifying(command, tmp_path)


def covers(measure, truth: float) -> bool:
    low, high = measure.interval
    return low <= truth <= high


def test_it_finds_the_error_rates_of_the_judge(certify):
    with SimServer(judge=LatentJudge(0.8, 0.9)) as server:
        assert certify(server, "--judge-revision", "7") == 0
        # 80 responses, all criteria in one call, asked twice.
        assert server.log()["requests"] == 160
    (found,) = certify.certificate().variants
    # Drawn once for good, by hashes of the texts: 95% intervals, none of them by chance aside.
    assert covers(found.agreement["sensitivity"], 0.8)
    assert covers(found.agreement["specificity"], 0.9)
    assert covers(found.agreement["balanced_accuracy"], 0.85)
    assert found.flips.value == 0
    assert found.unknown.value == 0
    assert found.verdicts == 2 * 80 * 5
    assert found.asked.judge == "m@7"
    assert found.asked.variant == "json:all:rubric_first"
    assert found.asked.answers == 160
    assert found.asked.tokens["prompt_tokens"] > 0
    assert "sensitivity 0.8" in certify.run.stdout


def test_the_judged_scores_are_biased_and_corrected_ones_are_not(certify):
    # All criteria are met half the time; with se .8 and fp .1 the judge finds .45 of them met: too
    # few, by .05 of a mean weight of (3 + 2 + 1 + 2 - 2)/8 = .75.
    certify.labels = write_labels(certify.folder / "many.jsonl", labelled(150))
    with SimServer(judge=LatentJudge(0.8, 0.9)) as server:
        assert certify(server, "--replicates", 1) == 0
    (found,) = certify.certificate().variants
    assert covers(found.scores.bias, -0.05 * 0.75)
    for check in found.corrections:
        assert covers(check.corrected, check.reference.value)


def test_variants_are_certified_side_by_side(certify):
    variants = ("compact:all:rubric_first", "json:1", "reasoned:3:response_first", "paper")
    options = [o for v in variants for o in ("--variant", v)]
    with SimServer() as server:
        assert certify(server, "--replicates", 1, *options) == 0
        # One call, one by one, three and two of five, one call.
        assert server.log()["requests"] == 80 * (1 + 5 + 2 + 1)
    found = certify.certificate().variants
    names = ["compact:all:rubric_first", "json:1:response_first", "reasoned:3:response_first",
             "paper:all:paper"]  # fmt: skip
    assert [v.asked.variant for v in found] == names
    assert len({v.asked.template_hash for v in found}) == 4
    assert all(v.agreement["kappa"].value == 1 for v in found)
    rows = pq.read_table(certify.out / "verdict_pairs.parquet").to_pylist()
    places = {(r["variant"], r["position"], r["listed"]) for r in rows}
    assert {p[1:] for p in places if p[0] == names[2]} == {(0, 3), (1, 3), (2, 3), (0, 2), (1, 2)}
    assert {p[1:] for p in places if p[0] == names[1]} == {(0, 1)}


def test_repeated_gradings_of_a_warm_judge_flip(certify):
    judge = LatentJudge(0.9, 0.9, noise=1.0, margin=4.0)
    with SimServer(judge=judge) as server:
        assert certify(server, "--temperature", 0.5) == 0
    (found,) = certify.certificate().variants
    assert covers(found.flips, judge.flips(0.5))
    # Its verdict is wrong where it erred and was not disturbed, or did not err and was: by hand,
    # se = .9(1 - d) + .1d.
    d = judge.disturbed(0.5)
    assert covers(found.agreement["sensitivity"], 0.9 * (1 - d) + 0.1 * d)


def test_soft_verdicts_have_a_reliability(certify):
    with SimServer(judge=LatentJudge(0.9, 0.9)) as server:
        assert certify(server, "--replicates", 1, "--logprobs", 5) == 0
    reliability = certify.certificate().variants[0].reliability
    assert reliability.items == 80 * 5
    # The simulator's certainty says nothing of its being right: 90% are, whatever it states.
    assert reliability.error > 0.05
    assert "Reliability of soft verdicts" in (certify.out / "report.html").read_text()


def test_it_is_paid_once_and_the_bytes_do_not_depend_on_how_it_went(certify):
    # A third of what is asked for the first time fails; the second grading gets its answers.
    def some(call):
        return "500" if call.attempt == 1 and call.number % 3 == 0 else ""

    with SimServer(fault=some) as server:
        assert certify(server) == 1
        lost = server.log()["replies"]["500"]
        assert lost >= 20
        assert f"{lost} gradings lost verdicts to the service (server_error:" in certify.run.stderr
        assert "rubricbench certify --labels" in certify.run.stderr
        found = certify.certificate().variants[0]
        assert found.causes == {"server_error": 5 * lost}
        assert found.unknown.value == pytest.approx(lost / 160)
        assert found.agreement["kappa"].value == 1
        assert certify(server) == 0
        assert server.log()["answered"] == 160
        broken = certify.bytes()
        assert certify(server) == 0
        assert server.log()["answered"] == 160
    certify.out = certify.folder / "again"
    with SimServer() as server:
        assert certify(server) == 0
    assert certify.bytes() == broken


def test_stored_pairs_are_certified_without_a_call(certify, tmp_path):
    with SimServer(judge=LatentJudge(0.8, 0.9)) as server:
        assert certify(server) == 0
    pairs = certify.out / "verdict_pairs.parquet"
    assert pq.read_schema(pairs).names == SCHEMA.names
    assert certify.run("certify", "--verdicts", pairs, "--out", tmp_path / "stored") == 0
    stored = (tmp_path / "stored" / "certificate.json").read_bytes()
    assert stored == (certify.out / "certificate.json").read_bytes()


def test_a_judge_that_refuses_everything_is_unknown_not_wrong(certify):
    with SimServer(fault=always("refusal")) as server:
        assert certify(server, "--replicates", 1) == 0
    (found,) = certify.certificate().variants
    assert found.unknown.value == 1
    assert found.causes == {"refusal": 400}
    assert found.agreement["sensitivity"].value is None
    assert found.scores.without_value == 80


def test_a_plan_says_what_it_costs_and_sends_nothing(certify):
    with SimServer() as server:
        assert certify(server, "--plan", "--json", "--variant", "json:1", "--variant", "json") == 0
        plan = json.loads(certify.run.stdout)
        assert plan["calls"] == 2 * 80 * (5 + 1)
        assert server.log()["requests"] == 0
    assert not certify.out.exists()


def test_a_cap_stops_it_and_it_goes_on(certify):
    with SimServer() as server:
        assert certify(server, "--max-calls", 100) == 1
        assert "--max-calls is used up (100 calls" in certify.run.stderr
        assert certify(server) == 0
        assert server.log()["answered"] == 160
    assert certify.certificate().variants[0].unknown.value == 0


def test_only_so_many_labels_are_taken(certify):
    with SimServer() as server:
        assert certify(server, "--limit", 5, "--replicates", 1) == 0
        assert server.log()["requests"] == 5
    assert certify.certificate().source.responses == 5


def test_a_run_directory_holds_one_certification(certify):
    with SimServer() as server:
        assert certify(server, "--limit", 2) == 0
        assert certify(server, "--limit", 3) == 1
    assert "limit" in certify.run.stderr


def test_json_holds_the_whole_certificate(certify):
    with SimServer() as server:
        assert certify(server, "--limit", 4, "--json") == 0
    document = json.loads(certify.run.stdout)
    assert document["certificate"] == json.loads((certify.out / "certificate.json").read_bytes())
    assert (document["lost"], document["used_up"]) == (0, "")


BAD = {
    "neither labels nor verdicts": ([], "give --labels or --verdicts"),
    "no judge": (["--labels", "LABELS"], "no judge is named"),
    "half a judge": (["--labels", "LABELS", "--judge-model", "m"], "--judge-base-url is missing"),
    "no such file": (
        ["--labels", "none.jsonl", "--judge-model", "m", "--judge-base-url", "http://h/v1"],
        "none.jsonl: no such file",
    ),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_command_is_answered_in_one_line(certify, fault):
    options, message = BAD[fault]
    given = [str(certify.labels) if o == "LABELS" else o for o in options]
    assert certify.run("certify", *given, "--out", certify.out) == 2
    assert message in certify.run.stderr
    assert certify.run.stderr.count("\n") == 1
    assert not certify.out.exists()


@pytest.mark.parametrize(
    ("variant", "message"),
    [
        ("prose", "format 'prose'"),
        ("json:some", "'some' is no number of criteria"),
        ("json:0", "'0' is no number of criteria"),
        ("json:all:sideways", "sideways"),
        ("json:all:paper", "do not go together"),
        ("a:b:c:d", "is not format:criteria per call:layout"),
    ],
)
def test_a_bad_variant_is_answered_in_one_line(certify, variant, message):
    with SimServer() as server:
        assert certify(server, "--variant", variant) == 2
    assert message in certify.run.stderr
    assert certify.run.stderr.count("\n") == 1


def test_the_same_variant_twice_is_refused(certify):
    with SimServer() as server:
        assert certify(server, "--variant", "json:all", "--variant", "json") == 2
    assert "variant json:all:rubric_first is asked for twice" in certify.run.stderr


def test_a_variant_keeps_all_else_of_the_judge():
    from rubricbench.certify.variants import configured

    base = JudgeConfig(model="m", base_url="http://h/v1", temperature=0.3, criteria_per_call=4)
    found = configured(base, "compact")
    assert (found.format, found.criteria_per_call, found.temperature) == ("compact", 4, 0.3)
    paper = JudgeConfig(model="m", base_url="http://h/v1", layout="paper")
    assert configured(paper, "json:all").arrangement == "rubric_first"
