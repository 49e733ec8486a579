"""Families about lengths of sentences, paragraphs and lines, and about marks and symbols."""

from __future__ import annotations

import re
import unicodedata

from rubricbench.checks.bounds import amount, bad_bounds, bounds, counted, within
from rubricbench.checks.registry import Outcome, Param, Params, family
from rubricbench.checks.text import (
    count_graphemes,
    graphemes,
    headings,
    is_rule,
    lines,
    list_items,
    outside_fences,
    paragraphs,
    sentences,
    split_words,
)
from rubricbench.checks.text.emoji import emoji
from rubricbench.checks.text.inline import without_code
from rubricbench.checks.wording import quote, quote_short, quoted_series, tally

_URL = re.compile(r"(?:https?://|www\.)\S+")
_QUESTION = re.compile(r"[!?？؟՞\u037e]+")
_HASHTAG = re.compile(r"(?<![\w&/#])#(?=\w*[^\W\d_])\w+")


@family(
    "sentence_word_limit",
    describe=lambda p: (
        f"No sentence of the response is longer than {p['maximum']} "
        f"word{'' if p['maximum'] == 1 else 's'}."
    ),
    params={"maximum": Param("int", "most words in a sentence", minimum=1, maximum=10_000)},
    passes=[
        ({"maximum": 4}, "It is late. Go to bed!"),
        ({"maximum": 3}, "# A heading may be longer\n\n- one two three\n- four"),
    ],
    fails=[
        ({"maximum": 4}, "It is late, so go. Good night!"),
        ({"maximum": 2}, "Dr. J. Smith left."),
    ],
)
def sentence_word_limit(text: str, params: Params) -> Outcome:
    """The longest sentence (`text.sentences`: list items are some, headings and code none)."""
    found = [(len(split_words(one)), one) for one in sentences(text)]
    if not found:
        return Outcome(False, "no sentence")
    longest, which = max(found, key=lambda pair: pair[0])
    return Outcome(longest <= params["maximum"], f"{tally(longest, 'word')}: {quote_short(which)}")


@family(
    "paragraph_word_range",
    describe=lambda p: f"Every paragraph of the response has {amount(p, 'word')}.",
    **bounds("words"),
    passes=[
        ({"minimum": 2, "maximum": 3}, "# Title\n\nOne two.\n\n- item\n\nOne two three."),
        ({"maximum": 4}, "One two\nthree four.\n\n```\na b c d e f\n```"),
    ],
    fails=[
        ({"minimum": 2, "maximum": 3}, "One two.\n\nOne two three four."),
        ({"minimum": 1}, "- only\n- a list"),
    ],
)
def paragraph_word_range(text: str, params: Params) -> Outcome:
    """Every paragraph of prose has a number of words within the bounds, and there is one.

    A paragraph is a block between blank lines. Headings, lists, tables, code and rules are none;
    a heading or list directly above or below a paragraph is taken off it.
    """
    sizes = [len(split_words(block)) for block in prose_paragraphs(text)]
    if not sizes:
        return Outcome(False, "no paragraph")
    met = all(within(size, params) for size in sizes)
    return Outcome(met, f"{tally(len(sizes), 'paragraph')} of {min(sizes)} to {max(sizes)} words")


def prose_paragraphs(text: str) -> list[str]:
    """Return the paragraphs without headings, list items, table rows, code and rules."""
    titles, items = {h.line for h in headings(text)}, {item.line for item in list_items(text)}
    blocks: list[list[str]] = [[]]
    last = -1
    in_list = False
    for i, row in outside_fences(text):
        content = row.strip()
        in_list = i in items or (in_list and not row[:1].strip())
        is_prose = bool(content) and content[0] != "|" and not is_rule(content)
        if is_prose and not in_list and i not in titles:
            if i != last + 1:
                blocks.append([])
            blocks[-1].append(content)
            last = i
    return [" ".join(block) for block in blocks if any(map(split_words, block))]


