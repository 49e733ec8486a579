"""Numbers that a text states: written in digits or in English words, with what stands around them.

What is one number
    ``1,234.5``, ``1 234,5``, ``1'234.5`` and ``1.234,5`` (a lone comma before three digits groups
    thousands, a lone full stop is a decimal point), ``-3`` and ``−3``, ``.5``, ``3/4``, ``1 1/2``,
    ``2½``, ``6e23``, ``6.02×10^23``, ``10⁶``, ``\\frac{1}{2}``, ``1.2 million``, ``$3M``, ``5k``,
    ``twenty-two``, ``one hundred and five``, ``two dozen``.
What is none
    digits inside a word or name (``H2O``, ``GPT-4``, ``v1.2.3``), ordinals (``12th``), clock times,
    dates and ratios (``12:30``, ``2012-05-12``), the base and exponent of a power, the number
    of a list item (``3. Stir``) and a citation mark (``[3]``).
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

AROUND = 32  # characters kept on each side: longer than any unit


class Stated(NamedTuple):
    """A number in the text.

    Args:
        value: its value; the scale word ("million") and sign are worked in.
        before: up to `AROUND` characters before it (and its sign).
        after: up to `AROUND` characters after it.
        bare: False where it is a number only together with the unit attached to it: "5x", or the
            5 of "5 million".
    """

    value: float
    before: str
    after: str
    bare: bool = True


_VULGAR = "¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_SUPER = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺"
_GROUP = "'’\u00a0\u202f\u2009"

_FIRST = re.compile(rf"[\d{_VULGAR}]")
_TOKEN = re.compile(
    rf"""(?P<chain>\d{{1,4}}+(?:[-/:]\d{{1,4}}+){{2,}}+|\d++(?::\d++)++)
    | (?:(?P<whole>\d{{1,6}}+)[ ])?(?P<over>\d{{1,6}}+)[/⁄](?P<under>\d{{1,6}}+)
    | (?P<digits>\d++(?:[.,{_GROUP}]\d++)*+)(?P<part>[{_VULGAR}])?
    | (?P<vulgar>[{_VULGAR}])""",
    re.VERBOSE,
)
_SPACED = re.compile(r"\d{1,3}(?:[ ]\d{3}){1,5}(?![\d,.]?\d)")
_POWER = re.compile(
    r"[ ]?(?:[×x·*]|\\times|\\cdot)[ ]?10"
    rf"(?:(?:\^|\*\*)\{{?([-+−]?\d{{1,3}})\}}?|([{_SUPER}]{{1,4}}))"
    r"|[eE]([-+]?\d{1,3})(?!\w)"
)
_OWN_POWER = re.compile(rf"(?:\^|\*\*)\{{?([-+−]?\d{{1,3}})\}}?|([{_SUPER}]{{1,4}})")
_LETTERS = re.compile(r"[^\W\d_]+")
_SCALE_WORD = re.compile(
    r"[ \u00a0-](hundred|thousand|million|billion|trillion)s?\b", re.IGNORECASE
)
_LATEX_FRACTION = re.compile(r"\\[dt]?frac\{(\d{1,6})\}\{(\d{1,6})\}")
_LIST_MARK = re.compile(r"[ \t>#*_]*\Z")

_SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_SUFFIXES = {
    "k": 1e3, "K": 1e3, "M": 1e6, "mn": 1e6, "mio": 1e6, "B": 1e9, "bn": 1e9, "T": 1e12, "tn": 1e12,
}  # fmt: skip
_CURRENCY = ("$", "€", "£", "¥")
_MINUS = ("-", "−", "–")
_ORDINAL = frozenset({"st", "nd", "rd", "th"})


def stated_numbers(text: str) -> Iterator[Stated]:
    """Yield the numbers written in digits, in order; an ambiguous one in each of its readings."""
    if "\\" in text:
        text = _LATEX_FRACTION.sub(r"\1/\2", text.replace("{,}", ","))
    done = 0
    for match in _tokens(text):
        if match["chain"] or match.start() < done or _is_label(text, match.start(), match.end()):
            continue
        if power := _POWER.match(text, match.end()):
            done = power.end()
        start, sign = _sign(text, match.start())
        for value, end in _readings(text, match):
            yield from _with_scale(text, start, end, sign * value)


def _tokens(text: str) -> Iterator[re.Match[str]]:
    """Yield the matches of `_TOKEN`, tried only where a digit stands: that is found faster."""
    first = _FIRST.search(text)
    while first:
        match = _TOKEN.match(text, first.start())
        if match:
            yield match
        first = _FIRST.search(text, match.end() if match else first.end())


def _readings(text: str, match: re.Match[str]) -> Iterator[tuple[float, int]]:
    """Yield (value, end) for each way to read a token."""
    if match["over"]:
        if under := float(match["under"]):
            yield float(match["whole"] or 0) + float(match["over"]) / under, match.end()
        return
    if match["vulgar"]:
        yield unicodedata.numeric(match["vulgar"]), match.end()
        return
    values = _values(match["digits"])
    if text[match.start() - 1 : match.start()] == "." and values:
        values = [float(f"0.{match['digits']}")] if match["digits"].isdigit() else []
    if match["part"]:
        values = [values[0] + unicodedata.numeric(match["part"])] if len(values) == 1 else []
    for value in values:
        yield value, match.end()
    if text[match.end() : match.end() + 1] == " " and (
        spaced := _SPACED.match(text, match.start())
    ):
        yield float(spaced[0].replace(" ", "")), spaced.end()


def _values(digits: str) -> list[float]:
    """Return the value of digits with separators: several of "1,2,3", none of "1.2.3"."""
    marks = [char for char in digits if not char.isdigit()]
    if not marks:
        return [float(digits)]
    groups = re.split(rf"[.,{_GROUP}]", digits)
    kinds = set(marks)
    if len(kinds) == 1:
        mark = marks[0]
        if _is_grouped(groups) and not (mark == "." and len(marks) == 1):
            return [float("".join(groups))]
        if mark in ".," and len(marks) == 1:
            return [float(f"{groups[0]}.{groups[1]}")]
        return [] if mark == "." else [float(group) for group in groups]
    decimal = marks[-1]
    if (
        decimal in ".,"
        and decimal not in marks[:-1]
        and len(kinds) == 2
        and _is_grouped(groups[:-1])
    ):
        return [float("".join(groups[:-1]) + "." + groups[-1])]
    return []


def _is_grouped(groups: list[str]) -> bool:
    """Tell whether digits are grouped by thousands ("1,234,567") or as in India ("12,34,567")."""
    first, *others = groups
    if not others or len(first) > 3 or first[0] == "0" or len(others[-1]) != 3:
        return False
    sizes = {len(group) for group in others[:-1]}
    return sizes <= {3} or (sizes == {2} and len(first) <= 2)


def _is_label(text: str, start: int, end: int) -> bool:
    """Tell whether digits are part of a name, a path, a power, a list marker or a citation mark."""
    before, after = text[max(start - 3, 0) : start], text[end : end + 2]
    last, second = before[-1:], before[-2:-1]
    if last.isalnum() or last in ("_", "^", "/"):
        return bool(last)
    if (last == "." and second.isalnum()) or (last in ("-", "–") and second.isupper()):
        return True  # v.2, GPT-4, COVID-19
    if before.endswith("**") and before[:-2].isalnum():
        return True  # 2**3, but not **3 apples**
    if (last == "[" and after[:1] == "]") or after[:1] == "_":
        return True
    return end - start <= 3 and after in (". ", ".\t", ") ", ")\t") and _begins_line(text, start)


def _begins_line(text: str, start: int) -> bool:
    line = text.rfind("\n", max(start - 40, 0), start) + 1
    return (line > 0 or start <= 40) and _LIST_MARK.fullmatch(text, line, start) is not None


def _sign(text: str, start: int) -> tuple[int, float]:
    """Return where the number starts with its sign, and the sign.

    A minus stands after a space or an opening mark, not after a word or number: "3-5" is a range.
    In "-$5" the number still starts after the currency, where units are looked for.
    """
    if text[start - 1 : start] == ".":
        start -= 1
    outer = start - 1 if text[start - 1 : start] in _CURRENCY else start
    is_minus = text[outer - 1 : outer] in _MINUS and not _ends_term(text[outer - 2 : outer - 1])
    return (start - 1 if is_minus and outer == start else start), -1.0 if is_minus else 1.0


def _ends_term(char: str) -> bool:
    return char.isalnum() or (char != "" and char in ")]%")


def _with_scale(text: str, start: int, end: int, value: float) -> Iterator[Stated]:
    """Yield the number with the power of ten, suffix or scale word that follows it."""
    before = text[max(start - AROUND, 0) : start]
    if power := _POWER.match(text, end):
        value, end = _times_power(value, power), power.end()
    elif power := _OWN_POWER.match(text, end):
        if value != 10:
            return
        value, end = _times_power(1.0, power), power.end()
    after = text[end : end + AROUND]
    suffix = match[0] if (match := _LETTERS.match(after)) else ""
    if suffix in _ORDINAL:
        return
    if suffix in _SUFFIXES:
        rest = text[end + len(suffix) : end + len(suffix) + AROUND]
        yield Stated(value * _SUFFIXES[suffix], before, rest)
    if scale := _SCALE_WORD.match(after):
        rest = text[end + scale.end() : end + scale.end() + AROUND]
        yield Stated(value * _SCALES[scale[1].lower()], before, rest)
    yield Stated(value, "" if scale else before, after, not suffix and not scale)


def _times_power(value: float, power: re.Match[str]) -> float:
    exponent = next(group for group in power.groups() if group)
    exponent = exponent.translate(_SUPERSCRIPT).replace("−", "-")
    try:
        return value * float(f"1e{int(exponent)}")
    except ValueError:  # a lone superscript sign
        return float("nan")


def _numbered(words: str, start: int) -> dict[str, int]:
    return {word: value for value, word in enumerate(words.split(), start=start)}


_SMALL = _numbered(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen",
    start=0,
)
_TENS = {
    word: 10 * tens
    for word, tens in _numbered(
        "twenty thirty forty fifty sixty seventy eighty ninety", start=2
    ).items()
}
_LARGE = {**{word: int(scale) for word, scale in _SCALES.items()}, "dozen": 12}
_LOWER = {ord(char): char.lower() for char in string.ascii_uppercase}


def _alternatives(words: list[str]) -> str:
    """Join words to a pattern, by first letter: most places are given up at once."""
    rests: dict[str, list[str]] = {}
    for word in sorted(words, key=len, reverse=True):
        rests.setdefault(word[0], []).append(word[1:])
    return "|".join(f"{first}(?:{'|'.join(rest)})" for first, rest in rests.items())


_NUMBER_WORD = _alternatives([*_SMALL, *_TENS, *_LARGE])
# At most seventeen words: their product, 10^204 at most, is still a float.
_SPELLED = re.compile(rf"\b(?:{_NUMBER_WORD})\b(?:(?:[ -]|[ ]and[ ])(?:{_NUMBER_WORD})\b){{0,16}}+")


def spelled_numbers(text: str) -> Iterator[Stated]:
    """Yield the whole numbers written in English words.

    A lone "one" is bare (a number without a unit) only in "… is one." and the like: elsewhere it is
    mostly a pronoun.
    """
    # Matching without regard to case is several times slower, and "İ" would shift the places.
    lowered = text.lower() if text.isascii() else text.translate(_LOWER)
    for match in _SPELLED.finditer(lowered):
        before = text[max(match.start() - AROUND, 0) : match.start()]
        if before.endswith(" ") and before[-2:-1].isdigit():
            continue  # the scale word of "1.2 million"
        after = text[match.end() : match.end() + AROUND]
        for value in _spoken(match[0].replace("-", " ").split()):
            yield Stated(value, before, after, match[0] != "one" or _is_result(before, after))


def _is_result(before: str, after: str) -> bool:
    follows = before.endswith((" is ", " are ", " be ", " equals ", " to ", ": ", "= ", " is **"))
    return follows and not after[:2].strip()[:1].isalnum()


def _spoken(run: list[str]) -> Iterator[float]:
    """Yield the numbers in a run of number words: "twenty two" is one, "two three" are two."""
    total, current, last = 0.0, 0.0, ""
    for word in run:
        if word == "and":
            continue
        if word in _LARGE:
            if last in ("", "hundred") or last not in _LARGE:
                current = max(current, 1) * _LARGE[word]
                if word not in ("hundred", "dozen"):
                    total, current = total + current, 0.0
            else:
                total *= _LARGE[word]
        else:
            size = _TENS.get(word, _SMALL.get(word, 0))
            joins = not last or last in _LARGE or (last in _TENS and 0 < size < 10)
            if not joins:
                yield total + current
                total = current = 0.0
            current += size
        last = word
    yield total + current
