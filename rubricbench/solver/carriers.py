"""The sentences that carry what is asked for, in the order in which they will stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rubricbench.checks.text import searchable
from rubricbench.solver.document import Sentence
from rubricbench.solver.frames import capitalized, fill
from rubricbench.solver.mentions import Mention
from rubricbench.solver.pattern import sample
from rubricbench.solver.pools import table
from rubricbench.solver.writer import Writer

_Make = Callable[[], Sentence | None]

# Pools of sentences that bear a symbol, by the symbol.
_BEARERS = {"!": "exclamation", ";": "semicolon", ":": "colon", "—": "dash", "–": "dash",
            "(": "parentheses", ")": "parentheses", "?": "question"}  # fmt: skip


def carriers(writer: Writer, places: int, pools: Sequence[str] = ()) -> list[Sentence]:
    """Return the sentences that carry the wishes of a rubric.

    Args:
        writer: writes them.
        places: about how many sentences there is room for.
        pools: where sentences that mention words come from; () for plain prose.
    """
    opening, closing = _opening(writer), list(_closings(writer))
    features = list(_features(writer))
    free = max(1, places - bool(opening) - len(closing) - len(features))
    mentions = _grouped(writer, free)
    middle = _interleaved(
        [_mentioning(writer, group, pools) for group in mentions], features
    )
    made = [make() for make in (*([opening] if opening else []), *middle, *closing)]
    found = [sentence for sentence in made if sentence]
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


def _grouped(writer: Writer, places: int) -> list[list[Mention]]:
    """Divide the queue into as few groups as the places ask for, at most three words in each."""
    queue = writer.take(len(writer.queue))
    size = min(3, max(1, -(-len(queue) // places)))
    groups: list[list[Mention]] = []
    for mention in queue:
        full = not groups or len(groups[-1]) >= size
        if full or any(one.term == mention.term for one in groups[-1]):
            groups.append([])
        groups[-1].append(mention)
    return groups


def _mentioning(writer: Writer, group: list[Mention], pools: Sequence[str]) -> _Make:
    def make() -> Sentence | None:
        named = pools if len(group) == 1 else ()
        return writer.mention(group, 9, named) or writer.mention(group, 9, ("mention1", "body"))

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
    return writer.mention([mention], 9) or writer.mention([mention], 9, ("body",))


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
        yield lambda: writer.adopt(Sentence(wishes.end, fixed=True))


def _features(writer: Writer) -> Iterator[_Make]:
    """Yield what makes the sentences that carry a feature, each as often as it is asked for."""
    wishes = writer.wishes
    for value, unit in wishes.stated:
        yield lambda value=value, unit=unit: _number(writer, value, unit)  # type: ignore[misc]
    for pattern in wishes.patterns:
        yield lambda pattern=pattern: _pattern(writer, pattern)  # type: ignore[misc]
    asked = wishes.span("questions").low - wishes.closing_question
    plain = [("questions", "question", asked), ("capitals", "capital", wishes.span("capitals").low)]
    plain.append(("placeholders", "placeholder", wishes.span("placeholders").low))
    plain += [(f"symbol:{symbols[0]}", _BEARERS.get(symbols[0], ""), span.low)
              for symbols, span in wishes.symbols]  # fmt: skip
    for feature, name, count in plain:
        for _ in range(count if name else 0):
            yield lambda feature=feature, name=name: _fixed(  # type: ignore[misc]
                writer.sentence((name,), 8, features={feature})
            )
    for style in ("url", "markdown_link"):
        low = wishes.citations[style].low if style in wishes.citations else 0
        for i in range(low):
            yield lambda style=style, i=i: _link(writer, style, i)  # type: ignore[misc]
    for letter, span in wishes.letters.items():
        for _ in range(1 if span.low > 2 and letter in table("letter_rich") else 0):
            yield lambda letter=letter: _rich(writer, letter)  # type: ignore[misc]


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
    shown = number_text(value, unit)
    for note in writer.material.notes:
        if shown in note and writer.accepts(note, frozenset()):
            return writer.adopt(Sentence(note, fixed=True))
    return _fixed(writer.sentence(("number", "total"), 8, number=shown))


def _pattern(writer: Writer, pattern: str) -> Sentence | None:
    text = sample(pattern)
    return None if text is None else _fixed(writer.sentence(("pattern",), 8, sample=text))


def _link(writer: Writer, style: str, i: int) -> Sentence | None:
    slug = "-".join(w for w in searchable(writer.material.topic).split() if w.isalnum()) or "notes"
    found = writer.sentence(
        (style,), 8, features={f"citation:{style}", "citation:url"}, slug=slug, n=str(i + 1)
    )
    return _fixed(found)


def paragraph_opening(writer: Writer, word: str) -> Sentence | None:
    """Return a sentence that begins with a given word."""
    features = {f"keyword:{word}", f"order:{word}", f"keyword:{word.lower()}"}
    found = writer.sentence(("word_first",), 10, features=features, word=capitalized(word))
    if found:
        found.fixed = found.first = True
    return found
