"""Units of measure beside a number: what counts as the same unit."""

from __future__ import annotations

import re
from functools import lru_cache

from rubricbench.checks.text.numbers import Stated

# Each line is one unit in its spellings. Symbols are compared as they stand ("MB" is not "Mb"),
# words of four letters and more in any case, singular and plural.
_SAME = tuple(
    tuple(line.split(" | "))
    for line in """
% | percent | per cent | pct
$ | US$ | USD | dollar | buck
€ | EUR | euro
£ | GBP | pound sterling | pound
¥ | JPY | CNY | yen | yuan
₹ | INR | Rs | rupee
km | kilometer | kilometre
m | meter | metre
cm | centimeter | centimetre
mm | millimeter | millimetre
nm | nanometer | nanometre
mi | mile
ft | foot | feet
in | inch | inches
kg | kilogram | kilo
g | gram | gramme
mg | milligram
µg | μg | mcg | microgram
t | ton | tonne
lb | lbs | pound
oz | ounce
l | L | liter | litre
ml | mL | milliliter | millilitre
s | sec | secs | second
ms | millisecond
min | mins | minute
h | hr | hrs | hour
d | day
wk | week
mo | month
yr | yrs | year
°C | ℃ | degrees Celsius | degree Celsius | C
°F | ℉ | degrees Fahrenheit | degree Fahrenheit | F
K | kelvin
° | degree
kB | KB | kilobyte
MB | megabyte
GB | gigabyte
TB | terabyte
Hz | hertz
W | watt
kW | kilowatt
kWh | kilowatt-hour | kilowatt hour
J | joule
kJ | kilojoule
cal | calorie
kcal | kilocalorie | Cal
V | volt
A | amp | ampere
Pa | pascal
N | newton
km/h | kph | kilometers per hour | kilometres per hour
mph | miles per hour
m/s | meters per second | metres per second
""".strip().splitlines()
)
_SYMBOLS = frozenset(form for same in _SAME for form in same) - {"K", "B", "M"}
_LINE_END = re.compile(r"[ \t]*\n[ \t]*")
_LETTERS = re.compile(r"[^\W\d_]+")
_LEAD = re.compile(r"[\s\-\\*_~{(,]{0,4}(?:(?:text|mathrm)\{)?\s?")
_BEFORE_TRIM = " \u00a0\u202f*_\\"


@lru_cache(maxsize=512)
def spellings(unit: str) -> tuple[str, ...]:
    """Return the ways to write a unit, the longest first."""
    bare = unit.strip()
    forms = {bare}
    for same in _SAME:
        if bare in same or (len(bare) > 3 and _singular(bare) in same):
            forms.update(same)
    for form in tuple(forms):
        if form[-1:].isalpha() and len(form) > 2:
            forms.update((form + "s", form + "es", _singular(form)))
    return tuple(sorted(forms, key=lambda form: (-len(form), form)))


def _singular(word: str) -> str:
    word = word.lower() if len(word) > 3 else word
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def has_unit(number: Stated, unit: str) -> bool:
    """Tell whether the unit stands beside the number: after it, or before it for a symbol."""
    number = number._replace(after=_LINE_END.sub(" ", number.after))  # a unit may be wrapped
    before = number.before.rstrip(_BEFORE_TRIM)
    if before.endswith("$") and number.after.startswith("$"):
        before = ""  # $5$ is mathematics
        number = number._replace(after=number.after[1:])
    lead = _LEAD.match(number.after)
    after = number.after[lead.end() if lead else 0 :]
    return any(
        _opens_with(after, form) or (not form[-1].isalpha() and before.endswith(form))
        or (form.isupper() and _closes_with(before, form))
        for form in spellings(unit)
    )  # fmt: skip


def has_attached_unit(number: Stated) -> bool:
    """Tell whether a known unit follows without a space, as in "5km"."""
    letters = _LETTERS.match(number.after)
    return letters is not None and letters[0] in _SYMBOLS


def _opens_with(after: str, form: str) -> bool:
    head = after[: len(form)]
    same = head == form or (len(form) > 3 and head.lower() == form.lower())
    rest = after[len(form) : len(form) + 2]
    if not same or not form[-1:].isalnum():
        return same
    return not (rest[:1].isalnum() or rest[:1] == "^" or (rest[:1] == "/" and rest[1:].isalpha()))


def _closes_with(before: str, form: str) -> bool:
    return before.endswith(form) and not before[: -len(form)][-1:].isalnum()
