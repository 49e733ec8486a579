"""What decides a judge's verdicts, and what only decides how fast they come."""

from __future__ import annotations

import math
from typing import Any
from urllib.parse import urlsplit

import msgspec

from rubricbench.errors import InputError
from rubricbench.judging.formats import get_format

ENDPOINT_PATH = "/chat/completions"

# field -> (smallest, largest); both may be reached
_RANGES: dict[str, tuple[float, float]] = {
    "temperature": (0.0, 2.0),
    "max_tokens": (1, 1_000_000),
    "replicate": (0, 1_000_000),
    "concurrency": (1, 4_096),
    "timeout": (0.001, 86_400),
    "deadline": (0.001, 604_800),
    "retries": (0, 100),
}


class JudgeConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A judge model behind an OpenAI-compatible endpoint.

    Raises:
        InputError: a field has the wrong type or lies outside its range; it is named.
    """

    base_url: str
    """The endpoint, up to and including ``/v1``. Recorded, never keyed: replicas share a store."""

    model: str
    """The model's name there."""

    revision: str = ""
    """The model's revision, declared by you: an endpoint's name for a model does not say when it
    was replaced. Part of every store key, so answers of two revisions never mix."""

    format: str = "json"
    """Form of the answer: ``json`` (bare verdicts), ``reasoned`` (evidence, then the verdict) or
    ``paper`` (the published order and labels, for comparison)."""

    temperature: float | None = 0.0
    """Sampling temperature; None sends none and takes the endpoint's default."""

    max_tokens: int | None = 2048
    """Limit of one answer in tokens; None sends none. Reasoning counts, where the model reasons."""

    response_format: bool = True
    """Whether to ask the endpoint to enforce the JSON schema of the answer."""

    replicate: int = 0
    """Number of the repetition, for repeated gradings: each is asked and stored on its own."""

    concurrency: int = 32
    """Calls in flight at once."""

    timeout: float = 120.0
    """Seconds one attempt may take."""

    deadline: float = 600.0
    """Seconds a call may take in all, attempts and waits together."""

    retries: int = 4
    """Further attempts after one that failed for a reason that may pass."""

    api_key_env: str = ""
    """Environment variable that holds the key; by default the first of
    ``RUBRICBENCH_JUDGE_API_KEY`` and ``OPENAI_API_KEY`` that is set. The key itself is no field:
    it is never written anywhere."""

    def __post_init__(self) -> None:
        _check_url(self.base_url)
        get_format(self.format)
        for field in ("model", "revision", "api_key_env"):
            _check_text(field, getattr(self, field), required=field == "model")
        for field, (low, high) in _RANGES.items():
            value = getattr(self, field)
            if value is not None or field not in ("temperature", "max_tokens"):
                _check_number(field, value, low, high)

    @property
    def url(self) -> str:
        """The address requests go to."""
        return self.base_url.rstrip("/").removesuffix(ENDPOINT_PATH) + ENDPOINT_PATH

    @property
    def name(self) -> str:
        """Model and revision in one word, as in the ``judge`` column of tables."""
        return f"{self.model}@{self.revision}" if self.revision else self.model

    def identity(self) -> dict[str, Any]:
        """Return all that decides the verdicts, beside the messages: part of every store key."""
        return {
            "model": self.model,
            "revision": self.revision,
            "sampling": {"temperature": self.temperature, "max_tokens": self.max_tokens},
            "replicate": self.replicate,
        }


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except (ValueError, AttributeError):
        raise InputError(f"the judge's base URL {url!r:.100} is not a URL") from None
    if parts.scheme not in ("http", "https") or not host:
        raise InputError(
            f"the judge's base URL {url!r:.100} is not an http:// or https:// address",
            hint="such as http://127.0.0.1:8000/v1",
        )
    if parts.username is not None or parts.query or parts.fragment:
        # The URL is written to stores and manifests; a key in it would be, too.
        raise InputError(
            "the judge's base URL may hold no user name, query or fragment",
            where=f"{parts.scheme}://{host}",
            hint="a key goes into an environment variable",
        )


def _check_text(field: str, value: Any, *, required: bool) -> None:
    if not isinstance(value, str) or (required and not value.strip()):
        raise InputError(f"the judge's {field} must be text, got {value!r:.60}")
    if not value.isprintable():
        raise InputError(f"the judge's {field} holds characters that cannot be printed")


def _check_number(field: str, value: Any, low: float, high: float) -> None:
    whole = isinstance(low, int)
    number = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not low <= value <= high:
        kind = "a whole number" if whole else "a number"
        raise InputError(
            f"the judge's {field} must be {kind} from {low:g} to {high:,}, got {value!r:.60}"
        )
