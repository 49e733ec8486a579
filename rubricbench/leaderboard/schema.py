"""A leaderboard row: what an evaluation or a training run reports, with all that decides whether
two rows may be compared.

Rows come from strangers. Reading is strict (`from_json`), sizes are bounded, and a row that
contradicts itself is refused with a named fault (`FAULTS`). A row built in Python passes the same
checks as one that was read: what exists is valid.
"""

from __future__ import annotations

import math
import time
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from rubricbench.canonical import canonical_json
from rubricbench.errors import SchemaError
from rubricbench.leaderboard.metrics import NAME_PATTERN, kind_of
from rubricbench.leaderboard.strict import CREATED, CURRENCY, FAULTS, HASH, Strict, fault, shown
from rubricbench.rows import parse_json

__all__ = [
    "FAULTS",
    "Cost",
    "DatasetIdentity",
    "JudgeIdentity",
    "LeaderboardRow",
    "Metric",
    "from_json",
    "json_schema",
    "now",
    "to_json",
]

Struct = TypeVar("Struct", bound=Strict)

MAX_BYTES = 200_000
MAX_METRICS = 500
MAX_SEEDS = 1_000

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Label = Annotated[str, Meta(max_length=200)]
Note = Annotated[str, Meta(max_length=4_000)]
Hash = Annotated[str, Meta(pattern=HASH)]
Count = Annotated[int, Meta(ge=0, le=2**53)]  # what every JSON reader holds exactly


