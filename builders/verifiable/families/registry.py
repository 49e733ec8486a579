"""The registry of makers."""

from __future__ import annotations

from collections.abc import Callable

from rubricbench.builders.verifiable.constraint import Constraint
from rubricbench.builders.verifiable.scene import Scene
from rubricbench.draws import Draws

Maker = Callable[[Scene, Draws], Constraint | None]

MAKERS: dict[str, Maker] = {}


def maker(name: str) -> Callable[[Maker], Maker]:
    """Register the decorated function as the maker of a family, or of a penalty (``not:word``)."""

    def register(function: Maker) -> Maker:
        if name in MAKERS:
            raise ValueError(f"two makers for {name!r}")
        MAKERS[name] = function
        return function

    return register
