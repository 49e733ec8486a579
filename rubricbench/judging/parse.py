"""A judge's stored answer to verdicts: a pure function, so a better parser needs no new call.

Strict: every criterion answered once, under its own label, by a value of the form asked for;
nothing is guessed. The answer is one JSON object, alone or in one fenced block. Prose around it
makes the answer unparsable: which of several objects in a text is the judge's own is a guess that
an attacker would like us to make. What cannot be read is unknown with its cause, and that for one
criterion alone where only that one is affected.

Where log-probabilities were stored, known verdicts are soft (`rubricbench.judging.soft`).

Letters (``Y N Y``) have their order for a label. With one too few or too many nobody knows which
criterion was passed over, so none of them counts.

Labels under which nothing was asked are passed over: they take nothing away from a verdict given
under the right label. They are the stated cause, ``unexpected_id``, where a right label is missing.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Sequence
from typing import Any

from rubricbench.judging.formats import Format, get_format
from rubricbench.judging.labels import canonical_labels
from rubricbench.judging.reasoning import split_reasoning
from rubricbench.judging.soft import soften
from rubricbench.schema import Cause, Verdict, met, unknown, unmet
from rubricbench.store import Completion

_FENCED = re.compile(r"\A```(?:json)?[ \t]*\n(.*)\n[ \t]*```\Z", re.DOTALL)
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"(\s*:)?', re.DOTALL)
_REFUSAL = re.compile(
    r"\W*(?:i(?:'|’)?m sorry|i am sorry|sorry[,.]|i can(?:no|'|’)t\b|i can not\b"
    r"|i(?:'|’)m unable|i am unable|i won(?:'|’)t\b|i must decline)",
    re.IGNORECASE,
)
# Causes that lie in how the judge answered: asked once more, and told so, it may do better.
REPAIRABLE = frozenset(
    {
        Cause.EMPTY,
        Cause.TRUNCATED,
        Cause.REFUSAL,
        Cause.UNPARSABLE,
        Cause.MISSING_ID,
        Cause.DUPLICATE_ID,
        Cause.UNEXPECTED_ID,
    }
)
_REPEATED = object()  # stands for the value of a key that an object holds twice


class _NoAnswerError(Exception):
    """There is nothing to read verdicts from, for this cause."""

    def __init__(self, cause: Cause) -> None:
        self.cause = cause


def parse(completion: Completion, criterion_ids: Sequence[str], format: str) -> list[Verdict]:
    """Return one verdict per criterion, in the order asked.

    Args:
        completion: the stored answer, its labels canonical (`rubricbench.judging.labels`).
        criterion_ids: the criteria that were asked about, in the order asked.
        format: name of the answer format.
    """
    form = get_format(format)
    labels = canonical_labels(len(criterion_ids), hidden=form.hidden_labels)
    try:
        answered = _answered(completion, labels, form)
    except _NoAnswerError as nothing:
        return [unknown(own, nothing.cause) for own in criterion_ids]
    # Answering under a label of one's own making is another fault than not answering.
    absent = Cause.UNEXPECTED_ID if answered.keys() - set(labels) else Cause.MISSING_ID
    verdicts = [
        _verdict(own, answered[label], form) if label in answered else unknown(own, absent)
        for own, label in zip(criterion_ids, labels, strict=True)
    ]
    return soften(verdicts, completion, form) if completion.logprobs else verdicts


def _verdict(criterion_id: str, value: Any, form: Format) -> Verdict:
    if value is _REPEATED:
        return unknown(criterion_id, Cause.DUPLICATE_ID)
    try:
        is_met, evidence = form.read(value)
    except ValueError:
        return unknown(criterion_id, Cause.UNPARSABLE)
    if evidence:
        return met(criterion_id, evidence) if is_met else unmet(criterion_id, evidence)
    return _bare(criterion_id, is_met)


@functools.lru_cache(maxsize=1 << 16)
def _bare(criterion_id: str, is_met: bool) -> Verdict:
    # Verdicts are checked where they are made; a rubric's are the same two for all its responses.
    return met(criterion_id) if is_met else unmet(criterion_id)


def _answered(completion: Completion, labels: Sequence[str], form: Format) -> dict[str, Any]:
    if completion.finish_reason == "content_filter":
        raise _NoAnswerError(Cause.FILTERED)
    if completion.finish_reason == "refusal":
        raise _NoAnswerError(Cause.REFUSAL)
    cut_off = completion.finish_reason == "length"
    _, text, complete = split_reasoning(completion.text)
    text = text.strip()
    if not complete or (not text and cut_off):
        raise _NoAnswerError(Cause.TRUNCATED)
    if not text:
        raise _NoAnswerError(Cause.EMPTY)
    block = _FENCED.match(text)
    body = block[1] if block else text
    found = _json_object(body) if form.is_json else _letters(body, labels, form, cut_off)
    if found is not None:  # an object that is closed is whole, also at the limit
        return found
    if cut_off:
        raise _NoAnswerError(Cause.TRUNCATED)
    raise _NoAnswerError(Cause.REFUSAL if _REFUSAL.match(text) else Cause.UNPARSABLE)


def _letters(
    body: str, labels: Sequence[str], form: Format, cut_off: bool
) -> dict[str, Any] | None:
    letters = body.strip().split(" ")
    if any(letter not in (form.slot.met, form.slot.unmet) for letter in letters):
        return None
    if len(letters) < len(labels):
        raise _NoAnswerError(Cause.TRUNCATED if cut_off else Cause.MISSING_ID)
    if len(letters) > len(labels):
        raise _NoAnswerError(Cause.UNEXPECTED_ID)
    return dict(zip(labels, letters, strict=True))


def _json_object(body: str) -> dict[str, Any] | None:
    try:
        value = _DECODER.decode(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or _has_escaped_key(body):
        return None
    return value


def _marked(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        found[key] = _REPEATED if key in found else value
    return found


# json, not a faster decoder: it alone shows that a key was given twice, which decoders settle in
# silence for the last; and it takes half surrogates, which models emit.
_DECODER = json.JSONDecoder(object_pairs_hook=_marked)


def _has_escaped_key(body: str) -> bool:
    r"""Return whether a key is written with escapes.

    No label needs one, and ``"\u003ccriterion 1>"`` would get past the marking of canonical labels.
    """
    if "\\" not in body:
        return False
    return any("\\" in string[1] and string[2] for string in _STRING.finditer(body))
