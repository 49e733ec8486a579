"""A generated text that knows how it ended.

lm-eval passes responses around as plain strings and drops why they ended. This one is a string to
lm-eval, and a task that looks can tell a truncated response from a finished one.
"""

from __future__ import annotations


class Generation(str):
    """A response and how it ended.

    Args:
        text: the response.
        finish_reason: ``stop``, ``length`` or what the backend said; empty if it did not.
    """

    __slots__ = ("finish_reason",)

    finish_reason: str

    def __new__(cls, text: str, finish_reason: str = "") -> Generation:
        """Make a string that carries its ending."""
        made = super().__new__(cls, text)
        made.finish_reason = finish_reason
        return made

    def __reduce__(self) -> tuple[type[Generation], tuple[str, str]]:
        return Generation, (str(self), self.finish_reason)


def finish_reason(text: str) -> str:
    """Return how a response ended, or an empty string where that is not known."""
    return text.finish_reason if isinstance(text, Generation) else ""
