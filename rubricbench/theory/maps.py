"""Misspecification maps: how a proxy reward sees the gold reward, ``r = f(r*)``.

The maps of Figure 2 of "Chasing the Tail" (arXiv 2509.21500, section 3) live on [0, 1]; each keeps
the uniform distribution, and each is its own inverse. A map of your own is any vectorised callable,
or a table of points joined by straight lines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rubricbench.errors import InputError
from rubricbench.foreign import load, printing_to_stderr

Floats = NDArray[np.float64]
Function = Callable[[Floats], Floats]

PRESERVED = 1e-3  # largest distance of f(U)'s distribution function from the uniform one
_GRID = 10_000


class Piece(NamedTuple):
    """A stretch on which the inverse is straight: from ``(u0, r0)`` to ``(u1, r1)``."""

    u0: float
    u1: float
    r0: float
    r1: float


@dataclass(frozen=True)
class Misspecification:
    """A map from gold to proxy reward.

    Args:
        name: for tables and legends.
        function: ``f``, vectorised.
        inverse: ``f⁻¹``, vectorised, where there is one.
        pieces: the inverse as straight pieces over [0, 1], where it is made of them.
        breaks: gold rewards at which ``f`` jumps or bends; integration starts from them.
    """

    name: str
    function: Function
    inverse: Function | None = None
    pieces: tuple[Piece, ...] = ()
    breaks: tuple[float, ...] = ()

    def __call__(self, gold: Floats) -> Floats:
        """Return the proxy reward of each gold reward, same shape.

        Raises:
            InputError: the function fails, or answers in another shape.
        """
        given = np.asarray(gold, dtype=np.float64)
        try:
            found = np.asarray(self.function(given), dtype=np.float64)
        except (Exception, SystemExit) as error:
            raise InputError(
                f"the map {self.name} fails: {error}", hint="it must accept a numpy array"
            ) from error
        if found.shape != given.shape:
            raise InputError(
                f"the map {self.name} gives shape {found.shape} for {given.shape}",
                hint="it must answer with one proxy reward for each gold reward",
            )
        return found

    def preserves_uniform(self) -> bool:
        """Return whether ``f(R)`` is uniform where ``R`` is, as Theorem 1 asks."""
        middle = (np.arange(_GRID) + 0.5) / _GRID
        return bool(np.abs(np.sort(self(middle)) - middle).max() < PRESERVED)


IDENTITY = Misspecification("identity", lambda r: r, lambda u: u, (Piece(0, 1, 0, 1),))
REVERSED = Misspecification("reversed", lambda r: 1 - r, lambda u: 1 - u, (Piece(0, 1, 1, 0),))


def top_wrong(share: float) -> Misspecification:
    """Return the map that reverses the order within the top ``share``: ``2 − c − r`` above 1 − c.

    Raises:
        InputError: a share outside [0, 1].
    """
    cut = 1 - _share(share)
    function = _split(cut, lambda r: r, lambda r: 1 + cut - r)
    pieces = (Piece(0, cut, 0, cut), Piece(cut, 1, 1, cut))
    return Misspecification(f"top {share:.0%} wrong", function, function, pieces, (cut,))


def worst_wrong(share: float) -> Misspecification:
    """Return the map that reverses the order within the worst ``share``: ``c − r`` up to c.

    Raises:
        InputError: a share outside [0, 1].
    """
    cut = _share(share)
    function = _split(cut, lambda r: cut - r, lambda r: r)
    pieces = (Piece(0, cut, cut, 0), Piece(cut, 1, cut, 1))
    return Misspecification(f"worst {share:.0%} wrong", function, function, pieces, (cut,))


def _share(share: float) -> float:
    if not 0 <= share <= 1:
        raise InputError(f"a share of {share}", hint="give one from 0 to 1")
    return share


def _split(cut: float, up_to: Function, above: Function) -> Function:
    return lambda r: np.where(r <= cut, up_to(r), above(r))


def from_points(name: str, gold: Floats, proxy: Floats) -> Misspecification:
    """Return the map that joins points by straight lines, and is flat beyond them.

    Args:
        name: for tables and legends.
        gold: gold rewards, shape ``(k,)``, all different, in any order.
        proxy: proxy reward of each, shape ``(k,)``.

    Raises:
        InputError: fewer than two points, a number that is not finite, a gold reward given twice.
    """
    order = np.argsort(gold, kind="stable")
    x, y = np.asarray(gold, np.float64)[order], np.asarray(proxy, np.float64)[order]
    if len(x) < 2 or len(x) != len(y):
        raise InputError(f"{len(x)} points", where=name, hint="a map needs two or more")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputError("a point that is not finite", where=name, hint="leave it out")
    if (np.diff(x) == 0).any():
        raise InputError("a gold reward is given twice", where=name, hint="give one proxy for each")
    return Misspecification(name, lambda r: np.interp(r, x, y), breaks=tuple(x.tolist()))


def named(text: str) -> Misspecification:
    """Return the map that a command line names.

    Args:
        text: ``identity``, ``reversed``, ``top-25`` or ``worst-50`` (percent wrong), a CSV file
            with the columns gold and proxy, or ``module:function``.

    Raises:
        InputError: none of these, or one that cannot be loaded.
    """
    fixed = {"identity": IDENTITY, "reversed": REVERSED}
    if text in fixed:
        return fixed[text]
    kind, _, percent = text.partition("-")
    if kind in ("top", "worst") and percent:
        try:
            share = float(percent) / 100
        except ValueError:
            raise InputError(f"no map {text!r}", hint="such as top-25 or worst-50") from None
        return top_wrong(share) if kind == "top" else worst_wrong(share)
    if text.endswith(".csv"):
        return _from_csv(Path(text))
    if ":" in text:
        return _imported(text)
    raise InputError(
        f"no map {text!r}",
        hint="identity, reversed, top-25, worst-50, a CSV of gold and proxy, or module:function",
    )


def _from_csv(path: Path) -> Misspecification:
    import csv

    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the map: {error}", where=str(path)) from error
    try:
        gold, proxy = (np.array([float(r[name]) for r in rows]) for name in ("gold", "proxy"))
    except (KeyError, TypeError, ValueError):
        raise InputError(
            "not a map", where=str(path), hint="it needs the columns gold and proxy, of numbers"
        ) from None
    return from_points(path.name, gold, proxy)


def _imported(text: str) -> Misspecification:
    found = load(text, "map")
    return found if isinstance(found, Misspecification) else Misspecification(text, _quiet(found))


def _quiet(function: Function) -> Function:
    """Return the function with what it prints sent to standard error."""

    def quiet(gold: Floats) -> Floats:
        with printing_to_stderr():
            return function(gold)

    return quiet
