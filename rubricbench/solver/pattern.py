r"""A text that matches a regular expression, for the common part of RE2 syntax.

Understood are literals, escapes (``\d \w \s \b``…), classes, groups, alternatives and repetition;
of several possibilities the first is taken, of a repetition the smallest number above zero.
"""

from __future__ import annotations

from rubricbench.checks.patterns import compiled

_ESCAPES = {"d": "4", "w": "a", "s": " ", "D": "a", "W": " ", "S": "a", "n": "\n", "t": "\t"}
_ANCHORS = "bBAzZ"
_DIGITS = "473816290"


class _Reader:
    """Reads a pattern and writes a text that matches it."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.digits = 0

    def alternatives(self) -> str:
        """Read alternatives up to the end of the group; return a text for the first."""
        first = self.sequence()
        while self.peek() == "|":
            self.at += 1
            self.sequence()
        return first

    def sequence(self) -> str:
        """Read a sequence of repeated atoms."""
        text = ""
        while self.peek() not in ("", "|", ")"):
            start = self.at
            atom = self.atom()
            end = self.at
            count = self.repetition()
            text += atom
            for _ in range(count - 1):  # read again, so that digits differ
                resume, self.at = self.at, start
                text += self.atom()
                assert self.at == end
                self.at = resume
            if count == 0:
                text = text[: len(text) - len(atom)]
        return text

    def repetition(self) -> int:
        """Read a quantifier; return how often to repeat."""
        mark = self.peek()
        if mark in ("*", "+", "?") and mark:
            self.at += 1
            self.skip("?")
            return 1
        if mark != "{":
            return 1
        close = self.pattern.index("}", self.at)
        low = self.pattern[self.at + 1 : close].split(",")[0]
        self.at = close + 1
        self.skip("?")
        return int(low or 0)

    def atom(self) -> str:
        """Read one atom; return a text for it."""
        char = self.pattern[self.at]
        self.at += 1
        if char == "(":
            return self.group()
        if char == "[":
            return self.one_of()
        if char == "\\":
            return self.escape()
        if char in "^$":
            return ""
        return "a" if char == "." else char

    def group(self) -> str:
        """Read a group, flags and names aside."""
        if self.peek() == "?":
            self.at += 1
            while self.peek() not in (":", ")", ">", ""):
                self.at += 1
            closed = self.peek() == ")"
            self.at += 1
            if closed:
                return ""
        text = self.alternatives()
        self.skip(")")
        return text

    def escape(self) -> str:
        """Read an escape."""
        char = self.pattern[self.at]
        self.at += 1
        if char in _ANCHORS:
            return ""
        if char == "d":
            return self.digit()
        if char in "pP":
            close = self.pattern.index("}", self.at) if self.peek() == "{" else self.at
            self.at = close + 1
            return "a"
        return _ESCAPES.get(char, char)

    def digit(self) -> str:
        """Return a digit, another one each time."""
        self.digits += 1
        return _DIGITS[self.digits % len(_DIGITS)]

    def one_of(self) -> str:
        """Read a class; return a character of it (or, where it is negated, one that is not)."""
        negated = self.skip("^")
        ranges: list[tuple[str, str]] = []
        while self.peek() != "]" or not ranges:
            low = self.member()
            high = low
            if self.peek() == "-" and self.pattern[self.at + 1] != "]":
                self.at += 1
                high = self.member()
            ranges.append((low, high))
        self.at += 1
        if not negated:
            return chr(min(ord(ranges[0][0]) + 1, ord(ranges[0][1])))
        return next(
            char for char in "ab7 -A!" if not any(low <= char <= high for low, high in ranges)
        )

    def member(self) -> str:
        """Read one character of a class."""
        char = self.pattern[self.at]
        self.at += 1
        return self.escape() if char == "\\" else char

    def peek(self) -> str:
        """Return the next character, "" at the end."""
        return self.pattern[self.at : self.at + 1]

    def skip(self, char: str) -> bool:
        """Pass over a character if it comes next."""
        found = self.peek() == char
        self.at += found
        return found


def sample(pattern: str) -> str | None:
    """Return a text that matches the whole pattern, None where none was found."""
    try:
        text = _Reader(pattern).alternatives()
    except (ValueError, IndexError, StopIteration, RecursionError, OverflowError):
        return None
    return text if compiled(pattern).fullmatch(text) else None
