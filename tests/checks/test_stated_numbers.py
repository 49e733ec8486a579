"""What counts as a number that a text states, and as its unit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubricbench.checks import run
from rubricbench.checks.text.numbers import spelled_numbers, stated_numbers
from rubricbench.checks.units import has_unit
from rubricbench.errors import SchemaError
from rubricbench.schema import Check


def values(text: str) -> list[float]:
    return [number.value for number in stated_numbers(text) if number.bare]


def spelled(text: str) -> list[float]:
    return [number.value for number in spelled_numbers(text) if number.bare]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is 1,234.5 or 1.234,5.", [1234.5, 1234.5]),
        ("1'234 and 12,34,567", [1234, 1234567]),  # Swiss and Indian grouping
        ("3,5 and 0,125", [3.5, 0.125]),  # a comma before other than three digits, or after 0
        ("1.234", [1.234]),  # one full stop is a decimal point
        ("1.234.567", [1234567]),
        ("5,6,7", [5, 6, 7]),
        ("-3, −4, (–5), 3-5", [-3, -4, -5, 3, 5]),  # minus, dash as minus, range
        ("-$7 and $-8", [-7, -8]),
        (".5 and -.5", [0.5, -0.5]),
        ("3/4 cup, 1 1/2, 2½, ½", [0.75, 1.5, 2.5, 0.5]),
        (r"\frac{1}{4}, 1{,}234, \boxed{42}", [0.25, 1234, 42]),
        ("10⁶, 10^3, 6e3, 2×10^3", [1e6, 1e3, 6e3, 2e3]),
        ("1.2 million, $3M, 5k, 2 bn", [1.2e6, 3e6, 5e3, 2.0]),  # a suffix is attached
        ("٤٢ and ４２", [42, 42]),  # Arabic-Indic and full-width digits
        ('**42**, "43", 44. And 45', [42, 43, 44, 45]),
        ("mid-2012", [2012]),
    ],
)
def test_numbers_are_read_as_people_write_them(text, expected):
    assert values(text) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "H2O, COVID-19, GPT-4, v1.2.3, x2, A_1, 12_000",
        "12:30, 2012-05-12, 3/4/2020, 3:1",
        "the 12th and 3rd",
        "2^10, 2**10, 5²",
        "1. Stir\n  2) Mix\n> 3. Bake",
        "as shown [3]",
        "https://example.org/2012/12",
        "7.8.9",
        "4x, 5pm",
    ],
)
def test_digits_that_are_no_number_are_passed_over(text):
    assert values(text) == []


def test_a_plain_space_may_group_thousands_or_separate_numbers():
    assert set(values("12 345 people")) == {12, 345, 12345}
    assert set(values("in 2010 200 people")) == {2010, 200}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("twenty-two, Three hundred and five", [22, 305]),
        ("two hundred thousand", [200_000]),
        ("one million two hundred thousand and six", [1_200_006]),
        ("two three", [2, 3]),
        ("two dozen, a hundred", [24, 100]),
        ("nineteen hundred", [1900]),
        ("someone, often, tent, twofold", []),
        ("one of them", []),
        ("the answer is one.", [1]),
        ("1.2 million", []),
    ],
)
def test_numbers_in_english_words(text, expected):
    assert spelled(text) == expected


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("5 km", "kilometers", True),
        ("5 kilometres", "km", True),
        ("5-km walk", "km", True),
        ("5 km/h", "km", False),
        ("5 m²", "m", False),
        ("5 Mb", "MB", False),
        ("$5", "dollars", True),
        ("USD 5", "$", True),
        ("5 dollars", "$", True),
        ("$5$", "$", False),  # mathematics
        ("5 per cent", "%", True),
        ("5\\%", "percent", True),
        ("5 percentage points", "%", False),
        ("5 apples", "apple", True),
        ("5 Apples", "apples", True),
        ("5 applets", "apple", False),
        ("20 °C", "degrees Celsius", True),
        ("5 **kg**", "kg", True),
    ],
)
def test_units_are_compared_by_meaning_and_as_whole_words(text, unit, expected):
    (number,) = stated_numbers(text)
    assert has_unit(number, unit) is expected


@pytest.mark.parametrize("words", ["hundred ", "one ", "million and ", "ninety-nine trillion "])
def test_an_endless_run_of_number_words_is_read_in_pieces(words):
    assert all(value < 1e300 for value in spelled(words * 5_000))


def test_tolerance_is_an_absolute_distance_with_both_ends_included():
    def states(text: str, **params: float) -> bool:
        return run(Check("states_number", params), text).met

    assert states("About 3.14.", value=3.14159, tolerance=0.00159)
    assert not states("About 3.14.", value=3.14159, tolerance=0.0015)
    assert states("0.3", value=0.1 + 0.2)  # binary rounding is no difference
    assert states("12", value=10, tolerance=2)
    assert not states("12.01", value=10, tolerance=2)


@pytest.mark.parametrize(
    "params",
    [
        {"value": 1, "unit": " "},
        {"unit": "km"},
        {"value": "1"},
        {"value": 1, "tolerance": -1},
    ],
)
def test_senseless_parameters_are_refused(params):
    with pytest.raises(SchemaError, match="bad_check"):
        run(Check("states_number", params), "1")


@given(st.integers(-(10**12), 10**12), st.sampled_from([str, "{:,}".format]))
def test_every_whole_number_is_found_in_a_sentence(number, written):
    text = f"The result is {written(number)}, as expected."
    assert run(Check("states_number", {"value": number}), text).met


@given(st.decimals(-(10**6), 10**6, places=3))
def test_every_decimal_is_found_and_its_neighbour_is_not(number):
    text = f"x = {number}."
    assert run(Check("states_number", {"value": float(number)}), text).met
    assert not run(Check("states_number", {"value": float(number) + 0.0005}), text).met
