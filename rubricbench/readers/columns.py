"""Names of columns, of which a file may have any number."""

from __future__ import annotations


def first_repeated(names: list[str]) -> str | None:
    """Return the first name that was there before, or None."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
