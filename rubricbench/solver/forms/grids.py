"""Tables, comma-separated values, cards of key and value."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

from rubricbench.checks.text import searchable
from rubricbench.solver.carriers import carriers
from rubricbench.solver.document import Fixed, Slot
from rubricbench.solver.forms.placing import place
from rubricbench.solver.frames import capitalized
from rubricbench.solver.mentions import Mention
from rubricbench.solver.pools import pool, table
from rubricbench.solver.sentence import Sentence
from rubricbench.solver.writer import Writer

Parts = list[Fixed | Slot]

_ROWS = 4  # where no number is asked for


def _filler(name: str, row: int) -> str | None:
    """Return what usually stands under a header of this name, None where anything may."""
    for key, values in table("fields").items():
        if searchable(name) == key:
            return str(values[row % len(values)])
    return None


def _cells(writer: Writer, headers: list[str], rows: int) -> list[list[str]]:
    """Fill a grid: usual values under headers that are known, mentions and phrases elsewhere."""
    grid: list[list[str]] = []
    free = sum(1 for name in headers if _filler(name, 0) is None) * rows
    mentions = writer.take(len(writer.queue))
    groups = _spread_out(mentions, max(1, free))
    phrases = [p for p in writer.shuffled(pool("cell")) if writer.accepts(p, frozenset())]
    for row in range(rows):
        cells = []
        for name in headers:
            usual = _filler(name, row)
            if usual is not None and writer.accepts(usual, frozenset()) and free:
                cells.append(usual)
            elif groups:
                cells.append(cell(writer, groups.pop(0), bare=not cells))
            else:
                cells.append(phrases[len(grid) * len(headers) + len(cells) - len(phrases)]
                             if phrases else "see above")  # fmt: skip
        grid.append(cells)
    return grid


def _spread_out(mentions: list[Mention], cells: int) -> list[list[Mention]]:
    size = max(1, -(-len(mentions) // cells))
    return [mentions[i : i + size] for i in range(0, len(mentions), size)]


def cell(writer: Writer, group: list[Mention], bare: bool = False) -> str:
    """Return a short phrase that mentions these words, or the words alone."""
    shown = " and ".join(mention.shown for mention in group)
    phrased = not bare and writer.wishes.language == "en"
    frames = writer.shuffled(pool("cell_term")) if phrased else []
    features = frozenset[str]().union(*(mention.features for mention in group))
    for frame in [*frames, "{term}"]:
        text = frame.format(term=shown)
        if writer.accepts(text, features):
            writer.live.append(text)
            return text
    return shown


def _headers(shape: dict[str, object], usual: list[str]) -> list[str]:
    headers = shape.get("headers")
    if isinstance(headers, list):
        return [str(header) for header in headers]
    columns = shape.get("columns")
    count = columns if isinstance(columns, int) else 3
    return [*usual, *(f"Column {i}" for i in range(len(usual) + 1, count + 1))][:count]


def _row_count(shape: dict[str, object], usual: int = _ROWS) -> int:
    low, high = shape.get("min_rows"), shape.get("max_rows")
    count = max(usual, low) if isinstance(low, int) else usual
    return min(count, high) if isinstance(high, int) else count


def table_answer(writer: Writer) -> Parts:
    """Return a Markdown table, and a few sentences below it where they are asked for."""
    shape = writer.wishes.table or {}
    headers = _headers(shape, ["Item", "Purpose", "Note"])
    low = shape.get("min_rows")
    rows = _row_count(shape, low if isinstance(low, int) and low else _ROWS)
    grid = _cells(writer, headers, rows)
    ruled = [headers, ["---"] * len(headers), *grid]
    text = "\n".join(f"| {' | '.join(cells)} |" for cells in ruled)
    decorated = any(writer.wishes.span(name).low for name in ("emoji", "highlights"))
    below = Slot(pools=("notes", "body"), least=int(decorated or bool(writer.wishes.citations)))
    place(carriers(writer, 2), [below])
    return [Fixed(text), below]


def csv_text(writer: Writer) -> str:
    """Return comma-separated values."""
    shape = writer.wishes.csv or {}
    headers = _headers(shape, ["item", "purpose", "note"])
    rows = _row_count(shape, max(writer.wishes.span("lines").low - 1, _low(shape)))
    out = io.StringIO()
    grid = csv.writer(out, lineterminator="\n")
    grid.writerow(headers)
    grid.writerows(_cells(writer, headers, rows))
    return out.getvalue().rstrip("\n")


def _low(shape: dict[str, object]) -> int:
    low = shape.get("min_rows")
    return low if isinstance(low, int) and low else _ROWS


def card(writer: Writer) -> Parts:
    """Return a line "key: value" for each key."""
    wishes = writer.wishes
    slots = [Slot(lead=f"{key}: ", gap="\n", pools=("cell", "body"), most=1) for key in wishes.keys]
    slots[0].gap = "\n\n"
    person: dict[str, Callable[[], str]] = {
        "name": lambda: writer.material.writer or capitalized(writer.material.topic),
        "member": lambda: writer.material.writer or "a friend of the house",
        "topic": lambda: writer.material.topic,
        "what": lambda: writer.material.topic,
        "skill": lambda: writer.material.topic,
        "focus": lambda: writer.material.topic,
    }
    open_slots = []
    for key, slot in zip(wishes.keys, slots, strict=True):
        usual = person[key.lower()]() if key.lower() in person else _filler(key, 0)
        if usual is not None and writer.accepts(usual, frozenset()):
            slot.sentences.append(writer.adopt(Sentence(usual, fixed=True)))
        else:
            open_slots.append(slot)
    placed = carriers(writer, len(open_slots))
    place(placed, open_slots or slots)
    for slot in slots:
        slot.bare = True
        slot.most = max(1, len(slot.sentences))
    lines = wishes.span("lines")
    room = lines.high is None or lines.high > len(slots) + bool(wishes.title)
    below = [Slot(pools=("notes", "body"), least=0)] if room and wishes.span("words").low else []
    return [*slots, *below]
