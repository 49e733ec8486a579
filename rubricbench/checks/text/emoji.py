"""Emoji, as Unicode (UTS #51) sees them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

# Shown as emoji by default, or asked to be by U+FE0F, with skin tone and tags; joined ones are one.
_ELEMENT = (
    r"(?:(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F)\p{Emoji_Modifier}?"
    r"|\p{Emoji_Modifier_Base}\p{Emoji_Modifier})[\U000E0020-\U000E007F]*+"
)
# A lone regional indicator is half of a flag, and by itself no emoji.
_EMOJI = (
    r"\p{Regional_Indicator}{2}|(?P<half>\p{Regional_Indicator})|[0-9#*]\uFE0F?\u20E3"
    rf"|{_ELEMENT}(?:\u200D(?:{_ELEMENT}|\p{{Extended_Pictographic}}))*+"
)


@lru_cache(maxsize=1)
def _pattern() -> Any:
    import regex

    return regex.compile(_EMOJI)


def emoji(text: str) -> tuple[str, ...]:
    """Return the emoji: a flag, a keycap, a joined family or a toned hand is one.

    Characters that are text unless U+FE0F follows (©, ™, ❤, ✔, ↔) count only with it.
    """
    if text.isascii():
        return ()
    return tuple(m[0] for m in _pattern().finditer(text) if m["half"] is None)
