from __future__ import annotations

import pytest

from rubricbench.report import formats
from rubricbench.report.bootstrap import Estimate, Method


@pytest.mark.parametrize(
    ("value", "text"), [(0.4125, "0.412"), (-0.25, "−0.250"), (-0.0001, "0.000"), (1, "1.000")]
)
def test_decimal(value: float, text: str) -> None:
    assert formats.decimal(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.2, "+0.200"), (-0.2, "−0.200"), (0.0, "0.000")])
def test_signed(value: float, text: str) -> None:
    assert formats.signed(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0%"),
        (1.0, "100%"),
        (0.425, "42%"),
        (0.0049, "0.5%"),
        (0.9999, "99.9%"),
        (0.0001, "0.1%"),
        (0.999, "99.9%"),
    ],
)
def test_percent_says_0_and_100_only_where_it_is_exact(share: float, text: str) -> None:
    assert formats.percent(share) == text


def test_spans() -> None:
    assert formats.span(0.1, 0.25) == "0.100–0.250"
    assert formats.span(-0.1, 0.25) == "−0.100 to 0.250"
    assert formats.span(0.1, 0.25, formats.percent) == "10–25%"
    assert formats.span(0.1, 0.2, formats.signed) == "+0.100 to +0.200"


def test_an_unknown_mean_is_printed_as_bounds() -> None:
    known = Estimate(0.5, 0.5, None, Method.NONE, 3, 3)
    unsure = Estimate(0.5, 0.75, (0.4, 0.8), Method.BOOTSTRAP, 3, 3)
    assert (formats.point(known), formats.interval(known)) == ("0.500", "–")
    assert (formats.point(unsure), formats.interval(unsure)) == ("0.500–0.750", "0.400–0.800")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2025-01-31T12:00:59Z", "2025-01-31 12:00 UTC"),
        ("2025-01-31T23:30:00.123456-02:00", "2025-02-01 01:30 UTC"),
        ("2025-01-31T12:00", "2025-01-31 12:00"),
        ("last week", "last week"),
    ],
)
def test_moments(text: str, shown: str) -> None:
    assert formats.moment(text) == shown


def test_small_words() -> None:
    assert formats.plural(1, "prompt") == "1 prompt"
    assert formats.plural(1200, "family", "families") == "1,200 families"
    assert (formats.weight(3), formats.weight(-1.5)) == ("+3", "−1.5")
    assert (formats.count(1234), formats.count(87.5)) == ("1,234", "87.5")
    assert (formats.number(3.0), formats.number(-0.30000000000000004)) == ("3", "−0.3")
    assert [formats.tick(v) for v in (0, 0.25, -1, 1000)] == ["0", "0.25", "−1", "1,000"]
