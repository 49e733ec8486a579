"""Marks put on sentences that are there already: emoji, citations, highlights."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from rubricbench.solver.document import Document, Sentence
from rubricbench.solver.pools import pool
from rubricbench.solver.writer import Writer

_END = re.compile(r"[.!?]*$")


def decorate(document: Document, writer: Writer) -> None:
    """Put on the marks that the wishes ask for; what is decorated stays."""
    wishes = writer.wishes
    bold = len(wishes.bold)
    for _ in range(wishes.span("highlights").low - bold):
        _put(document, writer, _highlighted, "highlights")
    for style, write in _CITATIONS.items():
        if style in wishes.citations:
            marks = write()
            for _ in range(wishes.citations[style].low):
                mark = next(marks)
                _put(document, writer, _before_end(mark), f"citation:{style}")
    icons = writer.shuffled(pool("emoji"))
    for i in range(wishes.span("emoji").low):
        _put(document, writer, _before_end(f" {icons[i % len(icons)]}"), "emoji")


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


def _before_end(mark: str) -> Callable[[Sentence], str | None]:
    def write(sentence: Sentence) -> str:
        end = _END.search(sentence.text)
        at = end.start() if end else len(sentence.text)
        return f"{sentence.text[:at]}{mark}{sentence.text[at:]}"

    return write


def _highlighted(sentence: Sentence) -> str | None:
    """Set a term, or the last word, between asterisks."""
    if "*" in sentence.text or "http" in sentence.text:
        return None
    for term in sentence.terms:
        found = re.search(rf"\b{re.escape(term)}\b", sentence.text)
        if found:
            return f"{sentence.text[: found.start()]}*{found[0]}*{sentence.text[found.end() :]}"
    last = re.search(r"([\w'’-]+)([.!?]*)$", sentence.text)
    return f"{sentence.text[: last.start()]}*{last[1]}*{last[2]}" if last else None


def _put(
    document: Document,
    writer: Writer,
    write: Callable[[Sentence], str | None],
    feature: str,
) -> None:
    """Decorate the sentence that bears the fewest marks; the very last one only if it must be."""
    sentences = document.sentences()
    order = sorted(
        range(len(sentences)),
        key=lambda i: (len(sentences[i].features & _MARKS), _is_closing(sentences[i]), i),
    )
    for i in order:
        sentence = sentences[i]
        text = write(sentence)
        if text is None:
            continue
        writer.forget(sentence)
        sentence.text, sentence.fixed = text, True
        sentence.features |= {feature}
        writer.adopt(sentence)
        return


_MARKS = frozenset({"highlights", "emoji", *(f"citation:{style}" for style in _CITATIONS)})


def _is_closing(sentence: Sentence) -> bool:
    return sentence.last
