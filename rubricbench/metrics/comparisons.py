"""Verdicts on pairs of responses to the same prompt: a policy's against another's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rubricbench.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Comparisons:
    """Verdicts in the order of their prompts and pairs; build one with `Comparisons.of`.

    Args:
        prompts: ids of the prompts, sorted, shape ``(P,)``.
        of_prompt: index of the prompt of each verdict, shape ``(R,)``.
        pair: index of the pair it is on, shape ``(R,)``, from 0, increasing.
        pair_names: prompt id and pair id of every pair, shape ``(K, 2)``.
        preference: probability that the policy's response is the better one, shape ``(R,)``.
        first: whether the policy's response was shown first, shape ``(R,)``; None: not told.
        length: of the policy's response, shape ``(R,)``; None: not told.
        other_length: of the other response.
        left_out: verdicts left out because they are unknown.
    """

    prompts: NDArray[np.str_]
    of_prompt: Ints
    pair: Ints
    pair_names: NDArray[np.str_]
    preference: Floats
    first: NDArray[np.bool_] | None = None
    length: Floats | None = None
    other_length: Floats | None = None
    left_out: int = 0

    @classmethod
    def of(
        cls,
        prompt_ids: Any,
        preference: Any,
        *,
        pair_ids: Any = None,
        first: Any = None,
        length: Any = None,
        other_length: Any = None,
        unknown: str = "refuse",
    ) -> Comparisons:
        """Sort verdicts by prompt and pair, checking them.

        Args:
            prompt_ids: one id a verdict.
            preference: for the policy's response: 1 better, 0 worse, 0.5 a tie, or a judge's
                probability; NaN is unknown. (AlpacaEval's 1 to 2 less 1.)
            pair_ids: which pair of responses of the prompt; None: one pair a prompt.
            first: whether the policy's response was shown first.
            length: of the policy's response, in any unit.
            other_length: of the other, in the same unit.
            unknown: ``refuse`` unknown verdicts, or ``drop`` and count them; never scored.

        Raises:
            InputError: no verdict, unequal lengths, a preference outside [0, 1], a length that is
                no number, an unknown verdict to be refused.
        """
        ids = np.asarray(prompt_ids, dtype=str)
        wins = numbers("preference", preference, len(ids))
        pairs = np.zeros(len(ids), dtype="U1") if pair_ids is None else np.asarray(pair_ids, str)
        known = _known(wins, unknown)
        sizes = [_length(n, v, len(ids)) for n, v in (("length", length), ("other", other_length))]
        shown = None if first is None else _flags("first", first)
        for column in (pairs, shown):
            if column is not None and len(column) != len(ids):
                raise InputError(f"{len(column):,} values for {len(ids):,} verdicts")
        rows = np.flatnonzero(known)
        prompts, of = np.unique(ids[rows], return_inverse=True)
        names, code = np.unique(pairs[rows], return_inverse=True)
        # Verdicts on one pair are put in an order that the rows' does not decide.
        more = [column[rows] for column in (wins, shown, *sizes) if column is not None]
        order = np.lexsort((*more, code, of))
        of, code, rows = of[order], code[order], rows[order]
        new = run_starts(of, code)
        return cls(
            prompts=prompts,
            of_prompt=of,
            pair=np.cumsum(new) - 1,
            pair_names=np.stack([prompts[of[new]], names[code[new]]], axis=1),
            preference=wins[rows],
            first=None if shown is None else shown[rows],
            length=None if sizes[0] is None else sizes[0][rows],
            other_length=None if sizes[1] is None else sizes[1][rows],
            left_out=int((~known).sum()),
        )

    @property
    def size(self) -> int:
        """How many verdicts there are."""
        return len(self.preference)

    @property
    def pairs(self) -> int:
        """How many pairs of responses."""
        return len(self.pair_names)

    @property
    def prompt_of_pair(self) -> Ints:
        """Index of the prompt of each pair, shape ``(K,)``."""
        starts = np.flatnonzero(np.diff(self.pair, prepend=-1))
        return np.asarray(self.of_prompt[starts])

    def flipped(self) -> Comparisons:
        """Return the same verdicts seen from the other policy."""
        return Comparisons(
            prompts=self.prompts,
            of_prompt=self.of_prompt,
            pair=self.pair,
            pair_names=self.pair_names,
            preference=1 - self.preference,
            first=None if self.first is None else ~self.first,
            length=self.other_length,
            other_length=self.length,
            left_out=self.left_out,
        )


def numbers(name: str, values: Any, rows: int) -> Floats:
    """Return a column of numbers, NaN where unknown.

    Raises:
        InputError: not numbers, or not one a row.
    """
    try:
        found = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"a value of {name} is not a number") from None
    if found.shape != (rows,):
        raise InputError(f"{found.size:,} values of {name} for {rows:,} rows")
    return found


def means_of(groups: Ints, values: Floats, number: int) -> Floats:
    """Return the mean of each group, NaN where it has none; shape ``(number,)``."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.bincount(groups, values, number) / np.bincount(groups, None, number))


def run_starts(*columns: Ints) -> NDArray[np.bool_]:
    """Return whether each row differs in any column from the row before; the first one does."""
    new = np.ones(len(columns[0]), dtype=bool)
    if len(new):
        new[1:] = np.any([c[1:] != c[:-1] for c in columns], axis=0)
    return new


def _flags(name: str, values: Any) -> NDArray[np.bool_]:
    found = np.asarray(values)
    if found.dtype == np.bool_:
        return found
    # Whatever is not empty is true to numpy: the text "False" too.
    if not np.isin(found, (0, 1)).all():
        raise InputError(f"a value of {name} is neither true nor false")
    return found.astype(bool)


def _known(wins: Floats, unknown: str) -> NDArray[np.bool_]:
    if unknown not in ("refuse", "drop"):
        raise InputError(f"unknown={unknown!r}", hint="refuse or drop")
    missing = np.isnan(wins)
    outside = np.flatnonzero(~missing & ~((wins >= 0) & (wins <= 1)))
    if len(outside):
        raise InputError(
            f"preference {wins[outside[0]]:g} in row {outside[0] + 1:,}",
            hint="it is a probability from 0 to 1 (of AlpacaEval's 1 to 2, take 1 off)",
        )
    if missing.any() and unknown == "refuse":
        raise InputError(
            f"{int(missing.sum()):,} of {len(wins):,} verdicts are unknown, row "
            f"{int(np.flatnonzero(missing)[0]) + 1:,} first",
            hint="judge them, or leave them out with unknown='drop'",
        )
    if missing.all():
        raise InputError("no verdict", hint="judge the pairs first")
    return np.asarray(~missing)


def _length(name: str, values: Any, rows: int) -> Floats | None:
    if values is None:
        return None
    found = numbers(name, values, rows)
    if not np.isfinite(found).all():
        raise InputError(f"an unknown or infinite {name}", hint="a length is a number")
    return found
