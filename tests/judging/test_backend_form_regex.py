"""The pattern of an answer's form lets through what the parser reads, and nothing beside it."""

from __future__ import annotations

import itertools
import re

import pytest

from rubricbench.judging.backends.form_regex import QUOTE_CHARS, form_regex
from rubricbench.judging.formats import FORMATS, Slot

LABELS = ("a2b3c4", "d5e6f7")


def fill(parts, verdicts, quote: str) -> str:
    chosen = iter(verdicts)
    return "".join(
        part
        if isinstance(part, str)
        else (part.met if next(chosen) else part.unmet)
        if isinstance(part, Slot)
        else quote
        for part in parts
    )


@pytest.mark.parametrize("form", FORMATS.values(), ids=lambda form: form.name)
def test_every_answer_of_the_form_fits(form):
    parts = form.skeleton(LABELS)
    pattern = re.compile(form_regex(parts))
    for verdicts in itertools.product((True, False), repeat=2):
        for quote in ("", "Some words, (in) [brackets]: é.", "x" * QUOTE_CHARS):
            assert pattern.fullmatch(fill(parts, verdicts, quote))


@pytest.mark.parametrize(
    "answer",
    [
        '{"a2b3c4": true, "d5e6f7":  false}',  # blanks of the model's own
        '{"a2b3c4": true}',
        '{"a2b3c4": true, "d5e6f7": null}',
        '{"d5e6f7": true, "a2b3c4": true}',
        '{"a2b3c4": true, "d5e6f7": false} and so on',
    ],
)
def test_no_other_answer_fits(answer):
    assert not re.fullmatch(form_regex(FORMATS["json"].skeleton(LABELS)), answer)


@pytest.mark.parametrize("quote", ['a "quoted" word', "back\\slash", "two\nlines", "x" * 241])
def test_a_quote_cannot_leave_its_string_or_its_bounds(quote):
    parts = FORMATS["reasoned"].skeleton(LABELS)
    assert not re.fullmatch(form_regex(parts), fill(parts, (True, True), quote))
