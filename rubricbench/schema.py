"""The data model: prompts, rubrics, responses, verdicts. Frozen, strict, with stable content ids.

An object that exists is valid: every constructor checks its values and raises `SchemaError` with a
named fault (`rubricbench.validity.FAULTS`) and the path of the field. Reading and writing rows of
files is the business of `rubricbench.rows`; the column types of each table are in
`rubricbench.tables`.

Ids are hashes of content (`rubricbench.canonical`), so the same text has the same id everywhere
and a changed criterion is a new one. A criterion's id covers its text and check but not its
weight or tags: reweighting a rubric does not make old verdicts stale. Ids given by a foreign
dataset are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

import msgspec

from rubricbench.canonical import content_id
from rubricbench.errors import SchemaError
from rubricbench.validity import (
    FAULTS,
    MAX_CRITERIA,
    MAX_CRITERION_CHARS,
    MAX_ID_CHARS,
    MAX_TAG_CHARS,
    valid_label,
    valid_object,
    valid_text,
    valid_tuple,
    valid_type,
    valid_weight,
    weight_sum,
)

ROLES = ("system", "user", "assistant", "tool")


class Status(StrEnum):
    """What a verifier says of one criterion. Unknown is never scored as unmet."""

    MET = "met"
    UNMET = "unmet"
    UNKNOWN = "unknown"


class Cause(StrEnum):
    """Why a verdict is unknown; a closed list. `is_infrastructure` decides in training."""

    TIMEOUT = "timeout"
    CONNECTION = "connection"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    REJECTED = "rejected"  # 4xx that is not the response's doing: key, model name, bad option
    CANCELLED = "cancelled"
    BUDGET = "budget"
    NOT_JUDGED = "not_judged"
    REFUSAL = "refusal"
    FILTERED = "filtered"
    TRUNCATED = "truncated"
    OVERFLOW = "overflow"  # longer than the judge's context
    EMPTY = "empty"
    UNPARSABLE = "unparsable"
    MISSING_ID = "missing_id"
    DUPLICATE_ID = "duplicate_id"
    UNEXPECTED_ID = "unexpected_id"
    CHECK_FAILED = "check_failed"
    TIED = "tied"  # as many judges say met as say unmet

    @property
    def is_infrastructure(self) -> bool:
        """True where the fault lies with the service, not with the response that was judged."""
        return self in _INFRASTRUCTURE


_INFRASTRUCTURE = frozenset(
    {
        Cause.TIMEOUT,
        Cause.CONNECTION,
        Cause.RATE_LIMITED,
        Cause.SERVER_ERROR,
        Cause.REJECTED,
        Cause.CANCELLED,
        Cause.BUDGET,
        Cause.NOT_JUDGED,
    }
)


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One turn of a conversation.

    Args:
        role: one of `ROLES`.
        content: the text of the turn.
    """

    role: str
    content: str

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise SchemaError("unknown_role", f"role {self.role!r:.40}", field="role")
        valid_text(self.content, "content", allow_empty=self.role != "user")


class Prompt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a policy is asked: a conversation that ends with the turn to be answered.

    Args:
        messages: the turns, oldest first.
        domain: ``health``, ``generalist``, ``finance``, ``verifiable`` or your own.
        source: where the prompt comes from.
        license: SPDX identifier of that source.
        split: ``train`` or ``test``, if assigned.
        canary: string that marks benchmark text, so that training corpora can drop it.
        id: given by a foreign dataset, or the content id of the messages.
    """

    messages: tuple[Message, ...]
    domain: str = ""
    source: str = ""
    license: str = ""
    split: str = ""
    canary: str = ""
    id: str = ""

    def __post_init__(self) -> None:
        valid_tuple(self.messages, Message, "messages")
        if not self.messages:
            raise SchemaError("empty_messages", FAULTS["empty_messages"], field="messages")
        for name in ("domain", "source", "license", "split", "canary"):
            valid_label(getattr(self, name), name)
        valid_label(self.id, "prompt_id", limit=MAX_ID_CHARS)
        if not self.id:
            turns = [[m.role, m.content] for m in self.messages]
            msgspec.structs.force_setattr(self, "id", content_id("p", turns))

    @classmethod
    def from_text(cls, text: str, **provenance: str) -> Prompt:
        """Return a single-turn prompt with one user message."""
        return cls(messages=(Message("user", valid_text(text, "prompt")),), **provenance)

    @property
    def text(self) -> str:
        """The prompt as one string: the message itself, or a labelled transcript of the turns."""
        if len(self.messages) == 1 and self.messages[0].role == "user":
            return self.messages[0].content
        return "\n\n".join(f"{m.role.capitalize()}: {m.content}" for m in self.messages)


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An exact, programmatic criterion: a family of `rubricbench.checks` and its parameters."""

    name: str
    params: dict[str, Any] = {}

    def __post_init__(self) -> None:
        valid_text(self.name, "name", limit=MAX_ID_CHARS)
        valid_object(self.params, "params")


