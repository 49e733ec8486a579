"""How many sentences a constraint takes up, so that a short answer is not asked for too much."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rubricbench.builders.verifiable.constraint import Constraint
from rubricbench.builders.verifiable.scene import Scene

_FREE = ("json", "csv", "table", "card", "code", "acrostic_lines", "acrostic_paragraphs")
_ITEMS = ("bullets", "numbered", "numbered_questions", "glossary")

Params = Mapping[str, Any]


def _least(p: Params) -> float:
    return float(p.get("minimum") or 0)


_LOADS: dict[str, Callable[[Params], float]] = {
    "bold_terms": lambda p: 1,
    "capital_word_frequency": _least,
    "citation_count": lambda p: _least(p) if p["style"] in ("url", "markdown_link") else 0,
    "closing_question": lambda p: 1,
    "constrained_response": lambda p: 1,
    "end_phrase": lambda p: 1,
    "keyword_frequency": _least,
    "keyword_in_section": lambda p: 1,
    "keyword_in_sentence": lambda p: 1,
    "keywords_include": lambda p: len(p["keywords"]) / 2,
    "lemma_include": lambda p: 1,
    "letter_frequency": lambda p: 1 if _least(p) else 0,
    "nth_paragraph_first_word": lambda p: 1,
    "ordered_mentions": lambda p: 1.5,
    "placeholder_count": _least,
    "question_count": _least,
    "regex_match": lambda p: 1,
    "starts_with": lambda p: 1,
    "states_number": lambda p: 1,
    "symbol_count": _least,
    "title": lambda p: 0.5,
}


def load(constraint: Constraint) -> float:
    """Return about how many sentences an answer spends on a constraint."""
    if constraint.kind == "penalty" or constraint.family not in _LOADS:
        return 0
    return _LOADS[constraint.family](constraint.check.params)


def fits(scene: Scene, made: Constraint, kept: Iterable[Constraint]) -> bool:
    """Tell whether the planned answer has room for one more constraint."""
    layout, size = scene.skeleton.layout, scene.size
    added = load(made)
    if layout in _FREE or not added:
        return True
    room = size.items if layout in _ITEMS else size.sentences
    if layout == "nested":
        room = size.items * 2
    core = scene.layout.core
    spent = sum(load(one) for one in kept if layout not in _ITEMS or one.family not in core)
    return spent + added <= room
