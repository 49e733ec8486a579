"""The sentences that carry what is asked for, in the order in which they will stand."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from rubricbench.checks.text import searchable
from rubricbench.solver.frames import capitalized, fill, shape
from rubricbench.solver.mentions import Mention
from rubricbench.solver.pattern import sample
from rubricbench.solver.pools import pool, table
from rubricbench.solver.sentence import EXACT, VERBATIM, Sentence
from rubricbench.solver.writer import Writer

_Make = Callable[[], Sentence | None]

# Pools of sentences that bear a symbol, by the symbol.
_BEARERS = {"!": "exclamation", ";": "semicolon", ":": "colon", "—": "dash", "–": "dash",
            "(": "parentheses", ")": "parentheses", "?": "question"}  # fmt: skip


def carriers(writer: Writer, places: int, words: int = 0, asking: bool = False) -> list[Sentence]:
    """Return the sentences that carry the wishes of a rubric.

    Args:
        writer: writes them.
        places: about how many sentences there is room for.
        words: about how many words there is room for, 0 for enough.
        asking: whether all of them should be questions.
    """
    opening, closing = _opening(writer), list(_closings(writer))
    short = words and words < 12 * places
    features = list(_features(writer, asking, 5 if short else 8))
    others = bool(opening) + len(closing) + len(features)
    bearing = sum(1 for feature in features if feature.bears)
    tight = min(bearing, max(0, len(writer.queue) + others - places))
    groups = _grouped(writer, max(1, places - others), spare=tight)
    longest = 15 if writer.wishes.span("sentences").bounded else 10
    want = max(4, min(longest, words // max(1, others + len(groups)))) if words else 9
    mentions = [_mentioning(writer, group, asking, want) for group in groups]
    # Where room is tight, features carry the last mentions of the queue, and so come last.
    makes = [feature.make for feature in sorted(features, key=lambda one: one.bears)]
    middle = [*mentions, *makes] if tight else _interleaved(mentions, makes)
    made = [make() for make in (*([opening] if opening else []), *middle, *closing)]
    found = [sentence for sentence in made if sentence]
    while writer.queue and (left := writer.mention(writer.take(1), want)):
        found.insert(len(found) - len(closing), left)
    if opening and found:
        found[0].first = True
    for sentence in found[len(found) - len(closing) :] if closing else []:
        sentence.last = True
    return found


def _interleaved(left: list[_Make], right: list[_Make]) -> list[_Make]:
    """Merge two lists evenly, each keeping its order."""
    merged: list[tuple[float, int, _Make]] = []
    for side, makes in enumerate((left, right)):
        merged += [((i + 0.5) / len(makes), side, make) for i, make in enumerate(makes)]
    return [make for _, _, make in sorted(merged, key=lambda one: one[:2])]


def _grouped(writer: Writer, places: int, spare: int) -> list[list[Mention]]:
    """Divide the queue into as few groups as the places ask for, at most three words in each.

    The last ``spare`` mentions are left in the queue.
    """
    queue = writer.take(len(writer.queue) - spare)
    size = min(3, max(1, -(-len(queue) // places)))
    groups: list[list[Mention]] = []
    for mention in queue:
        last = groups[-1] if groups else []
        if not last or len(last) >= size or any(one.term == mention.term for one in last):
            groups.append([])
        groups[-1].append(mention)
    return groups if len(groups) <= places else _paired(groups)


def _paired(groups: list[list[Mention]]) -> list[list[Mention]]:
    """Join groups that mention one and the same word, two by two."""
    joined: list[list[Mention]] = []
    for group in groups:
        last = joined[-1] if joined else []
        if len(last) == len(group) == 1 and last[0].term == group[0].term:
            joined[-1] = [*last, *group]
        else:
            joined.append(group)
    return joined


def _mentioning(writer: Writer, group: list[Mention], asking: bool, want: int) -> _Make:
    twice = len(group) == 2 and group[0].term == group[1].term
    named = ["twice"] if twice else []
    if asking and not twice:
        named = [f"question{len(group) if len(group) > 1 else ''}"]
    features = {"questions"} if asking and not twice else set[str]()

    def make() -> Sentence | None:
        return writer.mention(group, want, named, features) or writer.mention(group, want)

    return make


def _fixed(sentence: Sentence | None) -> Sentence | None:
    if sentence:
        sentence.fixed = True
    return sentence


def _opening(writer: Writer) -> _Make | None:
    wishes = writer.wishes
    if wishes.options:
        return lambda: writer.adopt(_option(writer))
    if wishes.start:
        return lambda: _start(writer)
    if 1 in wishes.in_sentence:
        term = wishes.in_sentence[1]
        return lambda: _anchored(writer, term)
    return None


def _option(writer: Writer) -> Sentence:
    option = writer.wishes.options[0]
    text = option if option[-1] in ".!?" else f"{option}."
    return Sentence(text, fixed=True, features=frozenset({"option"}))


def _anchored(writer: Writer, term: str) -> Sentence | None:
    mention = Mention(term, f"**{term}**" if term in writer.wishes.bold else term)
    return writer.mention([mention], 9)


def _start(writer: Writer) -> Sentence | None:
    """Return a sentence that begins with the phrase asked for."""
    phrase = writer.wishes.start
    ending = searchable(phrase)
    if phrase[-1] in ".!?":
        return writer.adopt(Sentence(phrase, fixed=True))
    for key, frame in table("continued").items():
        if ending.endswith(key):
            text = fill(frame, writer.material.topic, (), phrase=phrase)
            if writer.accepts(text, frozenset()):
                return writer.adopt(Sentence(text, fixed=True))
    return _fixed(writer.sentence(("start_quoted", "start"), 10, phrase=phrase))


def _closings(writer: Writer) -> Iterator[_Make]:
    wishes = writer.wishes
    if -1 in wishes.in_sentence and not wishes.closing_question:
        term = wishes.in_sentence[-1]
        yield lambda: _anchored(writer, term)
    if wishes.closing_question:
        yield lambda: _fixed(writer.sentence(("question",), 7, features={"questions"}))
    if wishes.end:
        exact = writer.adopt(Sentence(wishes.end, fixed=True, features=frozenset({EXACT})))
        yield lambda: exact


class _Feature(NamedTuple):
    """What makes a sentence with a feature, and whether it can bear a mention as well."""

    make: _Make
    bears: bool = False


def _features(writer: Writer, asking: bool, want: int) -> Iterator[_Feature]:
    """Yield what makes the sentences that carry a feature, each as often as it is asked for."""
    wishes = writer.wishes
    for value, unit in wishes.stated:
        yield _Feature(partial(_number, writer, value, unit))
    for pattern in wishes.patterns:
        yield _Feature(partial(_pattern, writer, pattern))
    asked = 0 if asking else wishes.span("questions").low - wishes.closing_question
    plain = [("questions", "question", asked), ("capitals", "capital", wishes.span("capitals").low)]
    plain.append(("placeholders", "placeholder", wishes.span("placeholders").low))
    plain += [(f"symbol:{symbols[0]}", _BEARERS.get(symbols[0], ""), span.low)
              for symbols, span in wishes.symbols]  # fmt: skip
    for feature, name, count in plain:
        bears = bool(name) and any(shape(f).terms == 1 for f in pool(name, wishes.language))
        for _ in range(count if name else 0):
            yield _Feature(partial(_bearing, writer, name, feature, want), bears)
    for style in ("url", "markdown_link"):
        low = wishes.citations[style].low if style in wishes.citations else 0
        for i in range(low):
            yield _Feature(partial(_link, writer, style, i))
    for letter, span in wishes.letters.items():
        if span.low > 2 and letter in table("letter_rich"):
            yield _Feature(partial(_rich, writer, letter))


def _bearing(writer: Writer, name: str, feature: str, want: int) -> Sentence | None:
    """Return a sentence with a feature; it takes a mention that is still due."""
    if writer.queue and (found := writer.mention(writer.queue[:1], want, (name,), {feature})):
        writer.take(1)
        return found
    return _fixed(writer.sentence((name,), want, features={feature}))


def _rich(writer: Writer, letter: str) -> Sentence | None:
    for text in table("letter_rich")[letter]:
        if writer.accepts(text, frozenset()):
            return writer.adopt(Sentence(text, fixed=True))
    return None


def number_text(value: float, unit: str) -> str:
    """Return a number with its unit, as a sentence has it."""
    digits = f"{value:.15g}"
    if not unit:
        return digits
    if unit in ("$", "€", "£", "¥", "₹"):
        return f"{unit}{digits}"
    return f"{digits}{'' if unit == '%' else ' '}{unit}"


def _number(writer: Writer, value: float, unit: str) -> Sentence | None:
    """Return a sentence with the number: a note, or one that says what it is the number of."""
    shown = number_text(value, unit)
    for note in writer.material.notes:
        if shown in note and writer.accepts(note, frozenset()):
            return _fixed(writer.quoted(note, frozenset({VERBATIM})))
    features = {VERBATIM}
    if what := _what(writer.material.asked, shown):
        found = writer.sentence(("number_of",), 9, features=features, number=shown, what=what)
        if found:
            return _fixed(found)
    name = "total" if writer.material.totals else "number"
    return _fixed(writer.sentence((name,), 8, features=features, number=shown))


def _what(asked: str, shown: str) -> str:
    """Return what the request says the number is of, "" where it does not."""
    number = re.escape(shown)
    found = re.search(rf"\bfigure: ([^,.:;\n]+), {number}\b|\b{number}, ([^,.:;\n]+)\.", asked)
    return next((what for what in found.groups() if what), "") if found else ""


# What a sample looks like, and the pool of sentences about such things.
_KINDS = (
    (re.compile(r"\d\d:\d\d"), "pattern_time"),
    (re.compile(r"\d{4}-\d\d-\d\d"), "pattern_date"),
    (re.compile(r"0\d+[-/ ]\d+"), "pattern_phone"),
    (re.compile(r"[$€£]\d+(\.\d\d)?"), "pattern_price"),
    (re.compile(r"[A-Z]+-?\d+|No\. \d+"), "pattern_code"),
)


def _pattern(writer: Writer, pattern: str) -> Sentence | None:
    text = sample(pattern)
    if text is None:
        return None
    kind = next((name for shape, name in _KINDS if shape.fullmatch(text)), "pattern")
    return _fixed(writer.sentence((kind, "pattern"), 8, features={VERBATIM}, sample=text))


_PAGES = ("guide", "notes", "basics", "history", "practice", "questions", "examples", "terms")


def _link(writer: Writer, style: str, i: int) -> Sentence | None:
    """Return a sentence with a link; only the first names the topic, so that no two are alike."""
    topic = "-".join(filter(str.isalnum, searchable(writer.material.topic).split()))
    named = i == 0 and topic and not writer.wishes.repetition
    slug = topic if named else f"{_PAGES[i % len(_PAGES)]}{i // len(_PAGES) or ''}"
    features = {f"citation:{style}", "citation:url"}
    return _fixed(writer.sentence((style,), 8, features=features, slug=slug))


def paragraph_opening(writer: Writer, word: str) -> Sentence | None:
    """Return a sentence that begins with a given word."""
    features = {f"keyword:{word}", f"order:{word}", f"keyword:{word.lower()}"}
    found = writer.sentence(("word_first",), 10, features=features, word=capitalized(word))
    if found:
        found.fixed = found.first = True
    return found