@family(
    "max_line_length",
    describe=lambda p: (
        f"No line of the response is longer than {p['maximum']:,} "
        f"character{'' if p['maximum'] == 1 else 's'}."
    ),
    params={"maximum": Param("int", "most characters in a line", minimum=1, maximum=100_000)},
    passes=[
        ({"maximum": 5}, "short\nlines   \n"),
        ({"maximum": 2}, "👩‍💻é"),
    ],
    fails=[
        ({"maximum": 5}, "short\nlonger"),
        ({"maximum": 1}, "👩‍💻é"),
    ],
)
def max_line_length(text: str, params: Params) -> Outcome:
    """The longest line, in characters as a reader counts them, white space at its end aside."""
    limit = params["maximum"]
    longest = 0
    for row in lines(text):
        size = len(row)  # never fewer than the characters a reader counts
        if size > longest:
            row = row.rstrip()
            size = count_graphemes(row)
            longest = max(longest, size)
    return Outcome(longest <= limit, f"longest line: {tally(longest, 'character')}")


@family(
    "line_count",
    describe=lambda p: f"The response has {amount(p, 'line')}, blank lines not counted.",
    **bounds("lines"),
    passes=[
        ({"minimum": 3, "maximum": 3}, "An old pond\n\na frog jumps in\nsplash"),
        ({"maximum": 1}, "One line, however long.\n"),
    ],
    fails=[({"minimum": 2}, "One line."), ({"maximum": 1}, "One\ntwo")],
)
def line_count(text: str, params: Params) -> Outcome:
    """How many lines are not blank."""
    return counted(sum(1 for row in lines(text) if row.strip()), params, "line")


@family(
    "character_count",
    describe=lambda p: f"The response has {amount(p, 'character')}, spaces included.",
    **bounds("characters"),
    passes=[
        ({"minimum": 5, "maximum": 5}, " a bc\n\n".strip() + "d\n"),
        ({"maximum": 3}, "👨‍👩‍👧‍👦é!"),
    ],
    fails=[({"maximum": 5}, "a b cd"), ({"minimum": 4}, "  abc  ")],
)
def character_count(text: str, params: Params) -> Outcome:
    """How many characters a reader counts (grapheme clusters), white space at the ends aside."""
    text = text.strip()
    return counted(count_graphemes(text), params, "character")


@family(
    "emoji_count",
    describe=lambda p: f"The response contains {amount(p, 'emoji', 'emoji')}.",
    **bounds("emoji"),
    passes=[
        ({"minimum": 2, "maximum": 2}, "Hi 👋🏽 from 👨‍👩‍👧‍👦"),
        ({"maximum": 0}, "5 * 2 © 2024 ™ → ✓ :-)"),
        ({"minimum": 1, "maximum": 1}, "With ❤️"),
    ],
    fails=[({"minimum": 1}, "Smile :-)"), ({"maximum": 1}, "🇩🇪🇫🇷")],
)
def emoji_count(text: str, params: Params) -> Outcome:
    """How many emoji there are (`text.emoji`): sequences are one, text symbols like ✓ none."""
    return counted(len(emoji(text)), params, "emoji", "emoji")


@family(
    "question_count",
    describe=lambda p: f"The response asks {amount(p, 'question')}.",
    **bounds("questions"),
    passes=[
        ({"minimum": 2, "maximum": 2}, "## Why?\n\nReally?! See https://example.org/?q=1."),
        ({"maximum": 0}, "`a ? b : c` is code."),
    ],
    fails=[
        ({"minimum": 2}, "What???"),
        ({"maximum": 0}, "「なぜ？」"),
    ],
)
def question_count(text: str, params: Params) -> Outcome:
    """How many runs of question marks there are ("?!" is one), outside code and addresses."""
    text = without_code(text)
    text = _URL.sub(" ", text) if "://" in text or "www." in text else text
    found = sum(1 for run in _QUESTION.finditer(text) if run[0].strip("!"))
    return counted(found, params, "question")


