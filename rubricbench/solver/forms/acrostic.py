"""Lines or paragraphs whose first letters spell a word."""

from __future__ import annotations

import re

from rubricbench.solver.document import Fixed, Slot
from rubricbench.solver.forms.text import pools_of
from rubricbench.solver.frames import fill, shape
from rubricbench.solver.mentions import Mention
from rubricbench.solver.pools import table
from rubricbench.solver.sentence import Sentence
from rubricbench.solver.writer import Writer

Parts = list[Fixed | Slot]


def acrostic(writer: Writer) -> Parts:
    """Return a slot for each letter, opened by a sentence that begins with it."""
    letters, unit = writer.wishes.acrostic or ("", "line")
    by_line = unit == "line"
    slots: list[Slot] = []
    for i, letter in enumerate(letters):
        left = len(letters) - i
        due = -(-len(writer.queue) // left)
        sentence = _line(writer, letter, writer.take(min(due, len(writer.queue))), by_line)
        gap = "\n" if by_line and i else "\n\n"
        most = 1 if by_line else 1000
        words = writer.wishes.span("paragraph words")
        slots.append(Slot([sentence], gap=gap, pools=pools_of(writer), most=most, words=words))
    _punctuate(writer, slots)
    return [*slots]


def _line(writer: Writer, letter: str, mentions: list[Mention], by_line: bool) -> Sentence:
    """Return a line that begins with the letter and mentions what is due."""
    end = "" if by_line else "."
    limit = writer.wishes.line_limit if by_line else 0
    features = frozenset[str]().union(*(mention.features for mention in mentions))
    frames = writer.shuffled(table("lines").get(letter, [f"{letter.upper()} is for {{term}}"]))
    for frame in sorted(frames, key=lambda one: shape(one).terms != bool(mentions)):
        terms = [mention.shown for mention in mentions]
        if not terms and shape(frame).terms:
            terms = [word for word in writer.vocabulary if writer.accepts(word, features)][:1]
        if shape(frame).terms and not terms:
            continue
        text = _with_terms(frame, writer.material.topic, terms) + end
        fits = (not limit or len(text) <= limit) and writer.accepts(text, features)
        if fits and text not in writer.live:
            used = tuple(mention.term for mention in mentions)
            return writer.adopt(Sentence(text, True, used, features, first=True))
    first = _with_terms(frames[0], writer.material.topic, [m.shown for m in mentions] or ["work"])
    return writer.adopt(Sentence(first + end, True, (), features, first=True))


def _with_terms(frame: str, topic: str, terms: list[str]) -> str:
    """Fill a line; several terms share its one slot, or follow it where it has none."""
    joined = " and the ".join(terms)
    if shape(frame).terms:
        return fill(frame, topic, (joined,))
    return f"{frame} with the {joined}" if terms else frame


def _punctuate(writer: Writer, slots: list[Slot]) -> None:
    """Put a symbol that is asked for at the end of a line."""
    at = 0
    for symbols, span in writer.wishes.symbols:
        for _ in range(span.low):
            sentence = slots[at % len(slots)].sentences[0]
            sentence.base = re.sub(r"[.]?$", symbols[0], sentence.base)
            at += 1
