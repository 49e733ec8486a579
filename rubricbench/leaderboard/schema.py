"""A leaderboard row: what an evaluation or a training run reports, with everything that makes two
rows comparable or not.

Rows are data from strangers: reading is strict (`from_json`), sizes are bounded, and a row that
contradicts itself is refused with a named fault. The structs are msgspec's, whose JSON schema is
exported by `json_schema`.
"""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from rubricbench.canonical import canonical_json
from rubricbench.errors import SchemaError
from rubricbench.rows import parse_json

FORMAT = 1
MAX_BYTES = 100_000

METRICS: dict[str, str] = {
    "rubric_score": "mean rubric score, unclipped",
    "rubric_score_clipped": "mean rubric score, the mean clipped to [0, 1] (HealthBench)",
    "all_met": "share of responses that meet every criterion and no penalty",
    "coverage": "share of the weight whose verdict is known",
    "pass_rate": "share of criteria met, criteria counted equally",
    "truncation": "share of responses cut off at the token limit",
    "response_words": "mean length of a response, words",
    "win_rate": "win rate against the named reference, ties one half",
    "gold_peak": "highest gold reward along a run",
    "gold_drop": "gold peak minus gold at the end",
    "onset_kl": "KL, nats, at which gold begins to fall",
    "auc": "mean gold gain over the square root of KL",
    "tail_accuracy": "share of excellent-over-great pairs ranked rightly, ties one half",
    "safe_kl": "largest KL, nats, up to which gold does not fall",
}

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Note = Annotated[str, Meta(max_length=4000)]
Hash = Annotated[str, Meta(pattern=r"^[0-9a-f]{8,64}$")]
Count = Annotated[int, Meta(ge=0)]


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Metric(_Strict, frozen=True, kw_only=True):
    """An estimate with its interval.

    Args:
        value: the estimate; None where it could not be had (``notes`` of the row says why).
        low: lower end of the interval.
        high: upper end.
        level: its level, such as 0.95.
        n: independent units behind it (prompts, or seeds).
        method: how the interval was made, such as ``cluster bootstrap over prompts``.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    level: Annotated[float, Meta(gt=0, lt=1)] = 0.95
    n: Count = 0
    method: Annotated[str, Meta(max_length=200)] = ""


class JudgeIdentity(_Strict, frozen=True, kw_only=True):
    """Who graded: scores of two judges are not comparable unless all of this is equal."""

    model: Name
    revision: Annotated[str, Meta(max_length=200)] = ""
    prompt_hash: Hash
    format: Name


class DatasetIdentity(_Strict, frozen=True, kw_only=True):
    """What was graded."""

    name: Name
    revision: Name
    split: Name
    prompts: Annotated[int, Meta(ge=1)]


class Cost(_Strict, frozen=True, kw_only=True):
    """What it took; the amount is None where no price is known."""

    calls: Count = 0
    prompt_tokens: Count = 0
    completion_tokens: Count = 0
    amount: Annotated[float, Meta(ge=0)] | None = None
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$")] = "USD"


class LeaderboardRow(_Strict, frozen=True, kw_only=True):
    """One line of the leaderboard.

    Args:
        kind: a ``model`` that was scored, or a ``reward`` that was optimised against.
        name: name of the model or reward.
        revision: its revision or content hash.
        dataset: what it was graded on.
        metrics: by name: those of `METRICS`, or your own as ``x_…``.
        judge: who graded; None where every criterion was checked exactly.
        seeds: seeds of the runs behind it; at least one.
        label_budget: gold labels that training the reward used; None for a model.
        cost: what it took.
        created: UTC time, ISO 8601.
        rubricbench: version of this package.
        baseline: True for a null responder or a ceiling, drawn as a line and not ranked.
        notes: anything a reader must know.
        format: version of this schema.
    """

    kind: Literal["model", "reward"]
    name: Name
    revision: Annotated[str, Meta(max_length=200)] = ""
    dataset: DatasetIdentity
    metrics: Annotated[dict[str, Metric], Meta(min_length=1, max_length=500)]
    judge: JudgeIdentity | None = None
    seeds: Annotated[tuple[int, ...], Meta(min_length=1, max_length=1000)]
    label_budget: Count | None = None
    cost: Cost = Cost()
    created: Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
    rubricbench: Name
    baseline: bool = False
    notes: Note = ""
    format: Literal[1] = FORMAT

    def __post_init__(self) -> None:
        for name, metric in self.metrics.items():
            _check_metric(name, metric)
        if len(set(self.seeds)) != len(self.seeds):
            raise SchemaError("duplicate_seed", "a seed stands twice", field="seeds")
        if self.kind == "model" and self.label_budget is not None:
            raise SchemaError(
                "label_budget_of_model", "only a reward has a label budget", field="label_budget"
            )


def _check_metric(name: str, metric: Metric) -> None:
    field = f"metrics.{name:.60}"
    if name not in METRICS and not re.fullmatch(r"x_[a-z0-9_/.:-]{1,100}", name):
        raise SchemaError(
            "unknown_metric",
            f"no metric {name!r:.60}",
            field=field,
            hint="use one of METRICS, or a name of your own that begins with x_",
        )
    numbers = [v for v in (metric.value, metric.low, metric.high) if v is not None]
    if not all(math.isfinite(v) for v in numbers):
        raise SchemaError("metric_not_finite", "NaN or infinite", field=field)
    if (metric.low is None) != (metric.high is None):
        raise SchemaError("half_interval", "an interval has two ends", field=field)
    if metric.low is not None and metric.high is not None and metric.low > metric.high:
        raise SchemaError("interval_reversed", "low is above high", field=field)
    if None not in (metric.value, metric.low) and not (
        metric.low <= metric.value <= metric.high  # type: ignore[operator]
    ):
        raise SchemaError("value_outside_interval", "the interval misses the value", field=field)


def to_json(row: LeaderboardRow) -> bytes:
    """Return the canonical JSON of a row."""
    return canonical_json(msgspec.to_builtins(row))


def from_json(
    data: bytes | str, *, file: str | None = None, line: int | None = None
) -> LeaderboardRow:
    """Read a row strictly.

    Raises:
        SchemaError: too large, not JSON, a duplicate or unknown key, a wrong type, a
            contradiction; file, line and field are named.
    """
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    try:
        if len(text) > MAX_BYTES:
            raise SchemaError("text_too_long", f"a row has at most {MAX_BYTES:,} bytes")
        return _convert(parse_json(text, ""))
    except SchemaError as error:
        raise error.at(file=file, line=line) from None


def _convert(value: Any) -> LeaderboardRow:
    try:
        return msgspec.convert(value, LeaderboardRow)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, SchemaError):
            raise error.__cause__ from None
        what, _, path = str(error).partition(" - at `")
        field = path.rstrip("`").removeprefix("$").removeprefix(".")
        raise SchemaError("bad_row", what, field=field or None) from None


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of a row, for validators in other languages."""
    return msgspec.json.schema(LeaderboardRow)