class Metric(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An estimate with its interval.

    Args:
        value: the estimate; None where it could not be had (the row's notes say why).
        low: lower end of the interval, or of what is possible where verdicts are unknown.
        high: upper end.
        level: level of the interval.
        n: independent units behind the estimate (prompts, or seeds).
        method: how the interval was made, such as ``cluster bootstrap over prompts``.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    level: Annotated[float, Meta(gt=0, lt=1)] = 0.95
    n: Count
    method: Label = ""

    def __post_init__(self) -> None:
        for name in ("value", "low", "high"):
            number = getattr(self, name)
            if isinstance(number, float) and not math.isfinite(number):
                raise SchemaError("metric_not_finite", "NaN or infinite", field=name)
        super().__post_init__()
        if self.value is not None and self.n == 0:
            raise SchemaError("value_without_units", "n is 0", field="n")
        self._check_interval()

    def _check_interval(self) -> None:
        if self.low is None and self.high is None:
            return
        if self.low is None or self.high is None:
            raise SchemaError("half_interval", "an interval has two ends", field="low")
        shown = f"[{self.low:g}, {self.high:g}]"
        if self.low > self.high:
            raise SchemaError("interval_reversed", shown, field="low")
        if self.value is not None and not self.low <= self.value <= self.high:
            raise SchemaError("value_outside_interval", f"{self.value:g} in {shown}", field="value")
        if not self.method:
            raise SchemaError("interval_without_method", "say how it was made", field="method")


class JudgeIdentity(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who graded: scores of two judges can be compared only if all of this is equal.

    Args:
        model: name of the judge model.
        revision: its revision or release date, as far as the endpoint tells.
        prompt_hash: hash of the prompt template it was asked with.
        format: form of its answer, such as ``json`` or ``paper``.
    """

    model: Name
    revision: Label = ""
    prompt_hash: Hash
    format: Name


class DatasetIdentity(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was graded.

    Args:
        name: dataset, with its config.
        revision: revision or content hash.
        split: its split.
        rows: how many of its rows were graded.
    """

    name: Name
    revision: Name
    split: Name
    rows: Annotated[int, Meta(ge=1, le=2**53)]


class Cost(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What it took.

    Args:
        calls: calls to the judge that were paid for.
        prompt_tokens: their prompt tokens.
        completion_tokens: their completion tokens.
        amount: their price; None where it is not known.
        currency: ISO 4217 code of the amount.
    """

    calls: Count = 0
    prompt_tokens: Count = 0
    completion_tokens: Count = 0
    amount: Annotated[float, Meta(ge=0)] | None = None
    currency: Annotated[str, Meta(pattern=CURRENCY)] = "USD"


class LeaderboardRow(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of the leaderboard.

    Args:
        kind: a ``model`` that was scored, or a ``reward`` that was optimised against.
        name: name of the model or reward.
        revision: its revision or content hash.
        dataset: what it was graded on.
        metrics: by name (`rubricbench.leaderboard.metrics`).
        judge: who graded; None where every criterion was checked exactly.
        seeds: seeds of the runs behind it; at least one.
        label_budget: gold labels that training the reward used; None for a model.
        cost: what grading took.
        created: UTC time, ``YYYY-MM-DDTHH:MM:SSZ``.
        rubricbench: version of this package.
        baseline: True for a null responder or a ceiling: drawn as a line, not ranked.
        notes: anything a reader must know.
        format: version of this schema.
    """

    kind: Literal["model", "reward"]
    name: Name
    revision: Label = ""
    dataset: DatasetIdentity
    metrics: Annotated[dict[str, Metric], Meta(min_length=1, max_length=MAX_METRICS)]
    judge: JudgeIdentity | None = None
    seeds: Annotated[
        tuple[Annotated[int, Meta(ge=0, le=2**53)], ...],
        Meta(min_length=1, max_length=MAX_SEEDS),
    ]
    label_budget: Count | None = None
    cost: Cost = Cost()
    created: Annotated[str, Meta(pattern=CREATED)]
    rubricbench: Name
    baseline: bool = False
    notes: Note = ""
    format: Literal[1] = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, metric in self.metrics.items():
            _check_metric(name, metric)
        _check_created(self.created)
        if len(set(self.seeds)) != len(self.seeds):
            raise SchemaError("duplicate_seed", "a seed stands twice", field="seeds")
        if self.kind == "model" and self.label_budget is not None:
            raise SchemaError(
                "label_budget_of_model", "only a reward has a label budget", field="label_budget"
            )


def now() -> str:
    """Return the present time in the form of `LeaderboardRow.created`."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _check_metric(name: str, metric: Metric) -> None:
    field = f"metrics.{shown(name)}"
    try:
        kind = kind_of(name)
    except SchemaError as error:
        raise error.within(field) from None
    if metric.value is not None and not kind.minimum <= metric.value <= kind.maximum:
        raise SchemaError(
            "out_of_range",
            f"{metric.value:g} is not in [{kind.minimum:g}, {kind.maximum:g}]",
            field=f"{field}.value",
        )


def _check_created(text: str) -> None:
    try:
        datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        raise SchemaError("bad_created", f"no such time: {text}", field="created") from None


def to_json(row: LeaderboardRow) -> bytes:
    """Return the canonical JSON of a row: sorted keys, no spaces, one line."""
    return canonical_json(msgspec.to_builtins(row))


def from_json(
    data: bytes | str, *, file: str | None = None, line: int | None = None
) -> LeaderboardRow:
    """Read a row strictly.

    Args:
        data: one JSON object.
        file: where it comes from, for error messages.
        line: its line there.

    Raises:
        SchemaError: one of `FAULTS`; file, line and field are named.
    """
    try:
        return _convert(parse_json(_decoded(data), ""))
    except SchemaError as error:
        raise error.at(file=file, line=line) from None


def _decoded(data: bytes | str) -> str:
    try:
        size = len(data if isinstance(data, bytes) else data.encode("utf-8"))
        text = data.decode("utf-8") if isinstance(data, bytes) else data
    except UnicodeError:
        raise SchemaError("bad_encoding", "not UTF-8") from None
    if size > MAX_BYTES:
        raise SchemaError("text_too_long", f"{size:,} bytes, the limit is {MAX_BYTES:,}")
    return text


def _convert(value: Any) -> LeaderboardRow:
    # Struct by struct, so that a fault of a metric carries the metric's name.
    if isinstance(value, dict):
        value = dict(value)
        for key, struct in (("dataset", DatasetIdentity), ("judge", JudgeIdentity), ("cost", Cost)):
            if isinstance(value.get(key), dict):
                value[key] = _within(value[key], struct, key)
        if isinstance(value.get("metrics"), dict):
            value["metrics"] = {
                name: _within(metric, Metric, f"metrics.{shown(name)}")
                for name, metric in value["metrics"].items()
            }
    return _strict(value, LeaderboardRow)


def _within(value: Any, struct: type[Struct], field: str) -> Struct:
    try:
        return _strict(value, struct)
    except SchemaError as error:
        raise error.within(field) from None


def _strict(value: Any, struct: type[Struct]) -> Struct:
    try:
        return msgspec.convert(value, struct)
    except msgspec.ValidationError as error:
        raise fault(error) from None
    except UnicodeEncodeError:  # only keys get this far: texts are checked one by one
        raise SchemaError("bad_text", "half of a surrogate pair in a key") from None


def json_schema() -> dict[str, Any]:
    """Return the JSON schema (2020-12) of a row, for forms and validators in other languages.

    It says less than `from_json` checks: that an interval holds its estimate, a metric keeps to its
    range or seeds differ is beyond it.
    """
    schema = msgspec.json.schema(LeaderboardRow)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    row = schema["$defs"]["LeaderboardRow"]
    row["properties"]["metrics"]["propertyNames"] = {"pattern": NAME_PATTERN}
    return schema
