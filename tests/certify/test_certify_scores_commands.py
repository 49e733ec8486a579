"""``certify bridge`` and ``certify correct`` on files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from label_samples import labelled, rubric, write_labels, write_lines
from simserver.latent import LatentJudge
from simserver.server import SimServer

from rubricbench.rows import rubric_to_row


def score(prompt: int, generator: str, value: float | None, judge: str = "", **more) -> dict:
    key = {"prompt_id": f"p{prompt}", "response_id": f"{generator}{prompt}"}
    return {**key, "generator": generator, "value": value, "judge": judge, **more}


@pytest.fixture
def two_judges(tmp_path: Path):
    """Judge A graded four generators, judge B three of them: B = .1 + .8·A + noise of sd .05."""
    rng = np.random.default_rng(0)
    a, b = [], []
    for name, quality in (("w", 0.3), ("x", 0.5), ("y", 0.6), ("new", 0.7)):
        for i in range(60):
            value = float(np.clip(quality + rng.normal(0, 0.15), 0, 1))
            a.append(score(i, name, value, "A"))
            if name != "new":
                b.append(score(i, name, 0.1 + 0.8 * value + rng.normal(0, 0.05), "B"))
    return write_lines(tmp_path / "a.jsonl", a), write_lines(tmp_path / "b.jsonl", b)


def test_a_bridge_brings_an_unseen_generator_to_the_other_scale(command, tmp_path, two_judges):
    a, b = two_judges
    out = tmp_path / "bridge"
    assert command("certify", "bridge", "--a", a, "--b", b, "--out", out) == 0
    record = json.loads((out / "bridge.json").read_bytes())
    assert (record["a"], record["b"], record["responses"]) == ("A", "B", 180)
    assert record["slope"]["low"] < 0.8 < record["slope"]["high"]
    assert record["residual_sd"] == pytest.approx(0.05, rel=0.15)
    new = next(g for g in record["generators"] if g["name"] == "new")
    assert not new["seen"]
    assert new["b"]["value"] is None
    assert new["bridged"]["low"] < 0.1 + 0.8 * new["a"]["value"] < new["bridged"]["high"]
    table = pq.read_table(out / "bridged_scores.parquet").to_pandas()
    assert len(table) == 240
    assert table.b.isna().sum() == 60
    assert table[table.generator == "new"].bridged.mean() == pytest.approx(new["bridged"]["value"])
    assert table.outside.sum() == sum(g["outside"] for g in record["generators"])
    assert "new (not seen)" in command.stdout


def test_a_bridge_states_its_knots(command, tmp_path, two_judges):
    a, b = two_judges
    out = tmp_path / "bridge"
    assert command("certify", "bridge", "--a", a, "--b", b, "--out", out, "--form", "monotone") == 0
    record = json.loads((out / "bridge.json").read_bytes())
    knots = np.array(record["knots"])
    assert (np.diff(knots, axis=0) >= 0).all()
    assert record["low"] == knots[0, 0]
    assert record["high"] == knots[-1, 0]
    assert record["slope"]["value"] is None


def test_two_judges_of_one_file_are_bridged_by_name(command, tmp_path, two_judges):
    rows = [json.loads(line) for path in two_judges for line in path.read_text().splitlines()]
    both = write_lines(tmp_path / "both.jsonl", rows)
    out = tmp_path / "bridge"
    assert command("certify", "bridge", "--a", both, "--b", both, "--out", out) == 2
    assert "scores of several judges; name one of: A, B" in command.stderr
    named = ("--a-judge", "A", "--b-judge", "B")
    assert command("certify", "bridge", "--a", both, "--b", both, *named, "--out", out) == 0
    apart = tmp_path / "apart"
    a, b = two_judges
    assert command("certify", "bridge", "--a", a, "--b", b, "--out", apart) == 0
    assert (out / "bridge.json").read_bytes() == (apart / "bridge.json").read_bytes()
    assert command("certify", "bridge", "--a", both, "--b", both, "--a-judge", "C", "--out", out)
    assert "no scores of judge 'C'; there are: A, B" in command.stderr


def test_repeated_gradings_are_averaged(tmp_path):
    from rubricbench.certify.score_files import read_scores

    values = (0.2, 0.6, None)
    rows = [score(1, "x", v, "A", replicate=i) for i, v in enumerate(values)]
    found = read_scores(write_lines(tmp_path / "s.jsonl", [*rows, score(2, "x", None, "A")]))
    assert found.value.tolist() == pytest.approx([0.4])
    assert found.without_value == 1


BAD_SCORES = {
    "nothing in common": (
        [score(i, "z", 0.5) for i in range(20)],
        "no response was graded by both judges",
    ),
    "a response twice": ([score(1, "x", 0.5)] * 2, "b.jsonl:2, response_id: response 'x1' is"),
    "no scores": ([{"prompt_id": "p", "response_id": "r"}], "b.jsonl:1, value: no column with"),
    "only unknown ones": ([score(1, "x", None)], "no response has a score"),
    "too few": ([score(i, "x", 0.5) for i in range(5)], "5 responses to 5 prompts were graded"),
}


@pytest.mark.parametrize("fault", BAD_SCORES)
def test_a_bridge_says_what_is_wrong_in_one_line(command, tmp_path, two_judges, fault):
    rows, message = BAD_SCORES[fault]
    b = write_lines(tmp_path / "b.jsonl", rows)
    out = tmp_path / "bridge"
    assert command("certify", "bridge", "--a", two_judges[0], "--b", b, "--out", out) == 2
    assert message in command.stderr
    assert command.stderr.count("\n") == 1


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """A certification on 60 prompts, and a judging run of the same judge on 120 others."""
    folder = tmp_path_factory.mktemp("judged")
    certified = labelled(60)
    run = labelled(180, ("x",))[60:]
    write_labels(folder / "labels.jsonl", certified)
    write_lines(folder / "rubrics.jsonl", [rubric_to_row(rubric(i)) for i in range(180)])
    rows = [
        {"prompt_id": r.rubric.prompt_id, "text": r.response.text, "generator": "x"} for r in run
    ]
    write_lines(folder / "responses.jsonl", rows)
    write_labels(folder / "some.jsonl", [*certified, *run[:40]])
    return folder


def prepared(command, folder: Path, out: Path, labels: str, *more: str) -> None:
    with SimServer(judge=LatentJudge(0.8, 0.9)) as server:
        judge = ("--judge-base-url", server.base_url, "--judge-model", "m", "--quiet")
        options = ("--labels", folder / labels, "--out", out / "certified", "--replicates", 1)
        assert command("certify", *options, *judge, *more) == 0
        run = ("--responses", folder / "responses.jsonl", "--rubrics", folder / "rubrics.jsonl")
        assert command("judge", *run, "--out", out / "run", *judge) == 0


def correct(command, folder: Path, out: Path, *more: object) -> int:
    files = ("--certified", out / "certified", "--verdicts", out / "run")
    rubrics = ("--rubrics", folder / "rubrics.jsonl")
    return command("certify", "correct", *files, *rubrics, "--out", out / "corrected", *more)


def test_a_run_is_corrected_with_a_certificate(command, judged, tmp_path):
    prepared(command, judged, tmp_path, "labels.jsonl")
    assert correct(command, judged, tmp_path) == 0
    record = json.loads((tmp_path / "corrected" / "corrected.json").read_bytes())
    (found,) = record["generators"]
    # Truths are fair coins: a mean score of half the mean weight, (3 + 2 + 1 + 2 - 2)/8/2 = .375;
    # the judge's is .45/.5 of that.
    assert found["corrected"]["low"] < 0.375 < found["corrected"]["high"]
    assert found["judged"]["value"] < found["corrected"]["value"]
    assert found["responses"] == 120
    assert found["low"] == found["high"] == found["corrected"]["value"]
    assert record["rates"]["merits"]["met"] == pytest.approx(0.8, abs=0.07)
    assert found["labelled"] == 0
    assert "merits: credit 0.8" in command.stdout


def test_labelled_responses_of_the_run_add_a_prediction_powered_mean(command, judged, tmp_path):
    prepared(command, judged, tmp_path, "some.jsonl")
    assert correct(command, judged, tmp_path, "--json") == 0
    (found,) = json.loads(command.stdout)["generators"]
    assert found["labelled"] == 40
    powered = found["prediction_powered"]
    assert powered["low"] < 0.375 < powered["high"]
    assert 0 < found["power"] <= 1


def test_a_run_asked_in_another_way_is_refused(command, judged, tmp_path):
    prepared(command, judged, tmp_path, "labels.jsonl", "--variant", "compact")
    assert correct(command, judged, tmp_path) == 2
    assert "the run was asked with other prompts" in command.stderr


def test_of_several_variants_one_is_named(command, judged, tmp_path):
    prepared(command, judged, tmp_path, "labels.jsonl", "--variant", "compact", "--variant", "json")
    assert correct(command, judged, tmp_path) == 2
    assert "2 variants are certified there; name one with --variant: compact" in command.stderr
    assert correct(command, judged, tmp_path, "--variant", "paper") == 2
    assert "variant 'paper' is not certified there" in command.stderr
    assert correct(command, judged, tmp_path, "--variant", "json:all:rubric_first") == 0


def test_another_judges_run_is_refused(command, judged, tmp_path):
    prepared(command, judged, tmp_path, "labels.jsonl")
    with SimServer() as server:
        judge = ("--judge-base-url", server.base_url, "--judge-model", "other", "--quiet")
        run = ("--responses", judged / "responses.jsonl", "--rubrics", judged / "rubrics.jsonl")
        assert command("judge", *run, "--out", tmp_path / "other", *judge) == 0
    files = ("--certified", tmp_path / "certified", "--verdicts", tmp_path / "other")
    rubrics = ("--rubrics", judged / "rubrics.jsonl")
    assert command("certify", "correct", *files, *rubrics, "--out", tmp_path / "c") == 2
    assert "the verdicts are of other, and the certificate is of m" in command.stderr


def test_rubrics_of_another_run_are_refused(command, judged, tmp_path):
    prepared(command, judged, tmp_path, "labels.jsonl")
    few = write_lines(tmp_path / "few.jsonl", [rubric_to_row(rubric(0))])
    files = ("--certified", tmp_path / "certified", "--verdicts", tmp_path / "run")
    assert command("certify", "correct", *files, "--rubrics", few, "--out", tmp_path / "c") == 2
    assert "no rubric for prompt" in command.stderr
