"""Rate-limit headers in the forms that are in use, and what is made of them."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict

from rubricbench.judging.pace.allowance import Allowance
from rubricbench.judging.pace.quota import (
    SETTLED_AFTER,
    Quota,
    QuotaReader,
    read_quotas,
    seconds_until,
)

NOW = 1_700_000_000.0  # 2023-11-14T22:13:20Z


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30.0),
        ("0.25", 0.25),
        ("120ms", 0.12),
        ("6m0s", 360.0),
        ("2m59.56s", 179.56),
        ("1h2m3s", 3723.0),
        ("1d", 86_400.0),
        ("1700000090", 90.0),
        ("1700000090000", 90.0),
        ("1600000000", 0.0),
        ("2023-11-14T22:14:20Z", 60.0),
        ("soon", None),
        ("5m later", None),
        ("", None),
        ("nan", None),
        ("-4", None),
        ("inf", None),
    ],
)
def test_times_are_read_in_every_form(text, seconds):
    found = seconds_until(text, NOW)
    assert found == (seconds if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("headers", "quotas"),
    [
        (
            {
                "X-RateLimit-Remaining-Requests": "58",
                "X-RateLimit-Reset-Requests": "20ms",
                "x-ratelimit-remaining-tokens": "149000",
                "x-ratelimit-reset-tokens": "6m0s",
            },
            [Quota(58, 0.02), Quota(149_000, 360.0, tokens=True)],
        ),
        (
            {
                "anthropic-ratelimit-requests-remaining": "9",
                "anthropic-ratelimit-requests-reset": "2023-11-14T22:13:50Z",
            },
            [Quota(9, 30.0)],
        ),
        ({"RateLimit": '"default";r=50;t=30'}, [Quota(50, 30.0)]),
        ({"RateLimit": '"burst";r=3;t=10, "day";r=800;t=4000'}, [Quota(3, 10), Quota(800, 4000)]),
        ({"RateLimit": "limit=100, remaining=7, reset=40"}, [Quota(7, 40.0)]),
        ({"RateLimit-Remaining": "5", "RateLimit-Reset": "12"}, [Quota(5, 12.0)]),
        ({"x-ratelimit-remaining": "5", "x-ratelimit-reset": "1700000012"}, [Quota(5, 12.0)]),
        # Nothing to go by.
        ({}, []),
        ({"RateLimit": "garbage"}, []),
        ({"RateLimit-Remaining": "5"}, []),
        ({"RateLimit-Remaining": "five", "RateLimit-Reset": "12"}, []),
        ({"RateLimit-Remaining": "-5", "RateLimit-Reset": "12"}, []),
        # Half a second more or less would be much of it.
        ({"RateLimit-Remaining": "5", "RateLimit-Reset": "2"}, []),
    ],
)
def test_quotas_are_read_in_every_form(headers, quotas):
    assert read_quotas(CIMultiDict(headers), NOW) == quotas


def test_an_endpoint_that_says_nothing_is_soon_not_searched():
    reader, looked = QuotaReader(), []

    class Watched(dict):
        def get(self, name, default=None):
            looked.append(name)
            return super().get(name, default)

    for _ in range(SETTLED_AFTER):
        assert reader.of_answer(Watched()) == []
    looked.clear()
    assert reader.of_answer(Watched()) == []
    assert looked == []
    # A refusal is always searched; what is found there is looked for from then on.
    told = {"RateLimit-Remaining": "5", "RateLimit-Reset": "12"}
    assert reader.of_refusal(Watched(told)) == [Quota(5, 12.0)]
    looked.clear()
    assert reader.of_answer(Watched(told)) == [Quota(5, 12.0)]
    assert set(looked) == set(told)


def test_enough_is_no_reason_to_wait():
    allowance = Allowance()
    allowance.told(Quota(left=100, seconds=60), number=0, sent_at=0.0, answered=True)
    assert allowance.wait(1.0, sent=1, window=10) == 0


def test_little_is_spread_over_the_time_it_must_last():
    allowance = Allowance()
    allowance.told(Quota(left=19, seconds=60), number=0, sent_at=0.0, answered=True)
    # 19 are left, less than two windows of 10; 40 of the 60 seconds are to come, and 20 gaps.
    assert allowance.wait(20.0, sent=1, window=10) == pytest.approx(40 / 20)
    # What was sent since that reply was written comes off: 9 are left.
    assert allowance.wait(20.0, sent=11, window=10) == pytest.approx(40 / 10)
    # With nothing left, nothing until the quota is whole; and then it binds no more.
    assert allowance.wait(20.0, sent=40, window=10) == pytest.approx(40)
    assert allowance.wait(61.0, sent=40, window=10) == 0


def test_a_late_reply_to_an_early_request_says_nothing_new():
    allowance = Allowance()
    allowance.told(Quota(left=500, seconds=60), number=7, sent_at=1.0, answered=True)
    allowance.told(Quota(left=0, seconds=60), number=3, sent_at=0.5, answered=True)
    assert allowance.wait(2.0, sent=8, window=10) == 0


def test_tokens_bind_by_what_a_request_costs():
    allowance = Allowance()
    allowance.told(Quota(left=4_000, seconds=60, tokens=True), number=0, sent_at=0.0, answered=True)
    assert allowance.wait(0.0, sent=1, window=10) == 0  # no cost is known yet
    allowance.spent(1_000)
    # Enough for 4 requests: 5 gaps.
    assert allowance.wait(0.0, sent=1, window=10) == pytest.approx(60 / 5)


def test_a_quota_that_is_used_up_for_hours_is_tried_once_a_minute():
    allowance = Allowance()
    allowance.told(Quota(left=0, seconds=7200), number=0, sent_at=0.0, answered=True)
    assert allowance.wait(0.0, sent=1, window=10) == 60
    # It was true: the next minute passes like the first.
    allowance.told(Quota(left=0, seconds=7140), number=1, sent_at=60.0, answered=False)
    assert allowance.wait(60.0, sent=2, window=10) == 60


def test_headers_that_answers_contradict_are_ignored():
    allowance = Allowance()
    allowance.told(Quota(left=0, seconds=7200), number=0, sent_at=0.0, answered=True)
    allowance.told(Quota(left=0, seconds=7200), number=1, sent_at=60.0, answered=True)
    assert allowance.wait(60.0, sent=2, window=10) == 0
