"""Waiting times: keyed, spread, and never shorter than what the endpoint asked for."""

from __future__ import annotations

import statistics
from email.utils import formatdate

import pytest

from rubricbench.judging.retry import (
    FIRST_BACKOFF_SECONDS,
    MAX_BACKOFF_SECONDS,
    RETRY_AFTER_SPREAD,
    after_request,
    backoff,
    retry_after,
)

NOW = 1_700_000_000.0


def test_waits_are_keyed_by_call_and_attempt():
    assert backoff("k", 2) == backoff("k", 2)
    assert len({backoff("k", 2), backoff("k", 3), backoff("other", 2)}) == 3


@pytest.mark.parametrize("attempt", [0, 1, 3])
def test_jitter_is_full_and_its_ceiling_doubles(attempt):
    ceiling = FIRST_BACKOFF_SECONDS * 2**attempt
    waits = [backoff(f"k{i}", attempt) for i in range(2_000)]
    assert min(waits) >= 0
    assert max(waits) < ceiling
    # Uniform on [0, c): the mean of 2,000 draws has the sd c / sqrt(12 * 2000) = .0065 c.
    assert statistics.mean(waits) == pytest.approx(ceiling / 2, rel=0.06)


def test_the_ceiling_is_bounded_however_many_attempts():
    assert max(backoff(f"k{i}", 10_000) for i in range(100)) < MAX_BACKOFF_SECONDS


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After-Ms": "250", "Retry-After": "1"}, 0.25),
        ({"Retry-After": formatdate(NOW + 90, usegmt=True)}, 90.0),
        ({"Retry-After": formatdate(NOW - 90, usegmt=True)}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-3"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "Mon, 01 Jan 99999 00:00:00 GMT"}, None),
    ],
)
def test_retry_after_is_read_in_every_form(headers, seconds):
    assert retry_after(headers, NOW) == seconds


def test_what_was_asked_for_is_the_least_that_is_waited():
    waits = [after_request(f"k{i}", 0, 4.0) for i in range(200)]
    assert min(waits) >= 4.0
    assert max(waits) <= 4.0 * (1 + RETRY_AFTER_SPREAD)
    assert len(set(waits)) == 200
