"""The tables that metrics read: columns, their types and what they mean.

Three kinds, told apart by their columns: *samples* (scored responses of one policy), *trajectory*
(scored responses at checkpoints of training runs) and *points* (published curves, without prompts).
Parquet, JSONL and CSV are read alike. docs/tables.md has an example of each.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"  # whole numbers are taken as text
    NUMBER = "number"  # missing: null, NaN, or an empty field of a CSV file
    WHOLE = "whole number"


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column.

    Args:
        name: as it stands in the file, unless an option names another.
        kind: of its values.
        meaning: for people.
        required: whether every such file has it.
        low: least value allowed.
        high: greatest value allowed.
    """

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    low: float | None = None
    high: float | None = None


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of table.

    Args:
        name: ``samples``, ``trajectory`` or ``points``.
        row: what a row is.
        columns: those known; others are ignored.
    """

    name: str
    row: str
    columns: tuple[Column, ...]

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns that must be there."""
        return tuple(c.name for c in self.columns if c.required)

    def column(self, name: str) -> Column:
        """Return a column by name; KeyError where there is none."""
        return {c.name: c for c in self.columns}[name]


def _text(name: str, meaning: str, *, required: bool = False) -> Column:
    return Column(name=name, kind=Kind.TEXT, meaning=meaning, required=required)


def _number(
    name: str,
    meaning: str,
    *,
    required: bool = False,
    low: float | None = None,
    high: float | None = None,
) -> Column:
    return Column(
        name=name, kind=Kind.NUMBER, meaning=meaning, required=required, low=low, high=high
    )


def _whole(name: str, meaning: str, *, required: bool = False, low: float | None = None) -> Column:
    return Column(name=name, kind=Kind.WHOLE, meaning=meaning, required=required, low=low)


_PROMPT = _text("prompt_id", "the prompt; intervals resample prompts", required=True)
_GOLD = _number("gold", "reward that is meant", required=True)
_ARM = _text("arm", "reward that was optimised, and how; or the policy")
_SEED = _whole("seed", "training seed; 0 where there is no such column")
_STEP = _whole("step", "optimiser step; 0 is the initial policy", required=True, low=0)
_RESPONSE = _text("response_id", "the response; each stands once a prompt")
_LENGTH = _number("length", "of the response, in whatever unit, always the same", low=0)

SAMPLES = Layout(
    name="samples",
    row="a response of one policy, scored by both rewards",
    columns=(
        _PROMPT,
        _number("proxy", "reward that is optimised", required=True),
        _GOLD,
        _RESPONSE,
        _ARM,
        _LENGTH,
        _text("generator", "model that wrote the response"),
    ),
)
TRAJECTORY = Layout(
    name="trajectory",
    row="a response to a held-out prompt, at a checkpoint of a training run",
    columns=(
        _STEP,
        _PROMPT,
        _GOLD,
        _ARM,
        _SEED,
        _RESPONSE,
        _number("proxy", "reward that was optimised"),
        _number("kl", "sequence KL to the initial policy in nats, Rao-Blackwell", low=0),
        _number("kl_k1", "the same by log-probabilities, log π − log π0 (may be negative)"),
        _number("win", "1, ½ or 0 against a fixed opponent", low=0, high=1),
        _LENGTH,
        _number("ended", "1 where the response ended by itself, 0 where it was cut", low=0, high=1),
        _number("repetition", "share of repeated n-grams", low=0, high=1),
    ),
)
POINTS = Layout(
    name="points",
    row="a checkpoint of a curve of which only means are known",
    columns=(
        _text("arm", "reward that was optimised, and how", required=True),
        _STEP,
        _number("gold", "mean gold reward", required=True),
        _SEED,
        _number("proxy", "mean proxy reward"),
        _number("kl", "mean sequence KL in nats", low=0),
    ),
)
LAYOUTS = {layout.name: layout for layout in (SAMPLES, TRAJECTORY, POINTS)}
KINDS = tuple(LAYOUTS)
KL_ROUNDING = 1e-6  # a Rao-Blackwell KL this far below zero is rounding


def kind_of(columns: set[str] | frozenset[str]) -> Layout:
    """Return the layout that a file with these columns has.

    A prompt and a step make a trajectory, a prompt alone samples, a step alone points.
    """
    if "prompt_id" in columns:
        return TRAJECTORY if "step" in columns else SAMPLES
    return POINTS if "step" in columns else SAMPLES
