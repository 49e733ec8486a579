"""What counts as a citation in each style."""

from __future__ import annotations

import time

import pytest

from rubricbench.checks.citations import STYLES, citations


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tea is old [1] and loved.[2][3]", ["1", "2", "3"]),
        ("[1, 3; 5-7] opens", []),  # a bracket that opens a line is an entry of the list
        ("See [1, 3; 5–7].", ["1", "3", "5", "6", "7"]),
        ("See [9-7].", ["9"]),
        ("x = [1, 2] and f([3])", []),
        ("index [0] and `a [1]`", []),
        ("```\nsee [1]\n```", []),
        ("Refs:\n[1] Smith.\n- [2] Jones.", []),
        ("see [1](https://example.org)", ["1"]),
    ],
)
def test_numeric(text, expected):
    assert citations(text, "numeric") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(Smith & Ng, 2020; Lee 2019a)", ["smith ng 2020", "lee 2019a"]),
        ("(see also van der Berg et al., 2019, 2021, p. 4)", ["berg 2019", "berg 2021"]),
        ("(World Health Organization, 2018: 33)", ["world health organization 2018"]),
        ("(Smith, n.d.) and (Ng, in press)", ["smith n.d.", "ng in press"]),
        ("Ng et al. (2019) agree", ["ng 2019"]),
        ("Smith & Jones (2011)", ["smith jones 2011"]),
        ("Smith (2020) found it", ["smith 2020"]),
        ("as shown by Smith (2020)", ["smith 2020"]),
        ("Smith’s (2011, p. 3) view", ["smith 2011"]),
        ("Jaws (1975) is a film", []),
        ("- **The Wizard of Oz** (1939)", []),
        ("In May (2020) and (June 2020), (since 2019), (n = 40), (2020)", []),
        ("Smith, J., & Ng, K. (2011). A book.", []),  # an entry of the reference list
        ("(“Off the Wall”, 1979)", []),
        ("f(Smith, 2020)", ["smith 2020"]),
        ("`(Smith, 2020)`", []),
    ],
)
def test_author_and_year(text, expected):
    assert citations(text, "author_year") == expected


def test_the_same_source_has_the_same_key_in_both_forms():
    first, second = citations("(Ng et al., 2019) … Ng et al. (2019)", "author_year")
    assert first == second


@pytest.mark.parametrize(
    ("style", "text", "expected"),
    [
        ("markdown_link", "[a](https://e.org/x_(y)) ![b](https://e.org/b.png) [c](#part)",
         ["https://e.org/x_(y)"]),
        ("url", "See https://e.org/a, (www.e.org) or [x](http://e.org/b).",
         ["https://e.org/a", "www.e.org", "http://e.org/b"]),
        ("url", "`https://e.org` and example.org", []),
        ("footnote", "Old.[^1] New.[^b]\n\n[^1]: A book.", ["1", "b"]),
    ],
)  # fmt: skip
def test_links_addresses_and_footnotes(style, text, expected):
    assert citations(text, style) == expected


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    "unit",
    ["(Smith, 2020; ", "( 2020", "(", "[1,", "[1-2] ", "[a](https://", "https://a ", "[^", "www."],
)
def test_no_text_holds_a_style_up(style, unit):
    start = time.process_time()
    citations((unit * 200_000)[:200_000], style)
    assert time.process_time() - start < 2
