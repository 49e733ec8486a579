"""Families about what is said where: openings, order of mention, named lines, patterns."""

from __future__ import annotations

from rubricbench.checks.patterns import PatternError, compiled
from rubricbench.checks.registry import Outcome, Param, Params, family
from rubricbench.checks.text import (
    count_phrase,
    find_phrase,
    outside_fences,
    plain,
    searchable,
    sentences,
    starts_with_phrase,
)
from rubricbench.checks.wording import (
    ordinal,
    quote,
    quote_short,
    quoted_series,
    sentence,
    short_series,
    tally,
)

_OPENING_MARKS = " \t\n#>*_~`\"'“‘«([-"
_CLOSING_MARKS = " \t\n\"'”’»)]*_~`"
_QUESTION_MARKS = ("?", "？", "؟", "՞", "\u037e")
_KEYWORD = Param("str", "a word or phrase", minimum=1, maximum=200)


@family(
    "starts_with",
    describe=lambda p: sentence(f"The response starts with {quote(p['phrase'])}"),
    params={"phrase": Param("str", "the first words", minimum=1, maximum=500)},
    validate=lambda p: None if searchable(p["phrase"]) else "an empty phrase",
    passes=[
        ({"phrase": "In short"}, "**In short**, yes."),
        ({"phrase": "Dear Dr. Lee,"}, "\n“Dear Dr. Lee,\nthank you.”"),
        ({"phrase": "# Report"}, "# Report\nText."),
    ],
    fails=[
        ({"phrase": "Yes"}, "Yesterday it rained."),
        ({"phrase": "In short"}, "Well, in short: yes."),
    ],
)
def starts_with(text: str, params: Params) -> Outcome:
    """The first words are the phrase, in whatever case, and its last word ends there.

    Marks and quotes that open the text (``#``, ``**``, ``>``, ``“``, a bullet) are passed over.
    """
    phrase = params["phrase"]
    opening = text.lstrip()[: 4 * len(phrase) + 100]
    met = starts_with_phrase(opening, phrase) or starts_with_phrase(
        opening.lstrip(_OPENING_MARKS), phrase
    )
    return Outcome(met, f"starts {quote_short(opening[:40])}")


@family(
    "ordered_mentions",
    describe=lambda p: sentence(
        f"The response mentions {quoted_series(p['terms'])}"
        + (", in this order of first mention" if len(p["terms"]) > 1 else "")
    ),
    params={"terms": Param("list[str]", "words or phrases, in order", minimum=1, maximum=50)},
    validate=lambda p: None if all(map(searchable, p["terms"])) else "an empty term",
    passes=[
        ({"terms": ["mix", "bake", "cool"]}, "Mix it, bake it, mix no more, and let it Cool."),
        ({"terms": ["New York", "Boston"]}, "From *New\nYork* to Boston."),
    ],
    fails=[
        ({"terms": ["mix", "bake"]}, "Bake what you mix, then bake again."),
        ({"terms": ["art", "craft"]}, "A party, then craft."),
    ],
)
def ordered_mentions(text: str, params: Params) -> Outcome:
    """Each term occurs as whole words, and their first occurrences come in this order."""
    last, before = -1, ""
    for term in params["terms"]:
        place = find_phrase(text, term)
        if place < 0:
            return Outcome(False, f"does not mention {quote_short(term)}")
        if place <= last:
            return Outcome(False, f"{quote_short(term)} comes before {quote_short(before)}")
        last, before = place, term
    return Outcome(True, "all in order")


@family(
    "keyword_in_sentence",
    describe=lambda p: f"{_the_sentence(p['nth'])} of the response mentions {quote(p['keyword'])}.",
    params={
        "keyword": _KEYWORD,
        "nth": Param(
            "int", "which sentence, from 1; -1 is the last", 1, minimum=-100, maximum=1000
        ),
    },
    validate=lambda p: (
        "there is no sentence 0"
        if p["nth"] == 0
        else None
        if searchable(p["keyword"])
        else "an empty keyword"
    ),
    passes=[
        ({"keyword": "Paris"}, "# Answer\n\nIt is *Paris*. Why not?"),
        ({"keyword": "good luck", "nth": -1}, "Go on. Good\nluck!"),
    ],
    fails=[
        ({"keyword": "Paris"}, "Let me think. It is Paris."),
        ({"keyword": "go", "nth": 3}, "Go on. Go."),
    ],
)
def keyword_in_sentence(text: str, params: Params) -> Outcome:
    """The keyword occurs, as whole words, in one sentence (`text.sentences`: no headings)."""
    found, nth = sentences(text), params["nth"]
    if abs(nth) > len(found):
        return Outcome(False, tally(len(found), "sentence"))
    chosen = found[nth - 1 if nth > 0 else nth]
    return Outcome(count_phrase(chosen, params["keyword"], limit=1) > 0, quote_short(chosen))


