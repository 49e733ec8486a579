"""Untrusted text cannot end its fence."""

from __future__ import annotations

import re
import time

from hypothesis import given
from hypothesis import strategies as st

from rubricbench.judging.fence import fenced


@given(st.text(alphabet="`a\n\r ~\u2028", max_size=60))
def test_no_line_inside_can_close_the_fence(text):
    block = fenced(text)
    fence, rest = block.split("\n", 1)
    inside, closing = rest.rsplit("\n", 1)
    assert inside == text
    assert fence == closing
    assert set(fence) == {"`"}
    assert len(fence) > max((len(run) for run in re.findall("`+", text)), default=0)
    assert len(fence) >= 3


def test_fence_is_no_longer_than_needed():
    assert fenced("a ``` b").startswith("````\n")
    assert fenced("a `` b").startswith("```\n")


def test_a_response_of_backticks_alone_takes_no_time():
    start = time.perf_counter()
    fenced("`" * 2_000_000)
    fenced("``` " * 500_000)
    assert time.perf_counter() - start < 2.0  # quadratic code would take hours
