"""Gates that look at one criterion's words: is it one thing, whole in itself, and observable?

Criteria with a check are left alone: a program decides them, however they are worded.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from rubricbench.lint.finding import Finding, finding
from rubricbench.lint.words import any_of
from rubricbench.schema import Criterion, Rubric

_SECOND_THAT = re.compile(r"\bthat\b.{3,}\b(?:and|as well as)\s+that\b", re.IGNORECASE | re.DOTALL)
_SENTENCES = re.compile(r"[.;!?]\s+(?=[A-Z(])")
_ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|vs|approx|etc|Dr|Mr|Mrs|Ms|St|No|cf|ca)\.$")
_OUTSIDE = (
    (r"\b(?:criterion|criteria|rubric item|item) (?:#\s*)?\d", "another criterion by its number"),
    (
        r"\b(?:the )?(?:other|previous|preceding|above|earlier|following) criteri(?:on|a)\b",
        "another",
    ),
    (r"\bresponses? (?:[AB12]|one|two)\b", "another response"),
    (r"\bthe (?:other|better|worse|first|second|reference|ideal) (?:response|answer)\b", "another"),
    (
        r"\b(?:user|original|given) prompt\b|\bas (?:asked|requested|stated|described) above\b",
        "prompt",
    ),
    (r"\bsee above\b|\bas above\b|\bthe above\b", "something above"),
)
_OUTSIDE_ANY = [(re.compile(pattern, re.IGNORECASE), what) for pattern, what in _OUTSIDE]
_UNNAMED = re.compile(
    r"\b(?:correct|right|accurate|proper|appropriate|true)\s+"
    r"(?:final\s+|numerical\s+)?(?:answer|value|figure|amount|result|number|diagnosis|dose|formula|"
    r"date|name|cause|conclusion|calculation|explanation|information|terminology)\b",
    re.IGNORECASE,
)
_MEANT = re.compile(
    r"\b(?:tries to|attempts to|intends|wants to|understands|knows|reali[sz]es|cares about)\b",
    re.IGNORECASE,
)
_VAGUE = re.compile(
    r"\b(?:adequately|appropriately|clearly|correctly|effectively|properly|reasonably|sufficiently|"
    r"suitably|thoroughly|well enough|in (?:sufficient|enough|appropriate) detail)\b",
    re.IGNORECASE,
)


def wording(rubric: Rubric) -> Iterator[Finding]:
    """Yield what is wrong with the words of single criteria."""
    for criterion in rubric.criteria:
        if criterion.check is None:
            yield from _atomic(rubric, criterion)
            yield from _contained(rubric, criterion)
            yield from _observable(rubric, criterion)


def _atomic(rubric: Rubric, criterion: Criterion) -> Iterator[Finding]:
    text = _without_quotes(criterion.criterion)
    second = _second_verb().search(text)
    if second:
        yield finding("compound", rubric, criterion, f"a second requirement begins: {second[1]!r}")
    elif any(not _ABBREVIATION.search(text[: m.start() + 1]) for m in _SENTENCES.finditer(text)):
        yield finding("compound", rubric, criterion, "several sentences")
    elif _SECOND_THAT.search(text):
        yield finding("two_claims", rubric, criterion, "“that … and that …”")


def _contained(rubric: Rubric, criterion: Criterion) -> Iterator[Finding]:
    text = _without_quotes(criterion.criterion)
    for pattern, what in _OUTSIDE_ANY:
        found = pattern.search(text)
        if found:
            yield finding("refers_outside", rubric, criterion, f"{found[0]!r} refers to {what}")
            break
    found = _UNNAMED.search(text)
    # A figure, a quotation, or words that name it, after a colon or in brackets, say what it is.
    if found and not re.search(r"\d|[:(“\"]", criterion.criterion):
        yield finding("unnamed_answer", rubric, criterion, f"{found[0]!r} without saying which")


def _observable(rubric: Rubric, criterion: Criterion) -> Iterator[Finding]:
    text = _without_quotes(criterion.criterion)
    for pattern, why in ((_vague_judgement(), "a judgement"), (_MEANT, "the author's mind")):
        found = pattern.search(text)
        # "Concludes that the app is effective" says what the response claims: that can be seen.
        if found and not re.search(r"\bthat\b", text[: found.start()]):
            said = found[0].strip(" ,.")
            yield finding("unobservable", rubric, criterion, f"{said!r} is {why}")
            return
    found = _VAGUE.search(text)
    if found:
        yield finding("vague", rubric, criterion, f"{found[0]!r} is read differently by graders")


@functools.cache
def _second_verb() -> re.Pattern[str]:
    joint = r"(?:,|;|\band\b|\bbut\b|\bas well as\b)\s+(?:also\s+|then\s+)?"
    return re.compile(rf"{joint}({any_of('verbs')})\b")


@functools.cache
def _vague_judgement() -> re.Pattern[str]:
    being = r"\b(?:is|are|be|being|remains|sounds|feels|seems)\s+(?:(?:very|overall|both|also)\s+)?"
    end = r"(?:,|\.|\s+(?:and|overall|in tone|throughout)\b|$)"
    return re.compile(rf"{being}(?:{any_of('qualities')}){end}", re.IGNORECASE)


def _without_quotes(text: str) -> str:
    """Return a text without what it quotes: that is the response's wording, not the criterion's."""
    return re.sub(r"“[^”]*”|\"[^\"]*\"|'[^'\s][^']*[^'\s]'(?!\w)|\([^()]*\)", " ", text)
