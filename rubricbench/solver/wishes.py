"""What a response must have and must not have, gathered from a rubric's criteria."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rubricbench.checks import run
from rubricbench.schema import Check
from rubricbench.solver.span import Span


@dataclass(frozen=True)
class Ban:
    """A check that every piece of text must meet by itself.

    Args:
        check: the check.
        feature: pieces that carry this feature on purpose are exempt; "" exempts none.
    """

    check: Check
    feature: str = ""

    def allows(self, text: str, features: frozenset[str]) -> bool:
        """Tell whether a piece of text may stand in the response."""
        return self.feature in features or run(self.check, text).met


def _spans() -> dict[str, Span]:
    return {}


@dataclass
class Wishes:
    """The wishes of a rubric, penalties turned into their opposite.

    ``counts`` holds the bounds of everything that is counted, by name: ``words``, ``characters``,
    ``sentences``, ``paragraphs``, ``pieces`` (between asterisks), ``lines``, ``bullets``,
    ``numbers`` (items of a numbered list), ``item words``, ``paragraph words``, ``sections``,
    ``placeholders``, ``highlights``, ``capitals``, ``emoji``, ``questions``, ``hashtags``.
    """

    counts: dict[str, Span] = field(default_factory=_spans)
    include: list[str] = field(default_factory=list)
    ordered: list[list[str]] = field(default_factory=list)
    counted: dict[str, Span] = field(default_factory=_spans)
    bold: list[str] = field(default_factory=list)
    in_section: list[tuple[str, str]] = field(default_factory=list)
    section_words: dict[str, Span] = field(default_factory=_spans)
    in_sentence: dict[int, str] = field(default_factory=dict)
    paragraph_starts: dict[int, str] = field(default_factory=dict)
    headings: list[str] = field(default_factory=list)
    splitter: str = ""
    table: dict[str, Any] | None = None
    csv: dict[str, Any] | None = None
    schema: dict[str, Any] | None = None
    json: bool = False
    keys: list[str] = field(default_factory=list)
    code: list[tuple[str, int]] = field(default_factory=list)
    start: str = ""
    end: str = ""
    postscript: str = ""
    title: bool = False
    quotation: bool = False
    pair: bool = False
    echo: str = ""
    options: list[str] = field(default_factory=list)
    stated: list[tuple[float, str]] = field(default_factory=list)
    patterns: list[str] = field(default_factory=list)
    whole_pattern: str = ""
    citations: dict[str, Span] = field(default_factory=_spans)
    letters: dict[str, Span] = field(default_factory=_spans)
    symbols: list[tuple[tuple[str, ...], Span]] = field(default_factory=list)
    language: str = "en"
    case: str = ""
    acrostic: tuple[str, str] | None = None
    depth: int = 0
    alphabetical: int = 0
    closing_question: bool = False
    sentence_limit: int = 0
    line_limit: int = 0
    variety: int = 0
    repetition: int = 0
    ratio: float = 0.0
    grade: float | None = None
    bans: list[Ban] = field(default_factory=list)

    def span(self, name: str) -> Span:
        """Return the bounds of one of the counts, none if there are no wishes about it."""
        return self.counts.get(name, Span())

    def narrow(self, name: str, low: int | None, high: int | None) -> None:
        """Narrow the bounds of one of the counts."""
        self.counts[name] = self.span(name).meet(low, high)

    def ban(self, name: str, feature: str = "", /, **params: Any) -> None:
        """Ban what a check finds from every piece of text that does not carry it on purpose."""
        self.bans.append(Ban(Check(name, params), feature))
