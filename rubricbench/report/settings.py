"""A run's configuration as a flat list of names and values, without its secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

VALUE_CHARS = 2000
WITHHELD = "(withheld)"

_SECRET_NAME = re.compile(
    r"(^|[_.-])(api_?keys?|auth|authorization|bearer|credentials?|headers?|passwords?|secrets?"
    r"|(access|api|auth|hf|secret)_?token)$",
    re.IGNORECASE,
)
_URL_LOGIN = re.compile(r"(?<=://)[^/@\s]+@")


def flatten(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield ``(dotted name, value as text)`` for every leaf, in the given order.

    A run's configuration should hold no secret; a report travels, so what looks like one by its
    name is withheld, and so is a login inside a URL.
    """
    for key, value in settings.items():
        name = f"{prefix}{key}"
        if _SECRET_NAME.search(name) and value:
            yield name, WITHHELD
        elif isinstance(value, Mapping) and value:
            yield from flatten(value, f"{name}.")
        else:
            yield name, _value(value)


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else _json(value)
    text = _URL_LOGIN.sub("", text)
    return text if len(text) <= VALUE_CHARS else text[:VALUE_CHARS] + "…"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
