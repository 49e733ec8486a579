"""Types of refinement and of capability, on rubrics whose types are known."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from simserver.scripted import endpoint
from sklearn.metrics import adjusted_rand_score

from rubricbench.analyze.types.cluster import clusters
from rubricbench.analyze.types.embed import embed
from rubricbench.analyze.types.report import Settings, find_types
from rubricbench.analyze.types.run import capability_types, refinement_types
from rubricbench.analyze.types.statements import Pair, Statement, edits
from rubricbench.cli.analyze_types import types
from rubricbench.errors import InputError, RunError
from rubricbench.schema import Criterion, Prompt, Rubric

FAST = Settings(types=3, resamples=200)
PHRASES = {  # of each planted type, in words that share nothing with the others'
    "splits": ("splits a compound criterion into parts", "splits compound parts apart"),
    "penalty": ("introduces negative penalty scoring", "introduces penalty prohibitions"),
    "evidence": ("demands verification with evidence", "demands evidence sources"),
}


def rubric(number: int, *texts: str, weight: int = 1) -> Rubric:
    made = tuple(Criterion(criterion=t, weight=weight) for t in texts)
    return Rubric(prompt=Prompt.from_text(f"Prompt {number}"), criteria=made)


def planted(rates: dict[str, float], arm: str, prompts: int = 60) -> list[Statement]:
    rng = random.Random(arm)
    return [
        Statement(arm, f"p{i}", rng.choice(PHRASES[kind]))
        for i in range(prompts)
        for kind, rate in rates.items()
        if rng.random() < rate
    ]


def statements() -> list[Statement]:
    great = planted({"splits": 0.9, "penalty": 0.3, "evidence": 0.6}, "great")
    return great + planted({"splits": 0.3, "penalty": 0.9, "evidence": 0.6}, "good")


def kind_of(text: str) -> str:
    return next(kind for kind, phrases in PHRASES.items() if text in phrases)


def test_planted_types_are_found_and_set_against_each_other() -> None:
    found = {kind_of(t.examples[0]): t for t in find_types(statements(), FAST)}
    assert found.keys() == PHRASES.keys()
    for t in found.values():
        assert {kind_of(e) for e in t.examples} == {kind_of(t.examples[0])}
    # Shares of .9 : .3 of equal totals are .75 : .25.
    for kind, truth in (("splits", 0.75), ("penalty", 0.25), ("evidence", 0.5)):
        great = found[kind].by_arm["great"]
        assert great.interval is not None
        assert great.interval[0] < truth < great.interval[1]
        other = found[kind].by_arm["good"].estimate
        assert great.estimate is not None
        assert other == pytest.approx(1 - great.estimate)
    assert sum(t.share.estimate or 0 for t in found.values()) == pytest.approx(1)
    assert sum(t.count for t in found.values()) == len(statements())


def test_the_order_of_statements_changes_nothing() -> None:
    shuffled = statements()
    random.Random(1).shuffle(shuffled)
    assert find_types(shuffled, FAST) == find_types(statements(), FAST)


def test_clusters_agree_with_well_separated_groups() -> None:
    rng = np.random.default_rng(0)
    truth = np.repeat(np.arange(5), 30)
    vectors = np.eye(5)[truth] + rng.normal(0, 0.05, (150, 5))
    assert adjusted_rand_score(truth, clusters(vectors, 5)) == 1.0


@pytest.mark.parametrize("types_", [1, 2, 20])
def test_equal_statements_are_one_type(types_: int) -> None:
    same = [Statement("a", f"p{i}", "adds a penalty") for i in range(4)]
    (found,) = find_types(same, Settings(types=types_, resamples=50))
    assert found.count == 4


def test_tfidf_gives_unit_vectors_of_any_text() -> None:
    lengths = np.linalg.norm(embed(["one word", "word", "123", "the"]), axis=1)
    assert np.all(np.isclose(lengths, 1) | (lengths == 0))  # "the" alone is a stop word


def test_edits_are_exact() -> None:
    first = Rubric(
        prompt=Prompt.from_text("P"),
        criteria=(Criterion(criterion="stays", weight=1), Criterion(criterion="goes", weight=1)),
    )
    second = Rubric(
        prompt=Prompt.from_text("P"),
        criteria=(Criterion(criterion="stays", weight=3), Criterion(criterion="bad", weight=-1)),
    )
    texts = {s.text for s in edits(Pair("x", first, second))}
    assert texts == {"Raises the weight of: stays", "Adds a penalty: bad", "Drops: goes"}


def test_only_prompts_in_every_set_are_compared() -> None:
    initial = [rubric(i, "c") for i in range(4)]
    sets = {
        "a": [rubric(i, "c", "long new words") for i in (0, 1, 2)],
        "b": [rubric(i, "c", "long new words") for i in (1, 2, 3)],
    }
    found = refinement_types(initial, sets, FAST)
    assert (found.prompts, found.arms) == (2, {"a": 2, "b": 2})
    with pytest.raises(InputError, match="no prompt is in the initial rubrics"):
        refinement_types(initial, {"a": [rubric(9, "c")]}, FAST)


def test_equal_rubrics_have_no_types() -> None:
    same = [rubric(i, "c") for i in range(3)]
    with pytest.raises(InputError, match="no statement"):
        refinement_types(same, {"a": same}, FAST)


def test_without_a_model_criteria_stand_for_their_capability() -> None:
    found = capability_types(
        {"x": [rubric(i, "names a drug", "cites rules") for i in range(9)]}, FAST
    )
    assert found.statements_by == "criteria"
    assert {t.name.split(",")[0] for t in found.types} <= {"drug", "names", "cites", "rules"} | {
        "names drug",
        "cites rules",
    }


# The command, with a model behind an endpoint.


def says(body: dict[str, Any]) -> str:
    text = body["messages"][0]["content"]
    if "List every atomic difference" in text:
        return json.dumps({"differences": ["adds a penalty", "asks for evidence"]})
    if "name the one capability" in text:
        named = [{"criterion": i, "capability": "explains causes"} for i in (1, 1, 2, 77)]
        return json.dumps({"capabilities": named})
    return json.dumps({"name": "Penalties" if "penalty" in text else "Other"})


def write(path: Path, rubrics: list[Rubric]) -> str:
    rows = [
        {
            "prompt": r.prompt.text,
            "rubrics": [{"criterion": c.criterion, "weight": c.weight} for c in r.criteria],
        }
        for r in rubrics
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    for name in ("RUBRICBENCH_JUDGE_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return lambda *words: CliRunner().invoke(types, [str(w) for w in words], standalone_mode=False)


def test_the_model_says_what_differs_and_names_the_types(tmp_path: Path, command: Any) -> None:
    initial = write(tmp_path / "i.jsonl", [rubric(i, "c") for i in range(5)])
    refined = write(tmp_path / "r.jsonl", [rubric(i, "c", "d") for i in range(5)])
    with endpoint(says) as server:
        judge = ("--judge-base-url", server.base_url, "--judge-model", "m")
        words = ("--initial", initial, "--refined", f"great={refined}", "--out", tmp_path / "o")
        for _ in range(2):
            found = command("refinements", *words, *judge, "--json")
    document = json.loads((tmp_path / "o" / "types.json").read_text())
    assert found.exception is None
    assert {(t["name"], t["count"]) for t in document["types"]} == {("Penalties", 5), ("Other", 5)}
    assert (document["statements_by"], document["named_by"]) == ("m", "m")
    assert len(server.bodies) == 5 + 2  # five pairs, two types; the second run asks nothing


def test_a_capability_counts_once_for_each_criterion_there_is(tmp_path: Path, command: Any) -> None:
    rubrics = write(tmp_path / "r.jsonl", [rubric(i, "c", "d") for i in range(3)])
    with endpoint(says) as server:
        judge = ("--judge-base-url", server.base_url, "--judge-model", "m")
        command("capabilities", "--rubrics", rubrics, "--out", tmp_path / "o", *judge)
    document = json.loads((tmp_path / "o" / "types.json").read_text())
    assert document["arms"] == {"r": 6}


def test_prompts_without_a_readable_answer_are_counted(tmp_path: Path, command: Any) -> None:
    rubrics = write(tmp_path / "r.jsonl", [rubric(i, "c", "d") for i in range(3)])

    def poor(body: dict[str, Any]) -> str:
        return "?" if "Prompt 1" in body["messages"][0]["content"] else says(body)

    with endpoint(poor) as server:
        judge = ("--judge-base-url", server.base_url, "--judge-model", "m")
        result = command("capabilities", "--rubrics", rubrics, "--out", tmp_path / "o", *judge)
    document = json.loads((tmp_path / "o" / "types.json").read_text())
    assert (result.return_value, document["without_answer"], document["prompts"]) == (1, 1, 2)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("refinements", "--initial", "verifiable:test", "--refined", "x"), "write NAME=FILE"),
        (("refinements", "--initial", "no.jsonl", "--refined", "a=no.jsonl"), "no such file"),
        (("capabilities", "--rubrics", "verifiable:test", "--types", "0"), "from 1 to 1000"),
        (("capabilities", "--rubrics", "verifiable:test", "--rubrics", "verifiable:test"), "twice"),
    ],
)
def test_bad_input_is_one_clear_line(words: Any, told: str, tmp_path: Path, command: Any) -> None:
    found = command(*words, "--out", tmp_path / "o")
    assert isinstance(found.exception, InputError)
    assert told in str(found.exception)
    assert "\n" not in str(found.exception)


def test_a_folder_that_is_a_file_or_anothers_is_one_error(tmp_path: Path, command: Any) -> None:
    initial = write(tmp_path / "i.jsonl", [rubric(i, "c") for i in range(3)])
    refined = write(tmp_path / "r.jsonl", [rubric(i, "c", "d") for i in range(3)])
    words = ("refinements", "--initial", initial, "--refined", f"great={refined}", "--out")
    found = command(*words, initial)
    assert isinstance(found.exception, RunError)
    assert "this is a file, not a folder" in str(found.exception)
    assert command(*words, tmp_path / "o").exception is None
    other = command("capabilities", "--rubrics", initial, "--out", tmp_path / "o")
    assert isinstance(other.exception, RunError)
