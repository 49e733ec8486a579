"""From rubrics to types: ask a model where there is one, cluster, name, measure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from rubricbench.analyze.types.report import Namer, Settings, TypeReport, find_types
from rubricbench.analyze.types.statements import (
    Statement,
    capabilities,
    capability_question,
    criteria,
    difference_question,
    differences,
    edits,
    pairs,
    template,
)
from rubricbench.asking import Answer, Asker, Question
from rubricbench.errors import InputError
from rubricbench.judging.fence import fenced
from rubricbench.judging.templates import fill
from rubricbench.schema import Rubric

NAME_CHARS = 80
_NAME = {
    "type": "object",
    "properties": {"name": {"type": "string", "minLength": 1}},
    "required": ["name"],
    "additionalProperties": False,
}
# Asks questions and returns the answers in order; None where no model is there.
Ask = Callable[[Sequence[Question]], list[Answer]]


class Model(msgspec.Struct, frozen=True):
    """Who makes the statements and names the types.

    Args:
        name: as it is reported.
        ask: asks it.
    """

    name: str
    ask: Ask


def asked_by(make: Callable[[], Asker], name: str) -> Model:
    """Return a model that answers through askers, a new one for each round of questions."""
    return Model(name, lambda questions: make().ask_all(questions))


def refinement_types(
    initial: Iterable[Rubric],
    refined: Mapping[str, Iterable[Rubric]],
    settings: Settings,
    model: Model | None = None,
) -> TypeReport:
    """Return the types of change between initial and refined rubrics (the paper's Table 3).

    Args:
        initial: the rubrics before refinement.
        refined: those after it, by the name of their set, such as ``great`` and ``good``.
        settings: how types are found.
        model: who says what differs; None takes the bare edits.

    Raises:
        InputError: no prompt is in all sets, or nothing differs.
        MissingExtraError: scikit-learn is not installed.
    """
    compared = pairs(initial, refined)
    if not compared:
        raise InputError(
            "no prompt is in the initial rubrics and in every refined set",
            hint="their prompt ids must agree",
        )
    if model is None:
        found = [s for pair in compared for s in edits(pair)]
        return _report("refinements", "edits", found, 0, settings, None)
    answers = model.ask([difference_question(pair) for pair in compared])
    found = [s for answer in answers for s in differences(answer)]
    return _report("refinements", model.name, found, _lost(answers), settings, model)


def capability_types(
    rubrics: Mapping[str, Iterable[Rubric]], settings: Settings, model: Model | None = None
) -> TypeReport:
    """Return the types of capability that criteria test (the paper's Figure 5).

    Args:
        rubrics: by the name of their set.
        settings: how types are found.
        model: who names each criterion's capability; None clusters the criteria themselves.

    Raises:
        InputError: there is no criterion.
        MissingExtraError: scikit-learn is not installed.
    """
    named = [(arm, rubric) for arm, found in rubrics.items() for rubric in found]
    if model is None:
        bare = [s for arm, rubric in named for s in criteria(arm, rubric)]
        return _report("capabilities", "criteria", bare, 0, settings, None)
    answers = model.ask([capability_question(arm, rubric) for arm, rubric in named])
    statements = [s for answer in answers for s in capabilities(answer)]
    return _report("capabilities", model.name, statements, _lost(answers), settings, model)


def _lost(answers: Sequence[Answer]) -> int:
    return sum(answer.value is None for answer in answers)


def _report(
    kind: str,
    by: str,
    statements: Sequence[Statement],
    lost: int,
    settings: Settings,
    model: Model | None,
) -> TypeReport:
    if lost and not statements:
        raise InputError(
            f"{by} gave no readable answer to any of {lost:,} questions",
            hint="take a stronger model, or none (then the bare texts are clustered)",
        )
    arms = sorted({s.arm for s in statements})
    return TypeReport(
        kind=kind,
        statements_by=by,
        embedded_by=settings.embedding,
        named_by=model.name if model else "words",
        arms={arm: sum(s.arm == arm for s in statements) for arm in arms},
        prompts=len({s.prompt_id for s in statements}),
        without_answer=lost,
        types=find_types(statements, settings, namer(model) if model else None),
    )


def namer(model: Model) -> Namer:
    """Return what has a model name groups of statements; unreadable names say so."""

    def name(groups: Sequence[Sequence[str]]) -> list[str]:
        """Ask for a name of each group, all at once."""
        questions = []
        for number, group in enumerate(groups):
            listed = fenced("\n".join(f"- {text}" for text in group))
            text = fill(template("name"), {"statements": listed})
            questions.append(Question.of(text, schema=_NAME, name="group_name", tag=number))
        names = [
            " ".join(str((a.value or {}).get("name", "")).split()) for a in model.ask(questions)
        ]
        return [
            found[:NAME_CHARS] or f"(not named) {group[0]}"[:NAME_CHARS]
            for found, group in zip(names, groups, strict=True)
        ]

    return name
