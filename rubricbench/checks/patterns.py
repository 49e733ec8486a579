"""Regular expressions that people write: compiled by RE2, so linear in the text they search."""

from __future__ import annotations

from functools import lru_cache
from typing import Any


class PatternError(ValueError):
    """A pattern that RE2 does not take; the message says why."""


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Any:
    """Return the compiled pattern.

    Raises:
        PatternError: it is not valid, or needs what RE2 leaves out (look-around, back-references).
    """
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = 8 << 20  # bytes; a larger program is refused
    try:
        return re2.compile(pattern, options=options)
    except (re2.error, UnicodeEncodeError) as error:
        reason = error.args[0] if error.args else "unknown fault"
        reason = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
        raise PatternError(f"not a pattern in RE2 syntax: {reason}"[:300]) from None
