"""The prefix cache model: what prompts share, in the order sent, checked against brute force."""

from __future__ import annotations

import random

import pytest

from rubricbench.judging.price.prefix import KEPT_PREFIXES, PrefixCache, common_prefix
from rubricbench.judging.price.prompt import Piece
from rubricbench.judging.price.rules import CacheRule, cache_rule

FREE = CacheRule("free", 1, 1, at_once=True)


def letters(*texts: str) -> list[Piece]:
    """A prompt whose every letter is a token."""
    return [Piece(text, len(text)) for text in texts]


def cache(rule: CacheRule | str = FREE, in_flight: int = 1) -> PrefixCache:
    return PrefixCache(cache_rule(rule) if isinstance(rule, str) else rule, in_flight, len)


def test_the_first_prompt_shares_nothing_and_its_equal_all_but_a_token():
    seen = cache()
    assert seen.send(letters("system", "rubric", "answer")) == (18, 0, 0)
    assert seen.send(letters("system", "rubric", "answer")) == (18, 18, 17)


def test_a_new_piece_is_compared_with_the_one_that_stood_there_last():
    seen = cache()
    seen.send(letters("system", "rubric A", "one"))
    assert seen.send(letters("system", "rubric B", "two")).shared == 6 + 7
    assert seen.send(letters("system", "rubric A", "ouch")).shared == 6 + 8 + 1
    assert seen.send(letters("sys", "rubric")).shared == 3
    assert seen.send(letters("other")).shared == 0


def test_a_rubric_below_the_minimum_earns_nothing():
    seen, rubric = cache("1024:128"), "r" * 450
    for i in range(100):
        sent = seen.send(letters("s" * 200, rubric, f"{i:03d}" + "x" * 600))
        assert sent.served == 0
    assert sent.shared >= 650


def test_a_rubric_above_it_is_served_in_whole_blocks():
    seen, rubric = cache("1024:128"), "r" * 1_000
    first, *others = [seen.send(letters("s" * 200, rubric, chr(200 + i) * 50)) for i in range(10)]
    assert first.served == 0
    # 1,200 shared tokens hold nine blocks of 128
    assert {sent.served for sent in others} == {1_152}


@pytest.mark.parametrize(("at_once", "earning"), [(True, 15), (False, 8)])
def test_calls_in_flight_together_share_only_where_prompts_are_entered_at_once(at_once, earning):
    # 16 responses to a prompt, 8 calls in flight: the first 8 begin before any of them is answered
    seen = cache(CacheRule("r", 1, 1, at_once=at_once), in_flight=8)
    served = [seen.send(letters("rubric", chr(200 + i))).served for i in range(16)]
    assert sum(tokens > 0 for tokens in served) == earning


def test_without_a_cache_what_is_shared_is_still_told():
    seen = cache("none")
    seen.send(letters("rubric", "a"))
    assert seen.send(letters("rubric", "b")) == (7, 6, 0)


def test_prefixes_not_used_for_long_are_forgotten_and_memory_is_bounded():
    seen = cache()
    seen.send(letters("first", "x"))
    seen.send(letters("kept", "x"))
    for i in range(KEPT_PREFIXES // 2):
        seen.send(letters(f"{i}", f"{i}"))
        if i % 1_000 == 0:
            seen.send(letters("kept", "x"))
    assert seen.send(letters("kept", "y")).shared == 4
    assert seen.send(letters("first", "y")).shared < 5
    assert len(seen._known) <= KEPT_PREFIXES


def longest(prompt: str, earlier: list[str]) -> int:
    """The longest beginning that an earlier prompt had, letter by letter."""
    return max((common_prefix(prompt, other) for other in earlier), default=0)


def test_in_the_order_of_a_run_it_finds_what_brute_force_finds():
    # Rubrics that differ from their first letter on, each with several responses in a row
    draws = random.Random(4)
    seen, earlier = cache(), []
    for rubric in range(40):
        for _ in range(draws.randrange(1, 6)):
            response = "".join(draws.choice("ab") for _ in range(draws.randrange(1, 9)))
            texts = ("system", chr(300 + rubric) * 5, "<" + response, ">end")
            sent = seen.send(letters(*texts))
            assert sent.shared <= longest("".join(texts), earlier)
            # Within a response it looks at the last one only; up to it, at all of them.
            assert sent.shared >= min(longest("".join(texts), earlier), 12)
            earlier.append("".join(texts))


def test_calls_about_one_response_share_it():
    # response_first, a criterion a call: system, prompt and response are common to the four calls
    seen = cache("16:16")
    calls = [letters("s" * 100, "p" * 50, "response" * 5, chr(200 + i) * 20) for i in range(4)]
    # 100 + 50 + 40 = 190 tokens in common: eleven blocks of 16
    assert [seen.send(call).served for call in calls] == [0, 176, 176, 176]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("", "", 0),
        ("", "a", 0),
        ("a", "b", 0),
        ("ab", "ab", 2),
        ("ab", "abc", 2),
        ("abX", "abY", 2),
    ],
)
def test_common_beginnings(one, other, same):
    assert common_prefix(one, other) == common_prefix(other, one) == same


def test_common_beginnings_of_long_texts():
    for same in (0, 1, 255, 256, 99_999):
        one, other = "x" * same + "a" + "y" * 100, "x" * same + "b" + "y" * 100
        assert common_prefix(one, other) == same
