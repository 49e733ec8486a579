"""Fences around untrusted text."""

from __future__ import annotations

from unicodedata import category

from rubricbench.judging.neutral import neutral

_LEAST = 3
# Other characters that normalisation turns into a backtick.
_LIKE_BACKTICKS = ("\uff40", "\u1fef")
_LINE_BREAKS = frozenset("\n\r\v\f\x1c\x1d\x1e\x85")  # controls that do end a run
_INVISIBLE = frozenset({"Cc", "Cf", "Mn", "Me"})  # controls, formats, marks on what is before


def fenced(text: str) -> str:
    """Return text between two lines of backticks, more of them than any run inside.

    The text is made neutral first (`rubricbench.judging.neutral`). Linear in the text.
    """
    text = neutral(text)
    ticks = "`" * max(_LEAST, 1 + longest_run(text))
    return f"{ticks}\n{text}\n{ticks}"


def longest_run(text: str) -> int:
    """Return the length of the longest run of backticks, or what can be read as one.

    Characters that show nothing do not end a run, and those that normalisation turns into
    backticks count as such. Runs too short to matter may be given too long.
    """
    if not text.isascii():
        for like in _LIKE_BACKTICKS:
            if like in text:
                text = text.replace(like, "`")
    if "`" not in text:
        return 0
    pieces = text.split("`")  # the search by pattern costs more than all the rest of rendering
    if len(pieces) <= _LEAST:
        return len(pieces) - 1
    longest = run = 1
    for piece in pieces[1:-1]:
        run = run + 1 if not piece or _shows_nothing(piece) else 1
        if run > longest:
            longest = run
    return longest


def _shows_nothing(piece: str) -> bool:
    # Nearly always the first character ends it, and looking at that alone is quicker.
    return _is_invisible(piece[0]) and all(map(_is_invisible, piece))


def _is_invisible(c: str) -> bool:
    return category(c) in _INVISIBLE and c not in _LINE_BREAKS
