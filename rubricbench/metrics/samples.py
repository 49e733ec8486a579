"""Scored samples: for every prompt, responses of one policy with their proxy and gold rewards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rubricbench.errors import InputError

LARGEST = 1e100  # in size: the squares of rewards, and their sums, must not overflow

Floats = NDArray[np.float64]
_MISSING = ("None", "nan", "<NA>", "NaT")  # what Python, numpy and pandas write for no id


@dataclass(frozen=True)
class Samples:
    """Samples in the order of their prompts; build one with `Samples.of`.

    Args:
        prompts: ids of the prompts, sorted, shape ``(P,)``.
        starts: where each prompt's samples begin, and the end of all: shape ``(P + 1,)``.
        proxy: reward that is optimised, shape ``(N,)``; finite.
        gold: reward that is meant, shape ``(N,)``; finite.
        columns: other columns, such as ``length``, each of shape ``(N,)``.
        left_out: rows left out because a reward was unknown.
    """

    prompts: NDArray[np.str_]
    starts: NDArray[np.int64]
    proxy: Floats
    gold: Floats
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    left_out: int = 0

    @classmethod
    def of(
        cls,
        prompt_ids: Any,
        proxy: Any,
        gold: Any,
        *,
        unknown: str = "refuse",
        **columns: Any,
    ) -> Samples:
        """Sort rows by prompt, checking them. Rows of one prompt keep their order.

        Args:
            prompt_ids: one id a row.
            proxy: one number a row; NaN is unknown.
            gold: one number a row; NaN is unknown.
            unknown: ``refuse`` rows with an unknown reward, or ``drop`` and count them. They are
                never scored.
            columns: further columns, one value a row.

        Raises:
            InputError: no row, unequal lengths, a row without a prompt, an unknown reward to be
                refused, an infinite one or one beyond `LARGEST`.
        """
        names, codes = _coded(prompt_ids)
        rewards = {"proxy": _numbers("proxy", proxy), "gold": _numbers("gold", gold)}
        others = {name: np.asarray(values) for name, values in columns.items()}
        for name, values in {**rewards, **others}.items():
            if len(values) != len(codes):
                raise InputError(f"{len(values):,} values of {name} for {len(codes):,} rows")
        keep = _known(rewards, unknown)
        if not keep.any():
            raise InputError("no sample with both rewards", hint="score the samples first")
        order = np.flatnonzero(keep)[np.argsort(codes[keep], kind="stable")]
        present, counts = np.unique(codes[order], return_counts=True)
        return cls(
            prompts=names[present],
            starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            proxy=rewards["proxy"][order],
            gold=rewards["gold"][order],
            columns={name: values[order] for name, values in others.items()},
            left_out=int((~keep).sum()),
        )

    @property
    def size(self) -> int:
        """How many samples there are."""
        return len(self.proxy)

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many samples each prompt has, shape ``(P,)``."""
        return np.diff(self.starts)

    @property
    def of_prompt(self) -> NDArray[np.int64]:
        """Index of the prompt of each sample, shape ``(N,)``."""
        return np.repeat(np.arange(len(self.prompts)), self.counts)

    def each(self, function: Callable[[slice], Any]) -> list[Any]:
        """Call a function with the rows of every prompt in turn."""
        return [
            function(slice(a, b)) for a, b in zip(self.starts[:-1], self.starts[1:], strict=True)
        ]

    def means(self, values: Floats) -> Floats:
        """Return the mean of a sample variable over each prompt, shape ``(P,)``.

        Summed in the order of the values: that of the rows leaves no trace, not in the last digit.
        """
        counts = self.counts
        if (counts == counts[0]).all():
            ordered = np.sort(np.reshape(values, (len(counts), int(counts[0]))), axis=1).ravel()
        else:
            ordered = np.asarray(values)[np.lexsort((values, self.of_prompt))]
        return np.asarray(np.add.reduceat(ordered, self.starts[:-1]) / counts)


def _coded(prompt_ids: Any) -> tuple[NDArray[np.str_], NDArray[np.int64]]:
    """Return the sorted ids, and the place of each row's id among them.

    A table holds an id many times: a million hashes as a numpy array of text take 256 MB, and each
    sorting as much again; their places take 8.
    """
    rows = prompt_ids.tolist() if hasattr(prompt_ids, "tolist") else list(prompt_ids)
    first: dict[Any, int] = {}
    codes = np.fromiter((first.setdefault(x, len(first)) for x in rows), np.int64, len(rows))
    for value, code in first.items():
        if not isinstance(value, str) and str(value) in _MISSING:
            row = int(np.flatnonzero(codes == code)[0]) + 1
            raise InputError(f"row {row:,} has no prompt id")
    names, place = np.unique(np.array([str(x) for x in first], dtype=str), return_inverse=True)
    return names, place.astype(np.int64)[codes]


def _numbers(name: str, values: Any) -> Floats:
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        numbers = np.empty((0, 0))
    if numbers.ndim != 1:
        raise InputError(f"a value of {name} is not a number")
    return numbers


def _known(rewards: Mapping[str, Floats], unknown: str) -> NDArray[np.bool_]:
    for name, values in rewards.items():
        beyond = np.flatnonzero(np.abs(values) > LARGEST)
        if len(beyond):
            value, row = values[beyond[0]], int(beyond[0]) + 1
            what = "infinite" if np.isinf(value) else f"{value:.3g}"
            raise InputError(
                f"the {name} of row {row:,} is {what}",
                hint=f"rewards are finite, and at most {LARGEST:g} in size",
            )
    missing = np.any([np.isnan(values) for values in rewards.values()], axis=0)
    if unknown not in ("refuse", "drop"):
        raise InputError(f"unknown={unknown!r}", hint="refuse or drop")
    if missing.any() and unknown == "refuse":
        row = int(np.flatnonzero(missing)[0]) + 1
        raise InputError(
            f"{int(missing.sum()):,} of {len(missing):,} samples lack a reward, row {row:,} first",
            hint="score them, or leave them out with unknown='drop' (--unknown drop)",
        )
    return np.asarray(~missing)
