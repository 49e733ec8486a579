"""Families about lists: how long, how deep, in which order."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import pairwise

from rubricbench.checks.bounds import amount, bounds, within
from rubricbench.checks.registry import Outcome, Param, Params, family
from rubricbench.checks.text import (
    ListItem,
    fold,
    lines,
    list_items,
    plain,
    split_words,
)
from rubricbench.checks.wording import quote_short, tally


@family(
    "list_nesting",
    describe=lambda p: (
        "The response contains a list."
        if p["minimum_depth"] == 1
        else f"The response contains a nested list at least {p['minimum_depth']} levels deep."
    ),
    params={"minimum_depth": Param("int", "levels; 1 is a flat list", minimum=1, maximum=10)},
    passes=[
        ({"minimum_depth": 2}, "- fruit\n  - apple\n- veg"),
        ({"minimum_depth": 3}, "1. a\n   - b\n     - c"),
    ],
    fails=[
        ({"minimum_depth": 2}, "- fruit\n- veg\n\nText.\n\n  - alone"),
        ({"minimum_depth": 2}, "```\n- a\n  - b\n```"),
    ],
)
def list_nesting(text: str, params: Params) -> Outcome:
    """How deep the deepest list item (bullet or number) is nested, by its indentation."""
    depth = max((item.depth for item in list_items(text)), default=0)
    return Outcome(depth >= params["minimum_depth"], tally(depth, "level"))


@family(
    "numbered_list",
    describe=lambda p: (
        "The response contains no numbered list."
        if p["maximum"] == 0
        else f"The response contains a numbered list of {amount(p, 'item')} (1., 2., 3., …)."
    ),
    **bounds("items"),
    passes=[
        ({"minimum": 3, "maximum": 3}, "1. one\n\nMore on it.\n\n2. two\n   - sub\n3. three"),
        ({"minimum": 2}, "1) one\n1) two"),
        ({"maximum": 0}, "- one\n- two"),
    ],
    fails=[
        ({"minimum": 3}, "1. one\n2. two\n\n1. again"),
        ({"minimum": 1}, "- one\n## 1. two\n2024. It was cold."),
        ({"maximum": 2}, "1. one\n2. two\n3. three"),
    ],
)
def numbered_list(text: str, params: Params) -> Outcome:
    """Some numbered list has a number of items within the bounds.

    A list is a run of items of one depth numbered 0 or 1, then one more each time (or 1 each time,
    as Markdown allows); text between the items does not end it, a new "1." does.
    """
    sizes = list(_numbered_runs(list_items(text)))
    if params["maximum"] == 0:
        return Outcome(not sizes, tally(len(sizes), "numbered list"))
    shown = ", ".join(map(str, sizes[:5]))
    return Outcome(
        any(within(size, params) for size in sizes), f"items: {shown}" if sizes else "none"
    )


def _numbered_runs(items: tuple[ListItem, ...]) -> Iterator[int]:
    """Yield the number of items of each numbered list."""
    runs: dict[int, list[int]] = {}  # by depth: [last number, items so far]
    for item in items:
        for deeper in [depth for depth in runs if depth > item.depth]:
            yield runs.pop(deeper)[1]
        if item.number is None:
            continue
        last, size = runs.get(item.depth, [-1, 0])
        if size and (item.number == last + 1 or item.number == last == 1):
            runs[item.depth] = [item.number, size + 1]
            continue
        if size:
            yield runs.pop(item.depth)[1]
        if item.number in (0, 1):
            runs[item.depth] = [item.number, 1]
    yield from (size for _, size in runs.values())


def item_texts(text: str) -> list[str]:
    """Return the text of each list item, its indented continuation lines included."""
    rows, items = lines(text), list_items(text)
    stops = [item.line for item in items[1:]] + [len(rows)]
    found = []
    for item, stop in zip(items, stops, strict=False):
        parts = [item.text]
        for row in rows[item.line + 1 : stop]:
            if row and not row[0].isspace():
                break
            parts.append(row.strip())
        found.append(" ".join(parts))
    return found


@family(
    "list_item_words",
    describe=lambda p: f"Every list item in the response has {amount(p, 'word')}.",
    **bounds("words"),
    passes=[
        ({"maximum": 3}, "Some long text before it.\n- one two three\n- one"),
        ({"minimum": 3}, "1. **One**\n   two three"),
    ],
    fails=[
        ({"maximum": 2}, "- one two three\n- one"),
        ({"maximum": 2}, "No list."),
    ],
)
def list_item_words(text: str, params: Params) -> Outcome:
    """Every list item, at any depth, has a number of words within the bounds; there is a list.

    Indented lines below an item belong to it, nested items do not.
    """
    sizes = [len(split_words(item)) for item in item_texts(text)]
    if not sizes:
        return Outcome(False, "no list")
    return Outcome(
        all(within(size, params) for size in sizes),
        f"{tally(len(sizes), 'item')} of {min(sizes)} to {max(sizes)} words",
    )


@family(
    "alphabetical_list",
    describe=lambda p: (
        f"The response contains a list of at least {p['minimum']} items, and every such list is in "
        "alphabetical order."
    ),
    params={
        "minimum": Param("int", "fewest items of a list that counts", 3, minimum=2, maximum=1000)
    },
    passes=[
        ({}, "- **Apple**: red\n- Apple pie: brown\n- *Élan*\n- fig"),
        ({}, "1. ant\n2. bee\n   - x\n   - a\n3. cat"),
    ],
    fails=[
        ({}, "- apple\n- fig\n- Date"),
        ({}, "- apple\n- fig"),
        ({}, "apple, banana, cherry"),
    ],
)
def alphabetical_list(text: str, params: Params) -> Outcome:
    """Every list of at least ``minimum`` outer items is sorted, and there is one.

    Items are compared by what stands before a colon or a spaced dash, without case, accents and
    marks; equal ones may follow one another. Letters of other scripts are compared by code point.
    """
    sizes = []
    for items in _outer_lists(text):
        if len(items) < params["minimum"]:
            continue
        keys = [sort_key(item.text) for item in items]
        for before, after in pairwise(keys):
            if before > after:
                return Outcome(False, f"{quote_short(after)} comes after {quote_short(before)}")
        sizes.append(len(items))
    return Outcome(bool(sizes), f"sorted: {sizes[0]} items" if sizes else "no list that long")


def _outer_lists(text: str) -> Iterator[list[ListItem]]:
    """Yield the outer items of each list; text at the margin or another kind of marker ends one."""
    rows = lines(text)
    run: list[ListItem] = []
    below = 0  # the line below the previous item, nested ones included
    for item in list_items(text):
        broken = any(row and not row[0].isspace() for row in rows[below : item.line])
        below = item.line + 1
        if item.depth > 1:
            continue
        follows = bool(run) and item.number is not None and item.number == (run[-1].number or 0) + 1
        same_kind = bool(run) and (item.number is None) == (run[-1].number is None)
        if run and not (same_kind and (follows or not broken)):
            yield run
            run = []
        run.append(item)
    if run:
        yield run


def sort_key(item: str) -> str:
    """Return the form by which a list item is sorted: its leading term, letters and digits only."""
    term = fold(plain(item[:1000])).replace(" - ", ":").split(":", 1)[0]
    letters = unicodedata.normalize("NFD", term) if not term.isascii() else term
    bare = "".join(char for char in letters if not unicodedata.combining(char))
    return " ".join(split_words(bare))
