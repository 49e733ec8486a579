"""Sentences of the prose, by rule: no model, no data to download, linear in the text.

A sentence ends at ``. ! ? …`` (and their counterparts in other scripts), with the quotes and
brackets that close after it, before white space. It does not end at the full stop of an
abbreviation ("e.g.", "Dr.", "J. Smith", "U.S. law"). It always ends with its block: a paragraph, a
list item. Headings, fenced code, tables and rules are no sentences, nor is a piece without a letter
or digit. Han and kana punctuation needs no space after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from rubricbench.checks.text.blocks import is_rule, outside_fences
from rubricbench.checks.text.characters import CACHED_TEXTS
from rubricbench.checks.text.markdown import headings, list_items

_CLOSERS = "\"'”’»)\\]*_`"
# Possessive, and only from the first mark of a run: linear also in a text of full stops.
_END = re.compile(rf"(?<![.!?…؟۔।॥])[.!?…؟۔।॥]++[{_CLOSERS}]*+(?=\s)|[。！？｡][」』”’）]*+")
_OPENERS = "\"'“‘«([*_`"


def _listed(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A full stop after these never ends a sentence: a name follows.
_TITLES = _listed(
    "mr mrs ms mx dr prof rev hon st capt cmdr lt maj sgt gov sen rep messrs cf viz vs mt"
)
# … nor after these, where a number follows.
_NUMBERED = _listed("no nos nr vol vols fig figs eq eqs sec ch chap pp p c art para")
# After these it ends one where an upper-case letter follows.
_SHORTENED = _listed(
    "etc inc ltd co corp llc jr sr esq approx est ca dept univ assn bros ave blvd rd ft "
    "jan feb apr jun jul aug sep sept oct nov tsp tbsp oz lb lbs hr hrs al ed eds"
)
# After these, and after single initials, only where the next word is a common beginning.
_ABBREVIATIONS = _listed("e.g i.e eg ie u.s u.k u.n e.u d.c n.b p.s")
_BEGINNINGS = _listed(
    "the a an this that these those it he she they we i you there here what who where when why "
    "how if in on at as but and so however also then for my our your his her their its"
)


@lru_cache(maxsize=CACHED_TEXTS)
def sentences(text: str) -> tuple[str, ...]:
    """Return the sentences in order, stripped, line breaks inside them as spaces."""
    return tuple(part for block in _blocks(text) for part in _split(block))


def _blocks(text: str) -> Iterator[str]:
    """Yield runs of prose that no sentence crosses, each on one line."""
    skipped = {heading.line for heading in headings(text)}
    items = {item.line: item.text for item in list_items(text)}
    block: list[str] = []
    for i, row in outside_fences(text):
        content = items.get(i, row).strip().lstrip("> ")
        ends_block = not content or i in skipped or is_rule(content) or content[0] == "|"
        if (ends_block or i in items) and block:
            yield " ".join(block)
            block = []
        if not ends_block:
            block.append(content)
    if block:
        yield " ".join(block)


def _split(block: str) -> Iterator[str]:
    start = 0
    for match in _END.finditer(block):
        if _ends_sentence(block, start, match):
            yield from _if_worded(block[start : match.end()])
            start = match.end()
    yield from _if_worded(block[start:])


def _if_worded(piece: str) -> Iterator[str]:
    piece = piece.strip()
    if any(map(str.isalnum, piece)):
        yield piece


def _ends_sentence(block: str, start: int, match: re.Match[str]) -> bool:
    mark = match[0]
    rest = block[match.end() : match.end() + 40].lstrip().lstrip(_OPENERS)
    if mark[0] in "。！？｡؟۔।॥":
        return True
    if len(mark) > 1 or mark == "…":  # "..." or a closing quote: the sentence may go on
        return not rest[:1].islower()
    if mark != ".":
        return True
    before = block[max(start, match.start() - 20) : match.start()].split()
    token = before[-1].lstrip(_OPENERS) if before else ""
    numbers_block = start == 0 and len(before) == len(token) == 1  # "a. First point"
    return not numbers_block and _full_stop_ends(token, rest)


def _full_stop_ends(token: str, rest: str) -> bool:
    """Tell whether the full stop after ``token`` ends a sentence, given what follows."""
    word = token.lower()
    if word in _TITLES or (word in _NUMBERED and rest[:1].isdigit()):
        return False
    if word in _SHORTENED:
        return rest[:1].isupper()
    if word in _ABBREVIATIONS or _is_initials(token):
        following = rest.split(maxsplit=1)[0].strip(",;:").lower() if rest else ""
        return rest[:1].isupper() and following in _BEGINNINGS
    return True


def _is_initials(token: str) -> bool:
    """True for "J", "U.S.A", "Ph.D", "a.m"; not for the pronoun "I"."""
    if len(token) == 1:
        return token.isupper() and token != "I"
    parts = token.split(".")
    return len(parts) > 1 and all(part.isalpha() and len(part) <= 2 for part in parts)
