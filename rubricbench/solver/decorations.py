"""Marks put on sentences that are there already: emoji, citations, highlights."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rubricbench.checks.text import words
from rubricbench.solver.document import Document
from rubricbench.solver.pools import pool
from rubricbench.solver.sentence import EXACT
from rubricbench.solver.writer import Writer


def decorate(document: Document, writer: Writer, add: Callable[[], bool]) -> None:
    """Put on the marks that the wishes ask for; what is decorated stays.

    Args:
        document: with its sentences.
        writer: wrote them.
        add: adds a plain sentence where no sentence can bear a further mark.
    """
    wishes = writer.wishes
    for _ in range(wishes.span("highlights").low - len(wishes.bold)):
        _put(document, writer, None, add)
    for style, marks_of in _CITATIONS.items():
        if style in wishes.citations:
            marks = marks_of()
            for _ in range(wishes.citations[style].low):
                _put(document, writer, next(marks), add)
    icons = writer.shuffled(pool("emoji"))
    for i in range(wishes.span("emoji").low):
        _put(document, writer, f" {icons[i % len(icons)]}", add)


def _numeric() -> Iterator[str]:
    number = 0
    while True:
        number += 1
        yield f" [{number}]"


def _author_year() -> Iterator[str]:
    names, number = pool("names"), 0
    while True:
        yield f" ({names[number % len(names)]}, {2008 + 3 * number % 17})"
        number += 1


def _footnotes() -> Iterator[str]:
    number = 0
    while True:
        number += 1
        yield f"[^{number}]"


_CITATIONS: dict[str, Callable[[], Iterator[str]]] = {
    "numeric": _numeric,
    "author_year": _author_year,
    "footnote": _footnotes,
}


def _put(document: Document, writer: Writer, mark: str | None, add: Callable[[], bool]) -> None:
    """Decorate a sentence; where none can bear the mark, add one and try again."""
    if not _decorated(document, writer, mark) and add():
        _decorated(document, writer, mark)


def _decorated(document: Document, writer: Writer, mark: str | None) -> bool:
    """Put a mark (None: a highlight) on the sentence that bears the fewest, the last one last."""
    limit = writer.wishes.sentence_limit
    found = [sentence for sentence in document.sentences() if EXACT not in sentence.features]
    for sentence in sorted(found, key=lambda one: (len(one.marks) + one.lit, one.last)):
        if mark is None:
            if sentence.can_be_lit:
                sentence.lit = True
                return True
            continue
        if not limit or sentence.size + len(words(mark)) <= limit:
            sentence.marks.append(mark)
            return True
    return False
