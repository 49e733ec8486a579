"""Running text: paragraphs, letters, pieces between dividers, two versions, single lines."""

from __future__ import annotations

from rubricbench.solver.carriers import carriers, paragraph_opening
from rubricbench.solver.document import Fixed, Slot
from rubricbench.solver.forms.placing import place
from rubricbench.solver.plan import aimed_paragraphs, aimed_sentences, aimed_words
from rubricbench.solver.writer import Writer

Parts = list[Fixed | Slot]


def pools_of(writer: Writer) -> tuple[str, ...]:
    """Return where plain sentences come from: the request's notes, its register, plain ones."""
    mode = writer.material.mode
    if writer.wishes.language != "en":
        return ("body",)
    return ("notes", "body") if mode == "body" else ("notes", mode, "body")


def prose(writer: Writer) -> Parts:
    """Return paragraphs; between greeting and signature where a letter is asked for."""
    wishes = writer.wishes
    is_letter = writer.material.mode == "letter" and not _bare(writer)
    words = aimed_words(wishes)
    count = aimed_paragraphs(wishes, words)
    each = wishes.span("paragraph words")
    slots = [Slot(pools=pools_of(writer), words=each) for _ in range(count)]
    _fill_in(writer, slots, words)
    if not is_letter:
        return [*slots]
    name = writer.material.recipient or "all"
    comma = "," if writer.accepts(f"Dear {name},", frozenset()) else ""
    signature = f"Best wishes\n{writer.material.writer}".strip()
    closes = not (wishes.end or wishes.closing_question)
    return [Fixed(f"Dear {name}{comma}"), *slots, *([Fixed(signature)] if closes else [])]


def _bare(writer: Writer) -> bool:
    """Tell whether the wishes leave no room for a greeting."""
    wishes = writer.wishes
    tight = ("paragraphs", "sentences", "paragraph words", "lines")
    return (
        bool(wishes.start or wishes.in_sentence or wishes.echo or wishes.title)
        or wishes.quotation
        or wishes.language != "en"
        or any(wishes.span(name).bounded for name in tight)
        or bool(wishes.variety or wishes.acrostic)
    )


def _fill_in(writer: Writer, slots: list[Slot], words: int) -> None:
    wishes = writer.wishes
    for nth, word in sorted(wishes.paragraph_starts.items()):
        if nth <= len(slots) and (opening := paragraph_opening(writer, word)):
            slots[nth - 1].sentences.append(opening)
    places = aimed_sentences(wishes, words) - len(wishes.paragraph_starts)
    placed = carriers(writer, places, words)
    plain = writer.material.mode == "body" and wishes.span("sentences").aim(9) > len(placed)
    has_opening = wishes.options or wishes.start or 1 in wishes.in_sentence
    if plain and not has_opening and words > 30:
        opener = writer.sentence(("opener",), 10)
        if opener:
            opener.first = True
            placed.insert(0, opener)
    place(placed, slots)
    ends = wishes.end or wishes.closing_question or -1 in wishes.in_sentence
    if plain and not ends and words > 60 and (closer := writer.sentence(("closer",), 8)):
        closer.last = True
        slots[-1].sentences.append(closer)


def divided(writer: Writer) -> Parts:
    """Return pieces with a line of three asterisks between them."""
    count = writer.wishes.span("pieces").low
    words = aimed_words(writer.wishes)
    slots = [Slot(pools=pools_of(writer)) for _ in range(count)]
    _fill_in(writer, slots, words)
    parts: Parts = []
    for slot in slots:
        parts += [Fixed("***"), slot] if parts else [slot]
    return parts


def pair(writer: Writer) -> Parts:
    """Return two versions with six asterisks between them."""
    slots = [Slot(pools=pools_of(writer)) for _ in range(2)]
    _fill_in(writer, slots, aimed_words(writer.wishes, 60))
    return [slots[0], Fixed("******"), slots[1]]


def lines(writer: Writer) -> Parts:
    """Return single lines, as on a sign."""
    wishes = writer.wishes
    span = wishes.span("lines")
    taken = bool(wishes.title) + 2 * bool(wishes.echo)
    count = max(1, min(span.high or 99, max(span.low, 4)) - taken)
    writer.longest = wishes.line_limit
    slots = [Slot(pools=pools_of(writer), gap="\n", one_line=True) for _ in range(count)]
    _fill_in(writer, slots, aimed_words(wishes, 40))
    return [*slots]
