"""How large the response is going to be."""

from __future__ import annotations

from rubricbench.solver.wishes import Wishes

_WORDS = 90  # of prose, where nothing is asked for
_PER_SENTENCE = 11
_CHARACTERS_PER_WORD = 6


def aimed_words(wishes: Wishes, usual: int = _WORDS) -> int:
    """Return the number of words to aim at."""
    if wishes.span("words").bounded:
        return wishes.span("words").aim(usual)
    if wishes.span("characters").bounded:
        span = wishes.span("characters")
        return max(5, span.aim(usual * _CHARACTERS_PER_WORD) // _CHARACTERS_PER_WORD)
    if wishes.span("sentences").bounded:
        return wishes.span("sentences").aim(usual // _PER_SENTENCE) * _PER_SENTENCE
    if wishes.span("paragraph words").bounded:
        each = wishes.span("paragraph words").aim(40)
        return each * aimed_paragraphs(wishes, usual)
    return usual


def aimed_sentences(wishes: Wishes, words: int) -> int:
    """Return the number of sentences to aim at in prose of so many words."""
    usual = max(1, round(words / _PER_SENTENCE))
    span = wishes.span("sentences")
    return max(1, span.aim(usual)) if span.bounded else usual


def aimed_paragraphs(wishes: Wishes, words: int) -> int:
    """Return the number of paragraphs of prose to aim at."""
    span = wishes.span("paragraphs")
    if span.bounded:
        return max(1, span.low or min(2, span.high or 2))
    each = wishes.span("paragraph words")
    if each.high and words > each.high:
        return -(-words // (each.high * 3 // 4))
    if each.low and words < 2 * each.low:
        return 1
    return 1 if words < 80 else 2 if words < 160 else 3