class Origin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a criterion came into a rubric.

    Args:
        method: ``authored``, ``generated``, or the edit that made it (``add``, ``split``, …).
        round: refinement round, 0 for the initial rubric.
        pair: ids of the two responses it was drawn from.
        generators: the models that wrote them.
    """

    method: str
    round: int = 0
    pair: tuple[str, ...] = ()
    generators: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        valid_text(self.method, "method", limit=MAX_ID_CHARS)
        valid_type(self.round, int, "round")
        for name in ("pair", "generators"):
            valid_tuple(getattr(self, name), str, name)
            for i, text in enumerate(getattr(self, name)):
                valid_text(text, f"{name}[{i}]", limit=MAX_ID_CHARS)


class Criterion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One statement about a response that is met or not.

    Args:
        criterion: the statement.
        weight: what meeting it adds; negative for a penalty.
        check: the program that decides it, or None where a judge is needed.
        tags: free labels, such as ``axis:safety`` or ``critical``.
        origin: how it came into the rubric.
        id: given, or the content id of text and check.
    """

    criterion: str
    weight: int | float
    check: Check | None = None
    tags: tuple[str, ...] = ()
    origin: Origin | None = None
    id: str = ""

    def __post_init__(self) -> None:
        valid_text(
            self.criterion, "criterion", limit=MAX_CRITERION_CHARS, empty_fault="empty_criterion"
        )
        msgspec.structs.force_setattr(self, "weight", valid_weight(self.weight, "weight"))
        valid_tuple(self.tags, str, "tags")
        for i, tag in enumerate(self.tags):
            valid_text(tag, f"tags[{i}]", limit=MAX_TAG_CHARS)
        valid_type(self.check, Check | None, "check")
        valid_type(self.origin, Origin | None, "origin")
        valid_label(self.id, "id", limit=MAX_ID_CHARS)
        if not self.id:
            check = [self.check.name, self.check.params] if self.check else None
            msgspec.structs.force_setattr(self, "id", content_id("c", [self.criterion, check]))

    @property
    def is_penalty(self) -> bool:
        """True where meeting the criterion lowers the score."""
        return self.weight < 0


