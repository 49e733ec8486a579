"""The sentence frames that responses are written from."""

from __future__ import annotations

import importlib.resources
from functools import lru_cache
from typing import Any

import yaml

_FOLDER = importlib.resources.files("rubricbench.solver") / "frames"


@lru_cache(maxsize=1)
def _english() -> dict[str, Any]:
    data: dict[str, Any] = {}
    for name in ("body", "features", "modes", "pieces"):
        data |= yaml.safe_load((_FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return data


@lru_cache(maxsize=1)
def _foreign() -> dict[str, dict[str, list[str]]]:
    data: dict[str, dict[str, list[str]]] = yaml.safe_load(
        (_FOLDER / "foreign.yaml").read_text(encoding="utf-8")
    )
    return data


def languages() -> frozenset[str]:
    """Return the codes of the languages that there are frames for."""
    return frozenset({"en", *_foreign()})


def pool(name: str, language: str = "en") -> list[str]:
    """Return the frames of a pool; a language that lacks it has its plain statements instead."""
    if language in _foreign():
        frames = _foreign()[language]
        return frames.get(name) or frames["body"]
    found: list[str] = _english().get(name, [])
    return found


def table(name: str) -> dict[str, Any]:
    """Return one of the tables: ``cues``, ``fields``, ``lines``, ``letter_rich``, ``continued``."""
    found: dict[str, Any] = _english()[name]
    return found
