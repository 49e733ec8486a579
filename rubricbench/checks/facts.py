"""Families about what the response states and what it refers to: numbers, sources."""

from __future__ import annotations

from rubricbench.checks.bounds import amount, bounds, within
from rubricbench.checks.citations import STYLES, citations
from rubricbench.checks.registry import Outcome, Param, Params, family
from rubricbench.checks.text.numbers import Stated, spelled_numbers, stated_numbers
from rubricbench.checks.units import has_attached_unit, has_unit
from rubricbench.checks.wording import tally

_ROUNDING = 1e-12  # of the value: what reading a decimal as binary may cost

_STYLE = Param(
    "str", "how sources are cited: [1], (Smith, 2020), [text](url), a bare URL, [^1]",
    choices=tuple(STYLES),
)  # fmt: skip


@family(
    "citation_count",
    describe=lambda p: (
        f"The response contains {_citations(p)} in the form {STYLES[p['style']].form}."
    ),
    **bounds(
        "citations",
        style=_STYLE,
        distinct=Param("bool", "whether a source cited again counts once", False),
    ),
    passes=[
        ({"style": "numeric", "minimum": 3}, "Tea is **old** [1] and loved [2, 3]."),
        ({"style": "author_year", "minimum": 2}, "So (Smith, 2020). Ng et al. (2019) agree."),
        ({"style": "markdown_link", "maximum": 1}, "See [this](https://example.org/a)."),
        ({"style": "url", "minimum": 1}, "Read https://example.org/a."),
        ({"style": "footnote", "minimum": 1, "maximum": 1}, "Old.[^a]\n\n[^a]: A book."),
    ],
    fails=[
        ({"style": "numeric", "minimum": 1}, "See `a[1]`.\n\n[1] Smith, A book."),
        ({"style": "numeric", "minimum": 2, "distinct": True}, "Old [1], very old [1]."),
        ({"style": "author_year", "minimum": 1}, "In May (May 2020), and (since 2019)."),
        ({"style": "markdown_link", "minimum": 1}, "![image](https://example.org/a.png)"),
    ],
)
def citation_count(text: str, params: Params) -> Outcome:
    """How many citations of one style stand in the text, code aside.

    ``numeric``: numbers in square brackets; ``[2, 3]`` are two, ``[4-6]`` three. A bracket that
    opens a line is an entry of the reference list. ``author_year``: "(Smith & Ng, 2020; Lee 2019)"
    are two, "Ng et al. (2019)" and "Ng (2019) found" are one, "Jaws (1975)" is a film and months
    are no authors (`citations` has the rules). ``markdown_link``:
    ``[text](http…)``, not images. ``url``: any http(s) or www address, also inside a link.
    ``footnote``: ``[^id]``, not the note itself (``[^id]: …``).
    """
    found = citations(text, params["style"])
    count = len(set(found)) if params["distinct"] else len(found)
    unit = "source" if params["distinct"] else "citation"
    return Outcome(within(count, params), tally(count, unit))


def _citations(params: Params) -> str:
    if not params["distinct"] or params["maximum"] == 0:
        return amount(params, "citation")
    return f"citations of {amount(params, 'different source')}"


def _bad_number(params: Params) -> str | None:
    unit = params["unit"]
    return "an empty unit" if unit is not None and not unit.strip() else None


@family(
    "states_number",
    describe=lambda p: f"The response states the number {_number(p)}{_margin(p)}.",
    params={
        "value": Param("float", "the number", minimum=-1e300, maximum=1e300),
        "tolerance": Param("float", "largest distance from it that counts", 0.0, minimum=0),
        "unit": Param("str", "unit that stands beside it, such as km, %, $", None, maximum=40),
    },
    validate=_bad_number,
    passes=[
        ({"value": 1234.5}, "That makes 1,234.5 in all."),
        ({"value": 12, "unit": "%"}, "About twelve per cent, i.e. 12 %."),
        ({"value": 3.14159, "tolerance": 0.01}, "Pi is roughly 3.14."),
        ({"value": 1.2e6, "unit": "$"}, "It cost $1.2 million."),
        ({"value": 22}, "There are twenty-two."),
        ({"value": 5, "unit": "kilometers"}, "A 5-km walk."),
        ({"value": 9.8, "unit": "metres per second"}, "- about 9.8 metres\n  per second"),
    ],
    fails=[
        ({"value": 12}, "In 2012 the 12th of them met at 12:30."),
        ({"value": 12, "unit": "%"}, "12 percentage points"),
        ({"value": 3}, "3. Stir [3] the GPT-3 pot in v3.1."),
        ({"value": 1.2}, "It cost 1.2 million."),
        ({"value": 5, "unit": "km"}, "At 5 km/h."),
    ],
)
def states_number(text: str, params: Params) -> Outcome:
    """The number occurs in the text, in digits or in English words (`text.numbers` says how).

    It counts when it is within ``tolerance`` of the value. Where a unit is given it must stand
    beside the number; common units are known by symbol, name and plural (`units`), others are
    compared as written. "12%" states 12, not 0.12; "1.2 million" states 1,200,000, not 1.2.
    """
    value, unit = float(params["value"]), params["unit"]
    margin = params["tolerance"] + _ROUNDING * max(1.0, abs(value))
    seen: list[float] = []
    is_whole = abs(round(value) - value) <= margin and value >= -margin
    for reading in (stated_numbers, spelled_numbers) if is_whole else (stated_numbers,):
        for number in reading(text):
            seen.append(number.value)
            if abs(number.value - value) <= margin and _fits(number, unit):
                return Outcome(True, f"states {number.value:.15g}")
    shown = ", ".join(f"{other:.15g}" for other in seen[:5])
    return Outcome(False, f"not among: {shown}" if seen else "no numbers")


def _fits(number: Stated, unit: str | None) -> bool:
    if unit is not None:
        return has_unit(number, unit)
    return number.bare or has_attached_unit(number)


def _number(params: Params) -> str:
    value, unit = params["value"], params["unit"]
    digits = f"{value:,.15g}" if 1e-4 <= abs(value) < 1e15 or value == 0 else f"{value:.15g}"
    if unit is None:
        return digits
    if unit in ("$", "€", "£", "¥", "₹"):
        return f"{unit}{digits}"
    return f"{digits}{'' if unit == '%' else ' '}{unit}"


def _margin(params: Params) -> str:
    within_ = params["tolerance"]
    return f" (or a number at most {within_:.15g} away from it)" if within_ else ""
