"""The gates find planted faults, and leave good rubrics alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from rubricbench.certify.labels import Labelled, Reference
from rubricbench.certify.readers.calibration import calibration_row
from rubricbench.cli.data import command
from rubricbench.errors import InputError
from rubricbench.lint import RULES, Finding, lint_rubric, lint_rubrics
from rubricbench.lint.calibration import Graded, calibration, read_graded
from rubricbench.schema import Check, Criterion, Prompt, Response, Rubric

GOOD = (
    ("States that a burn is cooled with running water for about 20 minutes", 3),
    ("Advises against putting butter on the burn", 2),
    ("Names a blister larger than a palm as a reason to see a doctor", 2),
    ("Recommends ice on the skin", -2),
)


def rubric(*criteria: tuple[str, int], prompt: str = "My child touched the stove. Help!") -> Rubric:
    made = tuple(Criterion(criterion=text, weight=weight) for text, weight in criteria)
    return Rubric(prompt=Prompt.from_text(prompt), criteria=made)


def found(
    *criteria: tuple[str, int], prompt: str = "My child touched the stove. Help!"
) -> list[Finding]:
    return list(lint_rubric(rubric(*criteria, prompt=prompt)))


def rules(*criteria: tuple[str, int], **options: str) -> set[str]:
    return {f.rule for f in found(*criteria, **options)}


def test_a_good_rubric_passes() -> None:
    assert found(*GOOD) == []


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("States that water cools the burn and explains why butter does not", "compound"),
        ("Names the drug, lists its side effects", "compound"),
        ("Names the drug. It should also be said when to stop.", "compound"),
        ("States that the dose is 5 mg and that it is taken at night", "two_claims"),
        ("Meets criterion 3 in more detail", "refers_outside"),
        ("Is longer than response B", "refers_outside"),
        ("Answers what the user prompt asks", "refers_outside"),
        ("Gives the correct diagnosis", "unnamed_answer"),
        ("The response is clear and helpful", "unobservable"),
        ("The tone is professional", "unobservable"),
        ("Understands that the parent is worried", "unobservable"),
        ("Explains the mechanism thoroughly", "vague"),
    ],
)
def test_wording_faults_are_named(text: str, rule: str) -> None:
    assert rules(*GOOD, (text, 1)) == {rule}


@pytest.mark.parametrize(
    "text",
    [
        "Recommends bread and butter",  # one thing with "and" in it
        "States that the correct answer is 42",
        "Gives the correct diagnosis (appendicitis)",
        "Quotes the line “it is clear, and explains itself”",
        "Explains, e.g. by an example, how interest compounds",
        "States that tea and coffee raise heart rate",
        "Describes the pain as clear fluid behind the eardrum",
        "Concludes that the app is effective",
    ],
)
def test_what_only_looks_like_a_fault_is_left_alone(text: str) -> None:
    assert rules(*GOOD, (text, 1)) == set()


def test_words_do_not_matter_where_a_program_decides() -> None:
    check = Check("word_count", {"maximum": 20})
    made = Criterion(criterion="Is short and lists nothing", weight=1, check=check)
    with_check = Rubric(prompt=Prompt.from_text("P"), criteria=(*rubric(*GOOD).criteria, made))
    assert list(lint_rubric(with_check)) == []


@pytest.mark.parametrize(
    ("criterion", "rule"),
    [
        (("Mentions tetanus", 9), "weight_range"),
        (("Fails to mention tetanus", 1), "rewarded_fault"),
        (("Does not mention tetanus", -1), "penalised_absence"),
    ],
)
def test_weights_and_signs(criterion: tuple[str, int], rule: str) -> None:
    assert rules(*GOOD, criterion) == {rule}


def test_few_criteria() -> None:
    assert rules(GOOD[0]) == {"few_criteria"}


@pytest.mark.parametrize(
    ("criterion", "rule"),
    [
        (("The response advises against putting butter on burns", 1), "duplicate"),
        (
            ("States that the burn is not cooled with running water for about 20 minutes", 1),
            "contradiction",
        ),
        (
            ("States that burns are cooled with running water for about 20 minutes", -1),
            "contradiction",
        ),
        (
            ("States that the burn is cooled with clean running water for about 20 minutes", 1),
            "near_duplicate",
        ),
    ],
)
def test_repetition_and_contradiction(criterion: tuple[str, int], rule: str) -> None:
    assert rules(*GOOD, criterion) == {rule}


@pytest.mark.parametrize(
    ("params", "weights", "rule"),
    [
        (({"minimum": 100}, {"maximum": 50}), (1, 1), "contradiction"),
        (({"minimum": 10}, {"minimum": 10}), (1, 1), "duplicate"),
        (({"minimum": 10}, {"minimum": 10}), (1, -1), "contradiction"),
        (({"minimum": 10}, {"maximum": 50}), (1, 1), None),
        (({"minimum": 100}, {"maximum": 50}), (1, -1), None),  # the penalty is avoided by length
    ],
)
def test_checks_beside_each_other(params: object, weights: object, rule: str | None) -> None:
    checked = tuple(
        Criterion(criterion=f"c{i}", weight=w, check=Check("word_count", p), id=f"c{i}")
        for i, (p, w) in enumerate(zip(params, weights, strict=True))
    )
    both = Rubric(prompt=Prompt.from_text("P"), criteria=(*rubric(*GOOD).criteria, *checked))
    assert {f.rule for f in lint_rubric(both)} == ({rule} if rule else set())


def test_leakage_of_the_prompt() -> None:
    prompt = "My burn was cooled with running water. What now?"
    assert rules(
        *GOOD, ("States that the burn was cooled with running water", 1), prompt=prompt
    ) == {"leaked"}


def graded(tier: str, *met: bool | None, of: Rubric | None = None) -> Graded:
    return Graded(of or rubric(*GOOD), tier, tier, met)


def test_responses_out_of_order_are_an_error() -> None:
    # Scores of weights 3, 2, 2 (and −2 unmet) over 7: excellent 1, great 5/7, good 3/7, poor 2/7.
    right = [
        graded("excellent", True, True, True, False),
        graded("great", True, True, False, False),
        graded("good", True, False, False, False),
        graded("poor", False, True, False, True),
    ]
    assert {f.rule for f in calibration(right)} == set()
    tied = [*right[:1], graded("great", True, True, True, False), *right[2:]]
    assert {f.rule for f in calibration(tied)} == {"wrong_order"}


def test_an_unknown_verdict_counts_against_the_order() -> None:
    pair = [graded("great", True, True, False, False), graded("excellent", True, True, None, False)]
    assert "wrong_order" in {f.rule for f in calibration(pair)}


def test_criteria_that_tell_none_apart_need_a_reason() -> None:
    pair = [graded("great", True, True, False, False), graded("excellent", True, True, True, False)]
    named = {f.criterion_id for f in calibration(pair) if f.rule == "saturated"}
    made = rubric(*GOOD).criteria
    assert named == {made[0].id, made[1].id, made[3].id}
    excused = Rubric(
        prompt=Prompt.from_text("P"),
        criteria=tuple(
            Criterion(criterion=c.criterion, weight=c.weight, tags=("saturated_because: safety",))
            for c in made
        ),
    )
    pair = [
        graded("great", True, True, False, False, of=excused),
        graded("excellent", True, True, True, False, of=excused),
    ]
    assert "saturated" not in {f.rule for f in calibration(pair)}


def table(path: Path, tiers: list[tuple[str, str]]) -> Path:
    rows = []
    for i, (tier, attack) in enumerate(tiers):
        response = Response(prompt_id=rubric(*GOOD).prompt_id, text=f"text {i}")
        references = tuple(Reference(j < 4 - i) for j in range(4))
        row = calibration_row(Labelled(rubric(*GOOD), response, references))
        rows.append(json.dumps({**row, "tier": tier, "attack": attack}))
    path.write_text("\n".join(rows))
    return path


def test_attacks_are_no_part_of_the_order(tmp_path: Path) -> None:
    path = table(
        tmp_path / "c.jsonl",
        [("excellent", ""), ("poor", ""), ("", "overclaim"), ("good", "injection")],
    )
    assert [g.tier for g in read_graded(path)] == ["excellent", "poor"]


def test_tiers_are_of_a_closed_list(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="tier 'superb'"):
        read_graded(table(tmp_path / "c.jsonl", [("superb", "")]))
    with pytest.raises(InputError, match="no response has a tier"):
        read_graded(table(tmp_path / "d.jsonl", [("", "")]))


def test_the_report_counts() -> None:
    report = lint_rubrics([rubric(*GOOD), rubric(GOOD[0])])
    assert (report.rubrics, report.criteria, report.errors) == (2, 5, 0)
    assert report.rules == {"few_criteria": 1}


def run(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(command, ["lint", *map(str, words)], standalone_mode=False)
    assert result.exception is None, result.exception
    return result.return_value, result.output


def write(path: Path, *criteria: tuple[str, int]) -> Path:
    listed = [{"criterion": text, "weight": weight} for text, weight in criteria]
    path.write_text(json.dumps({"prompt": "P?", "rubrics": listed}))
    return path


def test_the_command_fails_on_errors_and_when_strict_on_warnings(tmp_path: Path) -> None:
    good = write(tmp_path / "good.jsonl", *GOOD)
    warned = write(tmp_path / "warned.jsonl", *GOOD, ("Explains it thoroughly", 1))
    wrong = write(tmp_path / "wrong.jsonl", *GOOD, ("The response is helpful", 1))
    assert [run(p)[0] for p in (good, warned, wrong)] == [0, 0, 1]
    assert [run(p, "--strict")[0] for p in (good, warned, wrong)] == [0, 1, 1]
    assert "unobservable: 'is helpful' is a judgement" in run(wrong)[1]
    assert json.loads(run(wrong, "--json")[1])["rules"] == {"unobservable": 1}


def test_the_rules_are_listed(tmp_path: Path) -> None:
    code, text = run("x", "--rules")
    assert code == 0
    assert all(f"{name}: " in text for name in RULES)


def test_our_own_generated_rubrics_pass() -> None:
    code, text = run("verifiable:test")
    assert code == 0, text[-2000:]
