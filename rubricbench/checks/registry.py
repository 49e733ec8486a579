"""The registry of check families: what a criterion can be checked by without a judge.

A family is a function ``(text, params) -> Outcome`` with a documented parameter schema, a sentence
that describes it to the model that is asked, and examples that pass and fail::

    @family(
        "no_commas",
        describe=lambda p: "The response contains no comma.",
        passes=[({}, "One clause only.")],
        fails=[({}, "First, second.")],
    )
    def no_commas(text: str, params: Params) -> Outcome:
        count = text.count(",")
        return Outcome(count == 0, f"{count} commas")

No check may hang: patterns are linear in the text (`re2`, or string methods), and a text longer
than `MAX_CHECKED_CHARS` is not checked at all.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rubricbench.errors import SchemaError
from rubricbench.schema import Check

MAX_CHECKED_CHARS = 1_000_000

Params = Mapping[str, Any]


class Outcome(NamedTuple):
    """What a check found.

    Args:
        met: whether the text meets it.
        evidence: what was counted or found, in a few words, for the audit trail.
    """

    met: bool
    evidence: str


@dataclass(frozen=True)
class Param:
    """One parameter of a family.

    Args:
        kind: ``int``, ``float``, ``str``, ``bool``, ``list[str]``, ``list[int]`` or ``object``.
        doc: what it means, with its unit.
        default: value when absent; a parameter without one is required.
        minimum: smallest number, or shortest text or list.
        maximum: largest number, or longest text or list.
        choices: the only values allowed.
    """

    kind: str
    doc: str
    default: Any = ...
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[Any, ...] = ()


Example = tuple[dict[str, Any], str]


@dataclass(frozen=True)
class Family:
    """A check family.

    Args:
        name: its name in `schema.Check`.
        evaluate: the check itself, called with complete and valid parameters.
        describe: the criterion in words, for a set of parameters.
        params: the parameters it takes.
        passes: examples of parameters and a text that meets them.
        fails: examples of parameters and a text that does not.
        at_least_one_of: parameters of which one must be given (``minimum``/``maximum`` of a count).
        validate: further condition on parameters; returns a complaint or None.
    """

    name: str
    evaluate: Callable[[str, Params], Outcome]
    describe: Callable[[Params], str]
    params: Mapping[str, Param] = field(default_factory=dict)
    passes: Sequence[Example] = ()
    fails: Sequence[Example] = ()
    at_least_one_of: tuple[str, ...] = ()
    validate: Callable[[Params], str | None] | None = None


_FAMILIES: dict[str, Family] = {}


def family(
    name: str, **options: Any
) -> Callable[[Callable[[str, Params], Outcome]], Callable[[str, Params], Outcome]]:
    """Register the decorated function as a family (options: the fields of `Family`)."""

    def register(evaluate: Callable[[str, Params], Outcome]) -> Callable[[str, Params], Outcome]:
        if name in _FAMILIES:
            raise ValueError(f"check family {name!r} is registered twice")
        _FAMILIES[name] = Family(name=name, evaluate=evaluate, **options)
        return evaluate

    return register


def registered() -> dict[str, Family]:
    """Return the families by name, in order of registration."""
    return dict(_FAMILIES)


def get(name: str) -> Family:
    """Return one family.

    Raises:
        SchemaError: ``bad_check``, with the nearest names.
    """
    if name not in _FAMILIES:
        import difflib

        near = difflib.get_close_matches(name, _FAMILIES, n=3)
        raise SchemaError(
            "bad_check",
            f"no check family {name!r:.60}",
            field="check.name",
            hint=f"did you mean {', '.join(near)}?" if near else "see: rubricbench data checks",
        )
    return _FAMILIES[name]


def complete(check: Check) -> tuple[Family, dict[str, Any]]:
    """Return the family and the full set of parameters, defaults filled in.

    Raises:
        SchemaError: ``bad_check``: an unknown family, an unknown or missing parameter, a bad value.
    """
    found = get(check.name)
    params = dict(check.params)
    for key in params:
        if key not in found.params:
            raise _bad(check, str(key), f"{check.name} has no parameter {key!r:.60}", found)
    for key, spec in found.params.items():
        if params.get(key) is None:
            if spec.default is ...:
                raise _bad(check, key, f"{check.name} needs the parameter {key!r}", found)
            params[key] = spec.default
        else:
            complaint = _complaint(params[key], spec)
            if complaint:
                raise _bad(check, key, complaint, found)
            params[key] = _composed(params[key])
    if found.at_least_one_of and all(params[key] is None for key in found.at_least_one_of):
        wanted = " or ".join(found.at_least_one_of)
        raise _bad(check, found.at_least_one_of[0], f"{check.name} needs {wanted}", found)
    if found.validate and (complaint := found.validate(params)):
        raise _bad(check, "", complaint, found)
    return found, params


def _composed(value: Any) -> Any:
    """Return text in NFC, the form in which `run` shows the response to a check."""
    if isinstance(value, str):
        return value if value.isascii() else unicodedata.normalize("NFC", value)
    return [_composed(item) for item in value] if isinstance(value, list) else value


def _bad(check: Check, key: str, what: str, found: Family) -> SchemaError:
    return SchemaError(
        "bad_check",
        what,
        field=".".join(part for part in ("check.params", key[:60]) if part),
        hint=f"{check.name} takes: " + (", ".join(found.params) or "no parameters"),
    )


_KINDS: dict[str, Any] = {
    "int": int,
    "float": (int, float),
    "str": str,
    "bool": bool,
    "list[str]": list,
    "list[int]": list,
    "object": dict,
}


def _is_finite(size: int | float) -> bool:
    try:
        return math.isfinite(size)
    except OverflowError:  # an int beyond every float
        return False


def _complaint(value: Any, spec: Param) -> str | None:
    wrong_bool = isinstance(value, bool) and spec.kind != "bool"
    if wrong_bool or not isinstance(value, _KINDS[spec.kind]):
        return f"expected {spec.kind}, got {type(value).__name__}"
    if spec.kind.startswith("list"):
        inner = str if spec.kind == "list[str]" else int
        if not all(isinstance(item, inner) and not isinstance(item, bool) for item in value):
            return f"expected {spec.kind}"
    size = value if spec.kind in ("int", "float") else len(value) if spec.kind != "bool" else 0
    if not _is_finite(size):
        return "not a finite number"
    if spec.minimum is not None and size < spec.minimum:
        return f"must be at least {spec.minimum:g}"
    if spec.maximum is not None and size > spec.maximum:
        return f"must be at most {spec.maximum:g}"
    if spec.choices and value not in spec.choices:
        return f"must be one of {', '.join(map(str, spec.choices))}"
    return None
