"""What holds for every check family that is registered."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rubricbench import checks
from rubricbench.checks.registry import Family
from rubricbench.errors import SchemaError
from rubricbench.schema import Cause, Check, Criterion, Prompt, Rubric, Status

FAMILIES = checks.registered()
EXAMPLES = [
    pytest.param(name, params, text, met, id=f"{name}-{'passes' if met else 'fails'}-{i}")
    for name, family in FAMILIES.items()
    for met, examples in ((True, family.passes), (False, family.fails))
    for i, (params, text) in enumerate(examples)
]
NAMES = list(FAMILIES)


def first_check(name: str) -> Check:
    return Check(name=name, params=FAMILIES[name].passes[0][0])


@pytest.mark.parametrize(("name", "params", "text", "met"), EXAMPLES)
def test_an_example_has_the_verdict_it_stands_for(name, params, text, met):
    outcome = checks.run(Check(name=name, params=params), text)
    assert outcome.met is met, outcome.evidence


@pytest.mark.parametrize(("name", "params", "text", "met"), EXAMPLES)
def test_a_description_is_a_plain_statement(name, params, text, met):
    statement = checks.describe(Check(name=name, params=params))
    assert statement[0].isupper()
    assert statement == " ".join(statement.split(" ")).strip()
    assert not {"None", "Ellipsis"} & set(statement.split())


@pytest.mark.parametrize("name", NAMES)
def test_a_family_has_two_examples_of_each_kind_and_documents_itself(name):
    family: Family = FAMILIES[name]
    assert len(family.passes) >= 2
    assert len(family.fails) >= 2
    assert family.evaluate.__doc__
    assert all(param.doc for param in family.params.values())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", ["", " \n\t\r\n ", "\u00a0\u3000"])
def test_an_empty_response_meets_no_check(name, text):
    outcome = checks.run(first_check(name), text)
    assert outcome == (False, "the response is empty")


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_parameter_is_refused(name):
    bad = Check(name=name, params=first_check(name).params | {"no such thing": 1})
    with pytest.raises(SchemaError, match="bad_check"):
        checks.run(bad, "text")


COUNTS = [
    name
    for name, family in FAMILIES.items()
    if "minimum" in family.at_least_one_of and family.params["minimum"].kind == "int"
]


@pytest.mark.parametrize("name", COUNTS)
def test_bounds_must_leave_something_to_fail_and_something_to_pass(name):
    params = {k: v for k, v in first_check(name).params.items() if k not in ("minimum", "maximum")}
    for bounds in ({}, {"minimum": 5, "maximum": 4}, {"minimum": 0}, {"minimum": -1}):
        with pytest.raises(SchemaError, match="bad_check"):
            checks.run(Check(name=name, params=params | bounds), "text")


# Texts made of what the patterns look for, and of what breaks careless Unicode code.
WORDS = """
* ** *** _ ` ``` ~~~ # - 1. > | [ ] ( ) << >> . ! ? … , ， ' ’ " “ ” { } : ; a A I the 1 3.14
e.g. Dr. P.S. é ß İ ǅ 猫 です ไทย हिन्दी 🇫🇷 👩‍👩‍👧 ===== --- http://a.b
"""
BLANKS = ["# ", "- ", "1. ", "Section 1", "\n", "\n\n", "\r\n", "\r", " ", "\t", "\u00a0", "\u2028"]
ODDITIES = ["\u200b", "\u200d", "\x85", "\x00", "e\u0301", "\ufe0f", "\ud800"]
PIECES = st.sampled_from(WORDS.split() + BLANKS + ODDITIES)
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=40).map("".join)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=TEXTS)
def test_no_text_makes_a_check_raise_or_waver_and_evidence_is_short(text):
    for family in FAMILIES.values():
        for params, _ in (family.passes[0], family.fails[0]):
            check = Check(name=family.name, params=params)
            outcome = checks.run(check, text)
            assert isinstance(outcome.met, bool)
            assert 0 < len(outcome.evidence) < 300
            assert checks.run(check, text) == outcome


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=TEXTS.filter(lambda text: "\r" not in text))
def test_line_ends_and_composition_make_no_difference(text):
    whole = text.replace("\ud800", "")
    for name in NAMES:
        outcome = checks.run(first_check(name), whole)
        assert checks.run(first_check(name), whole.replace("\n", "\r\n")) == outcome
        assert checks.run(first_check(name), unicodedata.normalize("NFD", whole)) == outcome


SIZE = 200_000
HOSTILE = {
    "one letter": "a" * SIZE,
    "one capital": "A" * SIZE,
    "spaces": " " * SIZE + "x",
    "newlines": "x" + "\n" * SIZE + "x",
    "asterisks": "*" * SIZE,
    "asterisks apart": "* " * (SIZE // 2),
    "emphasis": "*a " * (SIZE // 3),
    "underscores": "_a" * (SIZE // 2),
    "open brackets": "[" * SIZE,
    "links begun": "[a](" * (SIZE // 4),
    "nested JSON": "[" * (SIZE // 2) + "]" * (SIZE // 2),
    "nested objects": '{"a":' * (SIZE // 5),
    "angles": "<" * SIZE,
    "titles begun": "<<a" * (SIZE // 3),
    "full stops": "." * SIZE,
    "short sentences": "A. " * (SIZE // 3),
    "initials": "a.b." * (SIZE // 4),
    "apostrophes": "a'" * (SIZE // 2),
    "backticks": "`" * SIZE,
    "fences begun": "```\n````\n" * (SIZE // 9),
    "quotes": '"' * SIZE,
    "hashes": "# " * (SIZE // 2),
    "heading lines": "#\n=\n" * (SIZE // 4),
    "deepening list": "\n".join(" " * (i % 2000) + "- a" for i in range(200)),
    "bars": "|" * SIZE,
    "table": "| a | b |\n" * (SIZE // 10),
    "digits": "1" * SIZE,
    "grouped digits": "1," * (SIZE // 2),
    "addresses": "a@" * (SIZE // 2),
    "marks": "e" + "\u0301" * SIZE,
    "joined emoji": "👩\u200d" * (SIZE // 2),
    "Han": "猫" * SIZE,
    "Thai": "ไ" * SIZE,
    "commas": "，" * SIZE,
    "word and space": "word " * (SIZE // 5),
}


@pytest.mark.parametrize("name", NAMES)
def test_no_text_holds_a_check_up(name):
    """200 kB of each kind in under two seconds: a quadratic pattern would need minutes."""
    check = first_check(name)
    for kind, text in HOSTILE.items():
        start = time.process_time()
        checks.run(check, text)
        spent = time.process_time() - start
        assert spent < 2, f"{kind}: {spent:.1f} s"


def test_a_rubric_gives_one_verdict_per_criterion_and_leaves_the_judged_ones_open():
    rubric = Rubric(
        prompt=Prompt.from_text("Write."),
        criteria=(
            Criterion(criterion="No commas.", weight=1, check=Check(name="no_commas")),
            Criterion(criterion="Is kind.", weight=1),
        ),
    )
    first, second = checks.check_response(rubric, "Well, hello.")
    assert (first.status, first.evidence) == (Status.UNMET, "1 comma")
    assert (second.status, second.cause) == (Status.UNKNOWN, Cause.NOT_JUDGED)
    first, _ = checks.check_response(rubric, "a" * 1_000_001)
    assert first.cause is Cause.OVERFLOW


def test_the_registry_names_the_nearest_family():
    with pytest.raises(SchemaError, match="word_count"):
        checks.get("words_count")
