"""Makers about how much there is: words, sentences, paragraphs, lines, items."""

from __future__ import annotations

from rubricbench.builders.verifiable.constraint import Constraint, made
from rubricbench.builders.verifiable.families.registry import maker
from rubricbench.builders.verifiable.phrasing import phrase, quoted, span
from rubricbench.builders.verifiable.scene import Scene
from rubricbench.draws import Draws

_STRUCTURED = ("bullets", "numbered", "numbered_questions", "nested", "glossary", "table", "card")
_CAPPED = ("json", "csv", "code", "acrostic_lines", "acrostic_paragraphs")


def _words(scene: Scene) -> int:
    """Return about how many words the planned answer has."""
    size, layout = scene.size, scene.skeleton.layout
    if layout in ("table", "csv"):
        return size.rows * 14 + 12
    if layout == "nested":
        return size.items * 2 * 7
    if layout in _STRUCTURED and size.items:
        return size.items * size.item_words + 8
    if layout == "card":
        return 60
    return size.words


def _round(value: float, step: int = 5) -> int:
    return max(step, int(value / step + 0.5) * step)


@maker("word_count")
def word_count(scene: Scene, draws: Draws) -> Constraint | None:
    """A range around the plan, an exact number, or one bound."""
    words, layout = _words(scene), scene.skeleton.layout
    low: int | None
    high: int | None
    if layout in _CAPPED:
        low, high = None, _round(max(words * 2.2, 120), 10)
    elif layout in _STRUCTURED:
        low, high = _round(words * 0.6), _round(words * 1.5)
    elif layout == "echo":
        low, high = _round(words), _round(words * 1.35 + 20)
    elif words < 70 and layout in ("prose", "quoted", "options") and draws.chance(25):
        low = high = words
    else:
        low, high = _drawn_bounds(words, draws)
    claims = ("size",)
    earlier = _earlier(draws, "word_count", low, high)
    text = phrase(draws, "word_count", span(low, high), minimum=low, maximum=high)
    return made("word_count", text, "form", *claims, earlier=earlier, minimum=low, maximum=high)


def _drawn_bounds(words: int, draws: Draws) -> tuple[int | None, int | None]:
    slack = draws.between(7, 14)
    low, high = _round(words * (100 - slack) / 100), _round(words * (100 + slack) / 100)
    kind = draws.below(10)
    if kind < 7:
        return low, max(high, low + 10)
    return (low, None) if kind == 7 else (None, high)


def _earlier(draws: Draws, name: str, low: int | None, high: int | None) -> str:
    """Word the same condition with other numbers, as the first turn of a conversation had it."""
    factor = draws.pick([0.5, 1.6, 2.0])
    other = [None if x is None else max(2, round(x * factor)) for x in (low, high)]
    return phrase(draws, name, span(low, high), minimum=other[0], maximum=other[1])


@maker("character_count")
def character_count(scene: Scene, draws: Draws) -> Constraint | None:
    """Characters instead of words: English has five to seven for each word, spaces included."""
    low: int | None = _round(scene.size.words * 5.3, 10)
    high = _round(scene.size.words * 7.0, 10)
    if scene.skeleton.layout == "social":
        low, high = None, high + 60  # hashtags are long words
    elif draws.chance(40):
        low = None
    text = phrase(draws, "character_count", span(low, high), minimum=low, maximum=high)
    earlier = _earlier(draws, "character_count", low, high)
    return made("character_count", text, "form", "size", earlier=earlier, minimum=low, maximum=high)


@maker("sentence_count")
def sentence_count(scene: Scene, draws: Draws) -> Constraint | None:
    """Exactly as many as planned, or one or two more or less."""
    planned = scene.size.sentences + (scene.skeleton.layout == "options")
    kind = draws.below(4)
    low: int | None = planned
    high: int | None = planned
    if kind == 1:
        low, high = max(2, planned - 1), planned + 1
    elif kind == 2:
        high = None
    elif kind == 3:
        low, high = None, planned + 1
    text = phrase(draws, "sentence_count", span(low, high), minimum=low, maximum=high)
    earlier = _earlier(draws, "sentence_count", low, high)
    return made(
        "sentence_count", text, "form", "sentences", earlier=earlier, minimum=low, maximum=high
    )


@maker("paragraph_count")
def paragraph_count(scene: Scene, draws: Draws) -> Constraint | None:
    """As many as planned; for pieces divided by asterisks, three to five."""
    if scene.skeleton.layout == "divided":
        count = draws.between(3, 5)
        text = phrase(draws, "paragraph_count", "divided", minimum=count)
        return made(
            "paragraph_count",
            text,
            "form",
            "paragraphs",
            separator="***",
            minimum=count,
            maximum=count,
        )
    count = max(2, scene.size.paragraphs)
    low, high = (count, count) if draws.chance(75) else (count, count + 1)
    text = phrase(draws, "paragraph_count", span(low, high), minimum=low, maximum=high)
    earlier = _earlier(draws, "paragraph_count", low, high)
    return made(
        "paragraph_count", text, "form", "paragraphs", earlier=earlier, minimum=low, maximum=high
    )


