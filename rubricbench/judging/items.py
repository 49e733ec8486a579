"""What goes into a judge, and what becomes of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from enum import StrEnum
from itertools import islice
from typing import Any

import msgspec

from rubricbench.judging.faults import Failure
from rubricbench.schema import Rubric
from rubricbench.store import Completion


class Item(msgspec.Struct, frozen=True):
    """A response to be graded.

    Args:
        rubric: the rubric of its prompt.
        response: its text; an empty one is graded like any other.
        tag: anything of yours, given back with the result.
    """

    rubric: Rubric
    response: str
    tag: Any = None


class Source(StrEnum):
    """Where the judge's answer for an item came from."""

    CALL = "call"
    STORE = "store"
    SHARED = "shared"  # an equal item's call, under way at the time
    CHECKS = "checks"  # no judge was needed
    NOWHERE = "nowhere"  # the call failed


class Outcome(msgspec.Struct, frozen=True):
    """An item with the judge's answer, not yet read.

    Args:
        item: the item.
        source: where the answer came from.
        key: key of the call; empty where none was needed.
        completion: the answer; None where none was needed or the call failed.
        failure: why the call failed, if it did.
    """

    item: Item
    source: Source
    key: str = ""
    completion: Completion | None = None
    failure: Failure | None = None


Items = Iterable[Item] | AsyncIterable[Item]


async def chunks(items: Items, size: int) -> AsyncGenerator[list[Item], None]:
    """Yield items in lists: of ``size`` from an iterable, as they come from an async one."""
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield [item]
        return
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
