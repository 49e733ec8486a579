"""Families about what the response is as a whole: JSON, an option, two answers, an echo."""

from __future__ import annotations

import json
from typing import NoReturn

from rubricbench.checks.registry import Outcome, Param, Params, family
from rubricbench.checks.text import count_phrase, says_something, searchable
from rubricbench.checks.wording import quote, quoted_series, sentence, short_series


@family(
    "constrained_response",
    describe=lambda p: sentence(
        f"The response gives exactly one of these answers: {quoted_series(p['options'], 'or')}"
    ),
    params={"options": Param("list[str]", "the answers allowed", minimum=1, maximum=50)},
    validate=lambda p: None if all(map(searchable, p["options"])) else "an empty option",
    passes=[
        ({"options": ["My answer is yes.", "My answer is no."]}, "My answer is yes."),
        ({"options": ["yes", "no", "no comment"]}, "No comment."),
    ],
    fails=[
        ({"options": ["My answer is yes.", "My answer is no."]}, "Perhaps."),
        ({"options": ["yes", "no"]}, "Yes. Or no."),
    ],
)
def constrained_response(text: str, params: Params) -> Outcome:
    """One of the options is given, whatever stands around it, and no second one."""
    counts: dict[str, int] = {}
    for option in sorted(params["options"], key=len, reverse=True):
        inside_longer = sum(n * count_phrase(longer, option) for longer, n in counts.items())
        if (alone := count_phrase(text, option) - inside_longer) > 0:
            counts[option] = alone
    found = list(counts)
    return Outcome(len(found) == 1, f"given: {short_series(found)}" if found else "none given")


@family(
    "json_format",
    describe=lambda p: (
        "The whole response is valid JSON; a Markdown code fence around it is allowed."
    ),
    passes=[({}, '{"a": [1, 2]}'), ({}, '```json\n["x"]\n```\n')],
    fails=[({}, 'Here it is: {"a": 1}'), ({}, "{'a': 1}"), ({}, '{"a": NaN}')],
)
def json_format(text: str, params: Params) -> Outcome:
    """The response, or what its one code fence holds, is a JSON text (RFC 8259)."""
    try:
        value = json.loads(unfenced_json(text), parse_constant=_not_json, parse_int=float)
    except ValueError as error:
        return Outcome(False, f"not JSON: {str(error)[:80]}")
    except RecursionError:
        return Outcome(False, "nested too deeply to read")
    return Outcome(True, f"JSON {_JSON_KINDS.get(type(value), 'value')}")


_JSON_KINDS: dict[type, str] = {dict: "object", list: "array", str: "string"}


def unfenced_json(text: str) -> str:
    """Return the text without white space and a code fence (``json`` or unnamed) around it."""
    text = text.strip()
    if len(text) < 6 or not (text.startswith("```") and text.endswith("```")):
        return text
    inside = text[3:-3]
    return (inside[4:] if inside[:4].lower() == "json" else inside).strip()


def _not_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON value")


@family(
    "two_responses",
    describe=lambda p: (
        "The response gives two different answers, separated by six asterisks (******)."
    ),
    passes=[({}, "Tea.\n******\nCoffee."), ({}, "******\nTea.\n******\nCoffee.\n******")],
    fails=[({}, "Tea.\n***\nCoffee."), ({}, "Tea. ****** Tea. ")],
)
def two_responses(text: str, params: Params) -> Outcome:
    """Two answers that differ, with ``******`` between them and nowhere else but at the ends."""
    parts = [part.strip() for part in text.split("******")]
    answers = [part for part in parts if part]
    if not all(parts[1:-1]):
        return Outcome(False, "an empty answer between two separators")
    if len(answers) != 2:
        return Outcome(False, f"{len(answers)} answer{'' if len(answers) == 1 else 's'}")
    same = answers[0] == answers[1]
    return Outcome(not same, "the same answer twice" if same else "2 different answers")


@family(
    "repeat_prompt",
    describe=lambda p: (
        "The response first repeats the following request word for word, with nothing before it, "
        f"and then answers it: {quote(p['prompt'])}"
    ),
    params={"prompt": Param("str", "the request to repeat", minimum=1, maximum=8000)},
    validate=lambda p: None if searchable(p["prompt"]) else "an empty prompt",
    passes=[
        ({"prompt": "Name a tree."}, "Name a tree.\n\nOak."),
        ({"prompt": "What's the time?"}, "what’s the\ntime?\nNoon."),
    ],
    fails=[
        ({"prompt": "Name a tree."}, "Sure! Name a tree. Oak."),
        ({"prompt": "Name a tree."}, "Name a tree."),
    ],
)
def repeat_prompt(text: str, params: Params) -> Outcome:
    """The text starts with the prompt, case, quotes and line breaks aside, and goes on after it."""
    found, wanted = searchable(text), searchable(params["prompt"])
    if not found.startswith(wanted):
        return Outcome(False, "does not start with the request")
    answered = says_something(found[len(wanted) :])
    return Outcome(answered, "repeated, then answered" if answered else "repeated only")