class Rubric(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The criteria that one prompt's responses are scored by.

    Args:
        prompt: the prompt.
        criteria: the criteria, in order; at least one has a positive weight.
        version: free version label of this rubric.
        method: how it was made: ``authored``, ``initial``, ``4_great_diverse_pairs``, …
        extra: columns of a foreign dataset, kept so that a row can be written back unchanged.
    """

    prompt: Prompt
    criteria: tuple[Criterion, ...]
    version: str = ""
    method: str = ""
    extra: dict[str, Any] = {}

    def __post_init__(self) -> None:
        valid_type(self.prompt, Prompt, "prompt")
        valid_tuple(self.criteria, Criterion, "rubrics")
        valid_label(self.version, "version")
        valid_label(self.method, "method")
        if not self.criteria:
            raise SchemaError("no_criteria", FAULTS["no_criteria"], field="rubrics")
        if len(self.criteria) > MAX_CRITERIA:
            raise SchemaError(
                "too_many_criteria",
                f"{len(self.criteria)} criteria, the limit is {MAX_CRITERIA}",
                field="rubrics",
            )
        if all(c.weight < 0 for c in self.criteria):
            raise SchemaError("no_positive_weight", FAULTS["no_positive_weight"], field="rubrics")
        _reject_duplicates(self.criteria)

    @property
    def id(self) -> str:
        """Content id of the prompt id, the criterion ids and the weights."""
        return content_id("r", [self.prompt.id, [[c.id, c.weight] for c in self.criteria]])

    @property
    def prompt_id(self) -> str:
        """Id of the prompt."""
        return self.prompt.id

    @property
    def number_of_criteria(self) -> int:
        """How many criteria there are."""
        return len(self.criteria)

    @property
    def total_weight(self) -> int | float:
        """Sum of the positive weights: what a perfect response earns."""
        return weight_sum(c.weight for c in self.criteria if c.weight > 0)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Rubric:
        """Read a row of a rubrics table, ours or `JunkaiZ/Rubrics` (see `rubricbench.rows`)."""
        from rubricbench.rows import rubric_from_row

        return rubric_from_row(row)

    def to_row(self) -> dict[str, Any]:
        """Return the row of the rubrics table (see `rubricbench.rows`)."""
        from rubricbench.rows import rubric_to_row

        return rubric_to_row(self)


def _reject_duplicates(criteria: Iterable[Criterion]) -> None:
    seen: dict[tuple[str, str], int] = {}
    ids: dict[str, int] = {}
    for i, c in enumerate(criteria):
        check = content_id("k", [c.check.name, c.check.params]) if c.check else ""
        key = (" ".join(c.criterion.casefold().split()), check)
        first = seen.setdefault(key, i)
        first = min(first, ids.setdefault(c.id, i))
        if first != i:
            raise SchemaError(
                "duplicate_criterion",
                f"criterion {i} repeats criterion {first}: {c.criterion!r:.80}",
                field=f"rubrics[{i}]",
            )


class Response(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a model answered. An empty text is a response; a failed call is not.

    Args:
        prompt_id: id of the prompt it answers.
        text: the answer, reasoning text already split off.
        generator: name of the model.
        sampling: temperature, top_p, seed and the like.
        finish_reason: ``stop``, ``length`` or what the backend said.
        usage: token counts.
        id: given, or the content id of prompt, generator, sampling and text.
    """

    prompt_id: str
    text: str
    generator: str = ""
    sampling: dict[str, Any] = {}
    finish_reason: str = ""
    usage: dict[str, int] = {}
    id: str = ""

    def __post_init__(self) -> None:
        valid_text(self.prompt_id, "prompt_id", limit=MAX_ID_CHARS)
        valid_text(self.text, "text", allow_empty=True)
        valid_label(self.generator, "generator")
        valid_label(self.finish_reason, "finish_reason")
        valid_label(self.id, "response_id", limit=MAX_ID_CHARS)
        valid_object(self.sampling, "sampling")
        valid_object(self.usage, "usage")
        if not self.id:
            identity = [self.prompt_id, self.generator, self.sampling, self.text]
            msgspec.structs.force_setattr(self, "id", content_id("a", identity))


class Verdict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A verifier's answer for one criterion and one response.

    Args:
        criterion_id: id of the criterion.
        status: met, unmet or unknown.
        p_met: probability that it is met, in [0, 1]; None for a hard verdict.
        captured: share of the judge's probability that met and unmet had together, where p_met was
            read from log-probabilities: p_met is worth as much.
        cause: why it is unknown; None exactly when it is known.
        evidence: what the verifier saw: a quote, a count.
    """

    criterion_id: str
    status: Status
    p_met: float | None = None
    captured: float | None = None
    cause: Cause | None = None
    evidence: str = ""

    def __post_init__(self) -> None:
        # By identity: the plain text "unknown" would pass for a known status, and count as unmet.
        valid_type(self.status, Status, "status")
        valid_type(self.cause, Cause | None, "cause")
        if self.p_met is not None:
            _valid_share(self.p_met, "p_met")
        if self.captured is not None:
            _valid_share(self.captured, "captured")
        unknown = self.status is Status.UNKNOWN
        if unknown != (self.cause is not None) or (unknown and self.p_met is not None):
            raise SchemaError(
                "bad_verdict", f"status {self.status!s} with cause {self.cause!s}", field="cause"
            )
        if self.captured is not None and self.p_met is None:
            raise SchemaError("bad_verdict", "captured without p_met", field="captured")

    @property
    def credit(self) -> float | None:
        """1 for met, 0 for unmet, ``p_met`` for a soft verdict, None for unknown."""
        if self.status is Status.UNKNOWN:
            return None
        if self.p_met is not None:
            return self.p_met
        return 1.0 if self.status is Status.MET else 0.0


def _valid_share(value: Any, field: str) -> None:
    valid_type(value, float | int, field)
    if not 0.0 <= value <= 1.0:
        raise SchemaError("bad_verdict", f"{field} is {value}, not in [0, 1]", field=field)


def met(criterion_id: str, evidence: str = "") -> Verdict:
    """Return a hard met verdict."""
    return Verdict(criterion_id=criterion_id, status=Status.MET, evidence=evidence)


def unmet(criterion_id: str, evidence: str = "") -> Verdict:
    """Return a hard unmet verdict."""
    return Verdict(criterion_id=criterion_id, status=Status.UNMET, evidence=evidence)


def unknown(criterion_id: str, cause: Cause, evidence: str = "") -> Verdict:
    """Return an unknown verdict with its cause."""
    return Verdict(criterion_id=criterion_id, status=Status.UNKNOWN, cause=cause, evidence=evidence)
