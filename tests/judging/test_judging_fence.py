"""Untrusted text cannot end its fence."""

from __future__ import annotations

import re
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubricbench.judging.fence import fenced, longest_run
from rubricbench.judging.neutral import neutral


@given(st.text(alphabet="`a\n\r ~\u2028\u200b\x85\x0b\x0c\x1c\uff40\x00", max_size=60))
def test_no_line_inside_can_close_the_fence(text):
    block = fenced(text)
    fence, rest = block.split("\n", 1)
    inside, closing = rest.rsplit("\n", 1)
    assert inside == neutral(text)
    assert fence == closing
    assert set(fence) == {"`"}
    assert len(fence) > max((len(run) for run in re.findall("`+", text)), default=0)
    assert len(fence) >= 3


@given(st.text(alphabet="`\n\u200b\u00ad\ufe0f\u2060\uff40\u1fefa\x01", max_size=40))
def test_nor_one_that_is_read_without_what_shows_nothing(text):
    seen = unicodedata.normalize("NFKC", text)
    for hidden in "\u200b\u00ad\ufe0f\u2060\x01":
        seen = seen.replace(hidden, "")
    longest = max((len(run) for run in re.findall("`+", seen)), default=0)
    assert len(fenced(text).split("\n", 1)[0]) > longest


@pytest.mark.parametrize(
    ("text", "ticks"),
    [
        ("a `` b", 3),
        ("a ``` b", 4),
        ("a `b` `c` `d` ``e``", 3),
        ("`` ``", 3),
        ("`\u200b`\u200b`", 4),
        ("`\n`\n`\n`", 3),
        ("`\u2028`\u2028`", 3),  # line separators part a run: no line of three is made of these
        ("\uff40\uff40\uff40\uff40", 5),
        ("~~~~~~", 3),  # tildes close no fence of backticks
    ],
)
def test_a_fence_is_as_long_as_needed_and_no_longer(text, ticks):
    assert fenced(text).startswith("`" * ticks + "\n")


def test_runs_are_measured():
    assert [longest_run(t) for t in ("", "a", "```", "``` ````", "x" * 9 + "`````")] == [
        0,
        0,
        3,
        4,
        5,
    ]


def test_a_response_of_backticks_alone_takes_no_time():
    start = time.perf_counter()
    fenced("`" * 2_000_000)
    fenced("``` " * 500_000)
    fenced("`" + "\u200b" * 2_000_000 + "`")
    fenced("`\u200b" * 1_000_000)
    assert time.perf_counter() - start < 10.0  # quadratic code would take hours
