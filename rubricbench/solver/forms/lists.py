"""Lists: bullets, numbers, nested ones, glossaries."""

from __future__ import annotations

from rubricbench.checks.lists import sort_key
from rubricbench.solver.carriers import carriers
from rubricbench.solver.document import Fixed, Slot
from rubricbench.solver.forms.placing import place
from rubricbench.solver.frames import capitalized
from rubricbench.solver.span import Span
from rubricbench.solver.writer import Writer

Parts = list[Fixed | Slot]

_ITEMS = 6  # where no number is asked for
_COMMON = ["attention", "care", "patience", "practice", "rest", "time", "plan", "method"]


def _count(span: Span, usual: int) -> int:
    if not span.bounded:
        return usual
    return max(span.low, min(usual, span.high if span.high is not None else usual))


def list_answer(writer: Writer) -> Parts:
    """Return a list of bullets or numbers, or one of each where both are asked for."""
    wishes = writer.wishes
    slots: list[Slot] = []
    numbers, bullets = wishes.span("numbers"), wishes.span("bullets")
    item_words = wishes.span("item words")
    pools = _pools(writer)
    if numbers.low:
        for i in range(_count(numbers, _ITEMS)):
            slots.append(Slot(lead=f"{i + 1}. ", gap="\n", pools=pools, words=item_words))
    if bullets.low or not numbers.low:
        start = len(slots)
        for _ in range(_count(bullets, _ITEMS)):
            slots.append(Slot(lead="- ", gap="\n", pools=pools, words=item_words))
        if slots[start:] and start:
            slots[start].gap = "\n\n"
    slots[0].gap = "\n\n"
    writer.unit = item_words
    words = item_words.aim(9) * len(slots) if item_words.bounded else 0
    placed = carriers(writer, len(slots), words, asking=pools[0] == "question")
    place(placed, slots)
    for slot in slots:
        slot.most = max(1, len(slot.sentences))
    return [*slots]


def _pools(writer: Writer) -> tuple[str, ...]:
    wishes = writer.wishes
    if wishes.language != "en":
        return ("body",)
    if wishes.span("questions").low > 2:
        return ("question",)
    return ("item", "notes", "body")


def nested(writer: Writer) -> Parts:
    """Return a list with sub-points under each point."""
    wishes = writer.wishes
    bullets = wishes.span("bullets")
    total = _count(bullets, 3 * max(3, wishes.depth) if not bullets.low else bullets.low)
    low = wishes.span("lines").low
    total = max(total, min(low, bullets.high or low))
    groups = max(2, total // 3)
    sizes = [(total - groups) // groups + (i < (total - groups) % groups) for i in range(groups)]
    words = wishes.span("item words")
    slots: list[Slot] = []
    for i, size in enumerate(sizes):
        slots.append(Slot(lead="- ", gap="\n", pools=("item", "body"), words=words, most=1))
        for j in range(size):
            deeper = min(j, wishes.depth - 2) if i == 0 else 0
            indent = "  " * (1 + deeper)
            pools = ("item", "notes", "body")
            slots.append(Slot(lead="- ", gap="\n", pools=pools, words=words, most=1, indent=indent))
    slots[0].gap = "\n\n"
    writer.unit = words
    place(carriers(writer, len(slots)), slots)
    for slot in slots:
        slot.most = max(1, len(slot.sentences))
    return [*slots]


def glossary(writer: Writer) -> Parts:
    """Return entries "term: explanation" in alphabetical order."""
    wishes = writer.wishes
    count = max(_count(wishes.span("bullets"), _ITEMS), wishes.alphabetical)
    shown: dict[str, str] = {}
    for mention in writer.take(len(writer.queue)):
        shown.setdefault(mention.term, mention.shown)
    extra = [word for word in _COMMON if writer.accepts(word, frozenset())]
    if len(shown) > count and wishes.span("bullets").high is not None:
        count = wishes.span("bullets").high or count
    for word in extra:
        if len(shown) >= count:
            break
        shown.setdefault(word, word)
    pools = ("detail",) if wishes.language == "en" else ("body",)
    slots = [
        Slot(lead=f"- {_titled(text)}: ", gap="\n", pools=pools, most=1, words=_item_words(writer))
        for _, text in sorted(shown.items(), key=lambda one: sort_key(one[1]))
    ]
    if slots:
        slots[0].gap = "\n\n"
    writer.live += shown.values()
    rest = carriers(writer, len(slots))
    for sentence, slot in zip(rest, slots, strict=False):
        slot.sentences.append(sentence)
    return [*slots]


def _titled(text: str) -> str:
    marks = len(text) - len(text.lstrip("*"))
    return text[:marks] + capitalized(text[marks:])


def _item_words(writer: Writer) -> Span:
    return writer.wishes.span("item words")
