"""Text under headings, and in numbered sections."""

from __future__ import annotations

from rubricbench.checks.structure import title_key
from rubricbench.solver.carriers import carriers
from rubricbench.solver.document import Fixed, Slot
from rubricbench.solver.forms.placing import place
from rubricbench.solver.forms.text import pools_of
from rubricbench.solver.mentions import Mention
from rubricbench.solver.plan import aimed_sentences, aimed_words
from rubricbench.solver.pools import pool
from rubricbench.solver.span import Span
from rubricbench.solver.writer import Writer

Parts = list[Fixed | Slot]

_WORDS = 110


def headed(writer: Writer) -> Parts:
    """Return a section of text for each heading, bullets in one that has room for them."""
    wishes = writer.wishes
    titles = _titles(writer)
    parts: Parts = []
    slots: list[Slot] = []
    for title in titles:
        slot = Slot(gap="\n", pools=pools_of(writer), words=_bounds(writer, title), heading=title)
        parts += [Fixed(f"## {title}"), slot]
        slots.append(slot)
    for heading, keyword in wishes.in_section:
        slot = next(s for s in slots if title_key(s.heading) == title_key(heading))
        shown = f"**{keyword}**" if keyword in wishes.bold else keyword
        sentence = writer.mention([Mention(keyword, shown)], 9)
        if sentence:
            slot.sentences.append(sentence)
    words = aimed_words(wishes, _WORDS)
    free = [s for s in slots if s.words.high is None] or slots
    place(carriers(writer, aimed_sentences(wishes, words), words), free)
    if wishes.span("bullets").low:
        _add_bullets(writer, parts, free[-1])
    if wishes.span("numbers").low:
        _add_numbers(writer, parts, free[-1])
    return parts


def _titles(writer: Writer) -> list[str]:
    """Return the headings asked for, and as many more as their number asks for."""
    wishes = writer.wishes
    titles = list(wishes.headings)
    known = {title_key(title) for title in titles}
    wanted = [heading for heading, _ in wishes.in_section] + list(wishes.section_words)
    for heading in wanted:
        if title_key(heading) not in known:
            known.add(title_key(heading))
            titles.append(heading)
    spare = [title for title in pool("part_titles") if title_key(title) not in known]
    missing = wishes.span("headings").low - len(titles)
    return titles + spare[: max(0, missing)]


def _bounds(writer: Writer, title: str) -> Span:
    for heading, span in writer.wishes.section_words.items():
        if title_key(heading) == title_key(title):
            return span
    return Span()


def _add_bullets(writer: Writer, parts: Parts, after: Slot) -> None:
    at = parts.index(after) + 1
    for i in range(writer.wishes.span("bullets").low):
        slot = Slot(lead="- ", gap="\n" if i else "\n\n", pools=("item", "body"), most=1)
        parts.insert(at + i, slot)


def _add_numbers(writer: Writer, parts: Parts, after: Slot) -> None:
    at = parts.index(after) + 1
    for i in range(writer.wishes.span("numbers").low):
        gap = "\n" if i else "\n\n"
        parts.insert(at + i, Slot(lead=f"{i + 1}. ", gap=gap, pools=("item", "body"), most=1))


def numbered(writer: Writer) -> Parts:
    """Return sections opened by a word and a number: "Phase 1: First steps"."""
    wishes = writer.wishes
    titles = writer.shuffled(pool("part_titles"))
    parts: Parts = []
    slots: list[Slot] = []
    for i in range(wishes.span("sections").low):
        title = f": {titles[i % len(titles)]}" if wishes.language == "en" else ""
        slot = Slot(pools=pools_of(writer))
        parts += [Fixed(f"{wishes.splitter} {i + 1}{title}"), slot]
        slots.append(slot)
    words = aimed_words(wishes, 80)
    place(carriers(writer, aimed_sentences(wishes, words), words), slots)
    return parts