def _the_sentence(nth: int) -> str:
    if nth == -1:
        return "The last sentence"
    place = {1: "first", 2: "second", 3: "third"}.get(abs(nth), ordinal(abs(nth)))
    return f"The {place} sentence{' from the end' if nth < 0 else ''}"


@family(
    "closing_question",
    describe=lambda p: "The response ends with a question.",
    passes=[({}, "Here it is. Shall I go on?\n"), ({}, "Done. **Is that “all”?**")],
    fails=[({}, "Why? Because."), ({}, "Is it so? Yes"), ({}, "???")],
)
def closing_question(text: str, params: Params) -> Outcome:
    """The last character is a question mark, closing quotes and marks aside, after some word."""
    ending = text[-400:].rstrip(_CLOSING_MARKS)
    met = ending.endswith(_QUESTION_MARKS) and any(map(str.isalnum, ending))
    return Outcome(met, f"ends {quote_short(text.rstrip()[-40:])}")


@family(
    "key_value_lines",
    describe=lambda p: (
        f"The response has a line of the form “key: value” for {_each_key(p['keys'])}."
    ),
    params={"keys": Param("list[str]", "the keys, in any order", minimum=1, maximum=50)},
    validate=lambda p: _bad_keys(p["keys"]),
    passes=[
        ({"keys": ["Name", "Age"]}, "- **Name:** Ada\n- **Age**: 36"),
        ({"keys": ["due date"]}, "Notes\nDue Date： 3 May"),
    ],
    fails=[
        ({"keys": ["Name", "Age"]}, "Name: Ada, Age: 36"),
        ({"keys": ["Name"]}, "Name:\nAda"),
        ({"keys": ["Name"]}, "Her Name: Ada"),
    ],
)
def key_value_lines(text: str, params: Params) -> Outcome:
    """For each key there is a line that starts with it, a colon and a value, in any order.

    List markers, emphasis and case make no difference; lines of fenced code do not count.
    """
    filled = set()
    reach = 2 * max(map(len, params["keys"])) + 50  # a key further on is none of ours
    for _, row in outside_fences(text):
        if ":" in (head := row[:reach]) or "：" in head:
            key, _, value = plain(row[: reach + 200]).replace("：", ":", 1).partition(":")
            if any(map(str.isalnum, value)):
                filled.add(searchable(key))
    missing = [key for key in params["keys"] if searchable(key) not in filled]
    return Outcome(not missing, f"no line for {short_series(missing)}" if missing else "all there")


def _bad_keys(keys: list[str]) -> str | None:
    if any(":" in key or "：" in key for key in keys):
        return "a key with a colon in it"
    return None if all(map(searchable, keys)) else "an empty key"


def _each_key(keys: list[str]) -> str:
    return f"{'the key' if len(keys) == 1 else 'each of the keys'} {quoted_series(keys)}"


def _bad_pattern(params: Params) -> str | None:
    try:
        compiled(params["pattern"])
    except PatternError as error:
        return str(error)
    return None


@family(
    "regex_match",
    describe=lambda p: (
        f"The {'whole response matches' if p['full'] else 'response contains a match of'} the "
        f"regular expression {quote(p['pattern'])}."
    ),
    params={
        "pattern": Param("str", "a pattern in RE2 syntax", minimum=1, maximum=1000),
        "full": Param("bool", "whether the whole response must match", False),
    },
    validate=_bad_pattern,
    passes=[
        ({"pattern": r"\b[A-Z]{2}-\d{4}\b"}, "Order AB-1234 is on its way."),
        ({"pattern": r"(?i)yes|no", "full": True}, " YES \n"),
    ],
    fails=[
        ({"pattern": r"\b[A-Z]{2}-\d{4}\b"}, "Order AB-12345 is on its way."),
        ({"pattern": r"(?i)yes|no", "full": True}, "Yes, sir."),
    ],
)
def regex_match(text: str, params: Params) -> Outcome:
    r"""The pattern is found in the response, or matches all of it but white space at its ends.

    RE2 syntax: linear in the text, so no look-around and no back-references; ``.`` does not match
    a line break unless ``(?s)`` is set, ``^`` and ``$`` are the ends of the text unless ``(?m)``
    is, and ``\b``, ``\w`` and ``\d`` know ASCII only (``\p{L}`` is any letter).
    """
    pattern = compiled(params["pattern"])
    found = pattern.fullmatch(text.strip()) if params["full"] else pattern.search(text)
    return Outcome(found is not None, quote_short(found[0]) if found else "no match")
