"""What a model costs, from a small file that users edit (``prices.yaml`` beside this module)."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from rubricbench.errors import InputError
from rubricbench.judging.price.rules import CacheRule, cache_rule
from rubricbench.yaml_file import read_yaml

_MILLION = 1_000_000
_DATED = re.compile(r"(.+)-(?:\d{4}-\d{2}-\d{2}|\d{8})")
_AMOUNTS = ("input", "cached_input", "output")
_FIELDS = frozenset({*_AMOUNTS, "batch_discount", "prefix_cache", "as_of", "source"})
OURS = Path(__file__).with_name("prices.yaml")


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """What a model's tokens cost.

    Args:
        model: its name in the price file.
        currency: such as ``USD``.
        input: price of a million prompt tokens.
        cached_input: price of a million prompt tokens served from the provider's prefix cache.
        output: price of a million answer tokens.
        batch_discount: share taken off for batch files; None where there are none.
        prefix_cache: rule of the provider's prefix cache; None where the file does not say.
        as_of: when the price was read.
        source: where.
    """

    model: str
    currency: str
    input: float
    cached_input: float
    output: float
    batch_discount: float | None = None
    prefix_cache: CacheRule | None = None
    as_of: str = ""
    source: str = ""

    def cost(self, prompt: float, answer: float, cached: float = 0) -> float:
        """Return what so many tokens cost; ``cached`` are part of the prompt's."""
        fresh = max(0.0, prompt - cached)
        paid = fresh * self.input + cached * self.cached_input + answer * self.output
        return paid / _MILLION


class PriceList:
    """The prices of a file.

    Args:
        path: a YAML file in the form of ``prices.yaml``; that file itself if not given.

    Raises:
        InputError: the file cannot be read, or an entry is not a price; the entry is named.
    """

    def __init__(self, path: Path | None = None) -> None:
        path = path or OURS
        document = _document(path)
        self._prices = {
            str(name): _price(str(name), entry, document, str(path))
            for name, entry in document["models"].items()
        }

    def __len__(self) -> int:
        return len(self._prices)

    def find(self, model: str) -> Price | None:
        """Return a model's price: by its name, or by its name without date and provider."""
        for name in _names(model):
            if name in self._prices:
                return self._prices[name]
        return None


def _names(model: str) -> list[str]:
    bare = model.rpartition("/")[2]
    names = [model, bare]
    for name in (model, bare):
        dated = _DATED.fullmatch(name)
        names += [dated[1]] if dated else []
    return names


def _document(path: Path) -> Mapping[str, Any]:
    document = read_yaml(path)
    models = document.get("models") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(models, dict) or not models:
        raise InputError("a price file needs a list `models`", where=str(path), hint=_HINT)
    return document


def _price(name: str, entry: Any, document: Mapping[str, Any], where: str) -> Price:
    place = f"{where}, model {name!r:.60}"
    if not isinstance(entry, dict):
        raise InputError("a price needs `input` and `output`", where=place, hint=_HINT)
    strange = [str(key) for key in entry if key not in _FIELDS]
    if strange:
        raise InputError(f"unknown field {strange[0]!r:.40}", where=place, hint=_HINT)
    values = {key: _amount(entry, key, place) for key in _AMOUNTS if key in entry}
    for key in ("input", "output"):
        if key not in values:
            raise InputError(f"`{key}` is missing", where=place, hint=_HINT)
    discount = _discount(entry.get("batch_discount"), place)
    rule = entry.get("prefix_cache")
    return Price(
        model=name,
        currency=str(document.get("currency", "USD")),
        input=values["input"],
        cached_input=values.get("cached_input", values["input"]),
        output=values["output"],
        batch_discount=discount,
        prefix_cache=None if rule is None else cache_rule(str(rule), where=place),
        as_of=_date(entry.get("as_of", document.get("as_of", ""))),
        source=str(entry.get("source", document.get("source", ""))),
    )


def _amount(entry: Mapping[str, Any], key: str, place: str) -> float:
    value = entry[key]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value < 0:
        raise InputError(f"`{key}` must be a price, got {value!r:.40}", where=place)
    return float(value)


def _discount(value: Any, place: str) -> float | None:
    if value is None:
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value <= 1:
        raise InputError(
            f"`batch_discount` must be a share from 0 to 1, got {value!r:.40}", where=place
        )
    return float(value)


def _date(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime.date) else str(value)


_HINT = "the form is that of rubricbench/judging/price/prices.yaml"
