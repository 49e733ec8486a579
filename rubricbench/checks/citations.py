"""Finding citations in a text, in the styles that people ask for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from rubricbench.checks.text import fold
from rubricbench.checks.text.inline import without_code

_NUMERIC = re.compile(r"\[(\d{1,4}(?:[ ]?[,;–-][ ]?\d{1,4}){0,40})\]")
_LINK = re.compile(
    r"(?<!!)\[(?!\^)[^\[\]\n]{1,500}\]\((https?://[^\s()]{1,1000}(?:\([^\s()]{0,200}\))?)"
)
_URL = re.compile(r"(?:https?://|(?<![\w./])www\.)[^\s<>()\[\]\"'`]+")
_FOOTNOTE = re.compile(r"\[\^([^\]\s]{1,100})\](?!:)")
_PARENTHESIS = re.compile(r"\(([^()\n]{4,400})\)")
_YEAR = r"(?:(?:1[5-9]|20)\d\d[a-z]?|n\.d\.|in press|forthcoming)"
_ENDING = re.compile(
    rf"(?P<years>{_YEAR}(?:, ?{_YEAR}){{0,5}})"
    r"(?:[,:] ?(?:pp?|paras?|chap|ch|sec|fig|tab|vol)?\.? ?[\w–-]{1,20}){0,2}$"
)


def _listed(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NO_AUTHOR = _listed(
    "january february march april may june july august september october november december jan feb "
    "mar apr jun jul aug sep sept oct nov dec spring summer autumn fall winter since in from until "
    "before after by around circa early late mid during born died founded published released "
    "updated accessed retrieved version copyright"
)
_LEADS = _listed("see also cf. e.g. e.g., as cited in and compare")
_LINKS = _listed(
    "et al al. al., and & de der den van von la le du di da dos of for the y ibn bin el al-"
)
_MAX_NAMES = 14


class Style(NamedTuple):
    """A citation style: its form in words, and how its citations are found."""

    form: str
    find: Callable[[str], Iterator[str]]


def citations(text: str, style: str) -> list[str]:
    """Return a key of the source for each citation in the text, code aside, in order."""
    return list(STYLES[style].find(without_code(text)))


def _numeric(text: str) -> Iterator[str]:
    for match in _NUMERIC.finditer(text):
        if not _opens_line(text, match.start()):
            yield from _expand(match[1])


def _opens_line(text: str, start: int) -> bool:
    """True for an entry of the reference list: "[1] Smith, A book." """
    line = text.rfind("\n", max(start - 20, 0), start) + 1
    return (line > 0 or start <= 20) and not text[line:start].strip(" \t>*-")


def _expand(inside: str) -> Iterator[str]:
    """Yield the numbers of "2, 4–6": 2, 4, 5 and 6."""
    for part in re.split(r"[,;]", inside):
        low, *more = (int(number) for number in re.findall(r"\d+", part))
        high = more[-1] if more and low < more[-1] <= low + 100 else low
        yield from map(str, range(low, high + 1))


def _links(text: str) -> Iterator[str]:
    return (match[1] for match in _LINK.finditer(text))


def _urls(text: str) -> Iterator[str]:
    return (match[0].rstrip(".,;:!?*_") for match in _URL.finditer(text))


def _footnotes(text: str) -> Iterator[str]:
    return (match[1] for match in _FOOTNOTE.finditer(text))


def _author_year(text: str) -> Iterator[str]:
    for match in _PARENTHESIS.finditer(text):
        inside = match[1].strip()
        if ending := _ENDING.match(inside):
            author = _last_author(text[max(match.start() - 60, 0) : match.start()])
            yield from _keys(author, ending["years"])
            continue
        for part in inside.split(";"):
            if cited := _ENDING.search(part.strip()):
                yield from _keys(_author(part.strip()[: cited.start()]), cited["years"])


def _keys(author: str, years: str) -> Iterator[str]:
    if author:
        yield from (fold(f"{author} {year.strip()}") for year in years.split(","))


def _author(names: str) -> str:
    """Return the names if they read as authors, "" if not.

    Authors are capitalised names and the words that link them ("and", "et al.", "van der").
    """
    tokens = names.strip(" ,").split()
    while tokens and tokens[0].lower() in _LEADS:
        del tokens[0]
    if any(token.lower().strip(",.") in _NO_AUTHOR for token in tokens):
        return ""
    named = [token for token in tokens if token.lower() not in _LINKS]
    is_author = 0 < len(tokens) <= _MAX_NAMES and named and all(map(_is_name, named))
    return " ".join(tokens) if is_author else ""


def _is_name(token: str) -> bool:
    token = token.strip(",.'’\"“”*_")
    return token[:1].isupper() and not any(map(str.isdigit, token))


def _last_author(before: str) -> str:
    """Return the name that "(2020)" follows, "" where what stands there is none."""
    tokens = before.rstrip().rstrip("*_").split()[-4:]
    while tokens and tokens[-1].lower().strip("’'s,") in ("et", "al.", "al"):
        del tokens[-1]
    if not tokens or not before[-1:].isspace():
        return ""
    name = tokens[-1].strip("*_").removesuffix("’s").removesuffix("'s")
    is_author = _is_name(name) and len(name) > 1 and name.lower().strip(",.") not in _NO_AUTHOR
    return name.strip(",") if is_author and name[-1].isalpha() else ""


STYLES = {
    "numeric": Style("[1]", _numeric),
    "author_year": Style("(Smith, 2020) or Smith (2020)", _author_year),
    "markdown_link": Style("[text](https://example.org)", _links),
    "url": Style("https://example.org", _urls),
    "footnote": Style("[^1]", _footnotes),
}