@maker("paragraph_word_range")
def paragraph_word_range(scene: Scene, draws: Draws) -> Constraint | None:
    """Every paragraph about as long as planned."""
    if scene.skeleton.layout == "acrostic_paragraphs":
        low, high = 10, 40
    else:
        each = scene.size.words / max(2, scene.size.paragraphs)
        low, high = _round(each * 0.55), _round(each * 1.6)
    minimum = low if draws.chance(70) else None
    text = phrase(draws, "paragraph_word_range", span(minimum, high), minimum=minimum, maximum=high)
    return made(
        "paragraph_word_range", text, "form", "paragraph words", minimum=minimum, maximum=high
    )


@maker("sentence_word_limit")
def sentence_word_limit(scene: Scene, draws: Draws) -> Constraint | None:
    """No sentence longer than a comfortable one."""
    limit = draws.between(17, 22)
    text = phrase(draws, "sentence_word_limit", "default", maximum=limit)
    return made("sentence_word_limit", text, "style", maximum=limit)


@maker("line_count")
def line_count(scene: Scene, draws: Draws) -> Constraint | None:
    """Lines that are not blank: as many as the form asks for anyway, with some slack."""
    layout, size = scene.skeleton.layout, scene.size
    if layout == "card":
        low = len(scene.people["keys"].split("|"))
        high = low + 3
    elif layout == "csv":
        low, high = size.rows, size.rows + 3
    elif layout == "nested":
        low, high = size.items * 2, size.items * 4
    elif layout == "uppercase":
        low = -(-size.words // 8)  # so that short lines can hold the words
        high = low + draws.between(1, 3)
    else:
        low = draws.between(3, 5)
        high = low + draws.between(0, 2)
    text = phrase(draws, "line_count", span(low, high), minimum=low, maximum=high)
    return made("line_count", text, "form", "lines", "sentences", minimum=low, maximum=high)


@maker("max_line_length")
def max_line_length(scene: Scene, draws: Draws) -> Constraint | None:
    """Short lines for poems and signs, the classic widths for the rest."""
    layout = scene.skeleton.layout
    choices = {
        "acrostic_lines": [60, 66, 72],
        "uppercase": [60, 64, 72],
        "table": [120, 140],
        "csv": [90, 100],
        "card": [80, 90, 100],
        "letter": [66, 72, 78],
        "code": [80, 88, 100],
    }.get(layout, [80, 90, 100])
    limit = draws.pick(choices)
    text = phrase(draws, "max_line_length", "default", maximum=limit)
    return made("max_line_length", text, "style", "line length", maximum=limit)


@maker("list_item_words")
def list_item_words(scene: Scene, draws: Draws) -> Constraint | None:
    """Items about as long as planned."""
    low, high = max(2, scene.size.item_words - 4), scene.size.item_words + 5
    kind = draws.below(3)
    bounds = [(low, high), (None, high), (low, None)][kind]
    text = phrase(draws, "list_item_words", span(*bounds), minimum=bounds[0], maximum=bounds[1])
    return made("list_item_words", text, "style", minimum=bounds[0], maximum=bounds[1])


@maker("bullet_count")
def bullet_count(scene: Scene, draws: Draws) -> Constraint | None:
    """As many as planned where the answer is a list; a few of them elsewhere."""
    layout, items = scene.skeleton.layout, scene.size.items
    low: int | None
    high: int | None
    if layout == "headings":
        low, high = draws.between(3, 5), None
    elif layout == "nested":
        low, high = items * 2, items * 2 + draws.between(2, 4)
    else:
        low, high = (items, items) if draws.chance(60) else (items - 1, items + 1)
    text = phrase(draws, "bullet_count", span(low, high), minimum=low, maximum=high)
    return made("bullet_count", text, "form", "bullets", minimum=low, maximum=high)


@maker("numbered_list")
def numbered_list(scene: Scene, draws: Draws) -> Constraint | None:
    """As many items as planned."""
    items = scene.size.items
    low, high = (items, items) if draws.chance(65) else (items - 1, items + 1)
    text = phrase(draws, "numbered_list", span(low, high), minimum=low, maximum=high)
    return made("numbered_list", text, "form", "numbers", minimum=low, maximum=high)


@maker("section_word_range")
def section_word_range(scene: Scene, draws: Draws) -> Constraint | None:
    """One of the sections is bounded."""
    headings = scene.people["headings"].split("|")
    heading = draws.pick(headings)
    each = scene.size.words / len(headings)
    low, high = (None, _round(each * 1.5)) if draws.chance(60) else (_round(each * 0.8), None)
    text = phrase(
        draws, "section_word_range", span(low, high), heading=quoted([heading]),
        minimum=low, maximum=high,
    )  # fmt: skip
    return made(
        "section_word_range",
        text,
        "form",
        "section size",
        heading=heading,
        minimum=low,
        maximum=high,
    )
