"""The response while it is being written: parts that are fixed, and slots that hold sentences."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field

from rubricbench.checks.text import words
from rubricbench.solver.sentence import Sentence
from rubricbench.solver.span import UNBOUNDED, Span

_KEPT_TOGETHER = re.compile(r"\*{1,2}[^*\n]+\*{1,2}|\[[^\]\n]+\](?:\([^)\n]+\))?|<<[^>\n]+>>")
_JOINT = "\ue000"  # private use: stands for a space at which no line may break


@dataclass
class Fixed:
    """Text that stays as it is; ``gap`` is what separates it from the part before."""

    text: str
    gap: str = "\n\n"

    def render(self, limit: int) -> str:
        """Return the text (headings, code and tables are never wrapped)."""
        return self.text


@dataclass
class Slot:
    """A paragraph, list item, cell or line.

    Args:
        sentences: what it holds, in order.
        lead: what stands before the first sentence: ``- ``, ``1. ``, ``Name: ``.
        gap: what separates it from the part before.
        pools: where further sentences may come from, the preferred pool first.
        words: bounds on its words, the lead included.
        least: fewest sentences.
        most: most sentences.
        indent: white space before the lead.
        bare: whether final full stops are left out (cells, lines of verse).
        heading: title of the section it belongs to.
        one_line: whether it must not be broken into several lines.
    """

    sentences: list[Sentence] = field(default_factory=list)
    lead: str = ""
    gap: str = "\n\n"
    pools: tuple[str, ...] = ("body",)
    words: Span = UNBOUNDED
    least: int = 1
    most: int = 1000
    indent: str = ""
    bare: bool = False
    heading: str = ""
    one_line: bool = False

    def text(self) -> str:
        """Return the text on one line."""
        inner = " ".join(sentence.text for sentence in self.sentences)
        if self.bare:
            inner = inner.rstrip(".")
        return f"{self.indent}{self.lead}{inner}"

    def render(self, limit: int) -> str:
        """Return the text, its lines broken at ``limit`` characters (0: not at all)."""
        text = self.text()
        if not limit or len(text) <= limit:
            return text
        marked = _KEPT_TOGETHER.sub(lambda m: m[0].replace(" ", _JOINT), text)
        hanging = self.indent + "  " * bool(self.lead.strip(" ")[:1] in ("-", "*"))
        hanging += "   " * self.lead[:1].isdigit()
        rows = textwrap.wrap(
            marked,
            limit,
            subsequent_indent=hanging,
            break_long_words=False,
            break_on_hyphens=False,
        )
        return "\n".join(rows).replace(_JOINT, " ")

    def size(self) -> int:
        """Number of words, the lead included."""
        return len(words(self.text()))

    def room_at(self) -> list[int]:
        """Return the places where a further sentence may be put."""
        if len(self.sentences) >= self.most:
            return []
        low = sum(1 for sentence in self.sentences if sentence.first)
        high = len(self.sentences) - sum(1 for sentence in self.sentences if sentence.last)
        return list(range(min(low, high), high + 1))


@dataclass
class Document:
    """A response: its parts in order, and how it is finished.

    Args:
        parts: fixed texts and slots.
        line_limit: most characters in a line, 0 for no limit.
        case: ``upper`` or ``lower``, "" for normal.
        quoted: whether all of it stands in double quotation marks.
    """

    parts: list[Fixed | Slot] = field(default_factory=list)
    line_limit: int = 0
    case: str = ""
    quoted: bool = False

    @property
    def slots(self) -> list[Slot]:
        """The slots, in order."""
        return [part for part in self.parts if isinstance(part, Slot)]

    def sentences(self) -> list[Sentence]:
        """Return the sentences of all slots, in order."""
        return [sentence for slot in self.slots for sentence in slot.sentences]

    def render(self) -> str:
        """Return the text of the response."""
        text = ""
        for part in self.parts:
            piece = part.render(self.line_limit)
            if piece:
                text = f"{text}{part.gap}{piece}" if text else piece
        if self.quoted:
            text = f'"{text}"'
        return {"upper": text.upper(), "lower": text.lower()}.get(self.case, text)
