"""Finding citations in a text, in the styles that people ask for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from rubricbench.checks.text import fold
from rubricbench.checks.text.inline import without_code

_OPERATORS = tuple("=:+-*/<>,([{")  # what stands before a list of numbers, not before a citation
_NUMERIC = re.compile(r"\[([1-9]\d{0,3}(?:[ ]?[,;–-][ ]?[1-9]\d{0,3}){0,40})\]")
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
_CUES = _listed("by to see cf. following with")
_REPORTING = _listed(
    "argue argues argued claim claims claimed compare compared compares conclude concluded "
    "concludes define defined defines demonstrate demonstrated demonstrates describe described "
    "describes develop developed develops discuss discussed discusses emphasise emphasised "
    "emphasize emphasized emphasizes estimate estimated estimates examine examined examines find "
    "finds found identified identifies identify introduced introduces investigated investigates "
    "note noted notes observe observed observes points pointed propose proposed proposes provide "
    "provided provides report reported reports review reviewed reviews say says show showed shown "
    "shows state stated states studied suggest suggested suggests used wrote writes write"
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
        if not _after_operator(text, match.start()) and not _opens_line(text, match.start()):
            yield from _expand(match[1])


def _after_operator(text: str, start: int) -> bool:
    """True for an interval or a list: "x = [1, 2]", "3*[1]"; not after emphasis: "*old* [1]"."""
    before = text[max(start - 3, 0) : start]
    last = before.rstrip()
    if last.endswith("*") and last[-2:-1].strip():
        return not (before[-1:].isspace() or last.endswith("**"))
    return last[-1:] in _OPERATORS


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
            author = _author_before(
                text[max(match.start() - 80, 0) : match.start()],
                text[match.end() : match.end() + 30],
            )
            yield from _keys(author, ending["years"])
            continue
        for part in inside.split(";"):
            if cited := _ENDING.search(part.strip()):
                yield from _keys(_author(part.strip()[: cited.start()]), cited["years"])


def _keys(author: str, years: str) -> Iterator[str]:
    if author:
        yield from (fold(f"{author} {year.strip()}") for year in years.split(","))


def _author(names: str) -> str:
    """Return the names without what links them if they read as authors, "" if not.

    Authors are capitalised names and the words that link them ("and", "et al.", "van der").
    """
    tokens = names.strip(" ,").split()
    while tokens and tokens[0].lower() in _LEADS:
        del tokens[0]
    if any(token.lower().strip(",.") in _NO_AUTHOR for token in tokens):
        return ""
    named = [token for token in tokens if token.lower() not in _LINKS]
    is_author = 0 < len(tokens) <= _MAX_NAMES and named and all(map(_is_name, named))
    return " ".join(name.strip(",.") for name in named) if is_author else ""


def _is_name(token: str) -> bool:
    token = token.strip(",.'’*_")
    return token[:1].isupper() and not any(char.isdigit() or char in '"“”' for char in token)


def _author_before(before: str, after: str) -> str:
    """Return the author that "(2020)" follows, "" where what stands there is none.

    "Jaws (1975)" is a film: without "et al.", "&" or a genitive an author is known by a cue before
    ("by Smith (2020)") or a verb of reporting after ("Smith (2020) found").
    """
    tokens = before.rstrip(" *_").split()[-8:]
    if not tokens or not before[-1:].isspace():
        return ""
    others = tokens[-1].lower().strip(",.’'s") == "al"
    while tokens and tokens[-1].lower().strip(",.’'s") in ("et", "al"):
        del tokens[-1]
    names: list[str] = []
    while tokens and (_is_name(tokens[-1]) or (names and tokens[-1].lower() in _LINKS)):
        names.insert(0, tokens.pop())
    cue = names[0].lower() if names and names[0].lower() in _CUES else "".join(tokens[-1:]).lower()
    verb = "".join(after.split(maxsplit=1)[:1]).lower().strip(",.;:")
    is_cited = others or "&" in names or (names and names[-1].endswith(("’s", "'s")))
    is_entry = any(len(name.strip(".,")) == 1 for name in names if name != "&")
    if not names or is_entry or not (is_cited or cue in _CUES or verb in _REPORTING):
        return ""
    return _author(" ".join(names)).removesuffix("’s").removesuffix("'s")


STYLES = {
    "numeric": Style("[1]", _numeric),
    "author_year": Style("(Smith, 2020) or Smith (2020)", _author_year),
    "markdown_link": Style("[text](https://example.org)", _links),
    "url": Style("https://example.org", _urls),
    "footnote": Style("[^1]", _footnotes),
}
