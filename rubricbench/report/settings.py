"""A run's configuration as a flat list of names and values, without its secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

VALUE_CHARS = 2000
WITHHELD = "(withheld)"

_SECRETS = (
    r"(?:api_?keys?|auth|authorization|bearer|credentials?|headers?|passwords?|secrets?"
    r"|(?:access|api|auth|hf|secret)_?token)"
)
_SECRET_NAME = re.compile(rf"(?:^|[_.-]){_SECRETS}$", re.IGNORECASE)
_SECRET_PAIR = re.compile(rf"(?<![^\W_])({_SECRETS}\s*=\s*)[^\s,;&]+", re.IGNORECASE)
_URL_LOGIN = re.compile(r"(?<=://)[^/@\s]+@")


def flatten(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield ``(dotted name, value as text)`` for every leaf, in the given order.

    A run's configuration should hold no secret; a report travels, so what looks like one by its
    name is withheld, be it an entry of its own or ``name=value`` inside a text, and so is a login
    inside a URL.
    """
    for key, value in settings.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value and not _SECRET_NAME.search(name):
            yield from flatten(value, f"{name}.")
        else:
            shown = _open(name, value)
            text = shown if isinstance(shown, str) else _json(shown)
            yield name, text if len(text) <= VALUE_CHARS else text[:VALUE_CHARS] + "…"


def _open(name: str, value: Any) -> Any:
    """Return the value with every secret in it withheld, however deep."""
    if value and _SECRET_NAME.search(name):
        return WITHHELD
    if isinstance(value, Mapping):
        return {key: _open(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_open("", inner) for inner in value]
    if isinstance(value, str):
        return _URL_LOGIN.sub("", _SECRET_PAIR.sub(rf"\1{WITHHELD}", value))
    return value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