@family(
    "symbol_count",
    describe=lambda p: f"The response contains {_symbols(p)}.",
    **(
        bounds(
            "occurrences, all symbols together",
            symbols=Param("list[str]", "punctuation marks or symbols", minimum=1, maximum=50),
        )
        | {"validate": lambda p: _bad_symbols(p["symbols"]) or bad_bounds(p)}
    ),
    passes=[
        ({"symbols": ["!"], "minimum": 1, "maximum": 1}, "Done!"),
        ({"symbols": ["—", "–"], "maximum": 0}, "A well-known fact - so they say."),
    ],
    fails=[
        ({"symbols": ["!"], "maximum": 1}, "Done! At last!"),
        ({"symbols": ["(", ")"], "maximum": 0}, "So (they) say."),
    ],
)
def symbol_count(text: str, params: Params) -> Outcome:
    """How often the symbols occur, all together, exactly as they are written."""
    return counted(sum(map(text.count, set(params["symbols"]))), params, "occurrence")


def _bad_symbols(symbols: list[str]) -> str | None:
    for symbol in symbols:
        if len(graphemes(symbol)) != 1 or symbol.isalnum() or symbol.isspace():
            return f"not a single punctuation mark or symbol: {symbol!r:.40}"
    return None


def _symbols(params: Params) -> str:
    one = len(params["symbols"]) == 1
    if params["maximum"] == 0:
        return f"no {quoted_series(params['symbols'], 'or')}"
    what = amount(params, "occurrence")
    return f"{what} of {quoted_series(params['symbols'])}{'' if one else ' in all'}"


@family(
    "hashtag_count",
    describe=lambda p: f"The response contains {amount(p, 'hashtag')}, such as #science.",
    **bounds("hashtags"),
    passes=[
        ({"minimum": 2}, "Read on! #Science #été2024"),
        ({"maximum": 0}, "# Heading, issue #12, `#tag`, https://a.org/x#part"),
    ],
    fails=[({"minimum": 1}, "# Science"), ({"maximum": 1}, "#a #b")],
)
def hashtag_count(text: str, params: Params) -> Outcome:
    """How many words with a letter in them follow a ``#`` directly, outside code and addresses."""
    return counted(sum(1 for _ in _HASHTAG.finditer(without_code(text))), params, "hashtag")


@family(
    "acrostic",
    describe=lambda p: (
        f"The first letters of the response's {p['unit']}s, from top to bottom, spell "
        f"{quote(_bare(p['letters']).upper())}."
    ),
    params={
        "letters": Param(
            "str", "the letters to spell; spaces do not count", minimum=1, maximum=200
        ),
        "unit": Param("str", "what starts with the letters", "line", choices=("line", "paragraph")),
    },
    validate=lambda p: None if _bare(p["letters"]).isalpha() else "letters only, and at least one",
    passes=[
        ({"letters": "SEA"}, "Salt in the air\n\n**Every** wave\n“A gull"),
        ({"letters": "eu", "unit": "paragraph"}, "Élan\nvital.\n\n- Un\n- peu."),
    ],
    fails=[
        ({"letters": "SEA"}, "Here it is:\nSalt\nEvery wave\nA gull"),
        ({"letters": "SEA"}, "Salt\nEvery\nA gull\nBoat"),
    ],
)
def acrostic(text: str, params: Params) -> Outcome:
    """The first letters of all non-blank lines (or paragraphs) spell the letters, no more, no less.

    What stands before the first letter (bullets, numbers, quotes, marks) is passed over, case and
    accents make no difference, and a line without any letter is not counted.
    """
    units = lines(text) if params["unit"] == "line" else paragraphs(text)
    firsts = (next(filter(str.isalpha, unit), "") for unit in units)
    spelled, wanted = _bare("".join(firsts)), _bare(params["letters"])
    return Outcome(spelled == wanted, f"spells {quote_short(spelled.upper())}")


def _bare(letters: str) -> str:
    """Return letters without spaces, accents and case."""
    parts = unicodedata.normalize("NFD", "".join(letters.split()).casefold())
    return "".join(char for char in parts if not unicodedata.combining(char))
