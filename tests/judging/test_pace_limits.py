"""The simulator's limits: what they let through, and what they say."""

from __future__ import annotations

import pytest
from simserver.limits import read_limit, told


def _passes(limit, times):
    return [limit.admit(t) for t in times]


def test_in_flight_counts_what_has_not_left():
    limit = read_limit("in flight 2")
    assert _passes(limit, [0, 0, 0]) == [True, True, False]
    limit.done(1)
    assert _passes(limit, [1, 1]) == [True, False]


def test_a_bucket_fills_at_its_rate_up_to_its_burst():
    limit = read_limit("bucket 2/s burst 3")
    assert _passes(limit, [0, 0, 0, 0]) == [True, True, True, False]
    assert limit.wait(0) == 0.5
    # A token every half second; refused requests take none.
    assert _passes(limit, [0.25, 0.5, 0.75, 1.0]) == [False, True, False, True]
    assert _passes(limit, [100] * 4) == [True, True, True, False]


def test_a_counting_bucket_takes_a_token_of_the_refused_too():
    limit = read_limit("counting bucket 2/s burst 3")
    # After three tokens, debts of 1 and 2 and no more than one burst: 3.
    assert _passes(limit, [0] * 7) == [True, True, True, False, False, False, False]
    # One whole token again needs 4, which take 2 s.
    assert limit.wait(0) == 2.0
    assert limit.admit(2.0)


def test_a_window_follows_the_clock():
    limit = read_limit("window 2 in 10 s")
    assert _passes(limit, [8, 9, 9.5, 10, 11, 12]) == [True, True, False, True, True, False]
    assert limit.wait(12) == 8


def test_a_limit_is_halved_some_seconds_after_the_first_request():
    limit = read_limit("in flight 4, halved after 8 s")
    assert _passes(limit, [100, 100, 100]) == [True, True, True]
    assert not limit.admit(108)
    # 4 for two seconds and 2 for two, of requests that take a second each.
    assert limit.permits(106, 110, 1.0) == 4 * 2 + 2 * 2


@pytest.mark.parametrize(
    ("words", "permitted"),
    # In 10 s, of requests that take half a second each.
    [
        ("in flight 4", 80),
        ("bucket 3/s burst 9", 30),
        ("counting bucket 3/s burst 9", 30),
        ("window 5 in 2 s", 25),
    ],
)
def test_what_is_permitted_in_the_long_run(words, permitted):
    assert read_limit(words).permits(0, 10, 0.5) == permitted


def test_what_is_told():
    limit = read_limit("window 2 in 10 s")
    assert _passes(limit, [1, 1.5, 2]) == [True, True, False]
    styles = ("retry-after", "openai", "draft", "plain")
    assert told(limit, 2.5, refused=True, styles=styles) == {
        "Retry-After": "8",  # 7.5, upwards
        "x-ratelimit-limit-requests": "2",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "7500ms",
        "RateLimit-Policy": '"requests";q=2;w=8',
        "RateLimit": '"requests";r=0;t=8',
        "RateLimit-Limit": "2",
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": "8",
    }
    assert told(limit, 2.5, refused=False, styles=("retry-after",)) == {}


def test_other_words_are_refused():
    with pytest.raises(ValueError, match="no limit: 'forty'"):
        read_limit("forty")
