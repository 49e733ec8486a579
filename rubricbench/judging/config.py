"""What decides a judge's verdicts, and what only decides how fast they come."""

from __future__ import annotations

from typing import Any

import msgspec

from rubricbench.errors import InputError
from rubricbench.judging.config_rules import (
    check_base_url,
    check_choice,
    check_extra_body,
    check_number,
    check_text,
)
from rubricbench.judging.formats import get_format
from rubricbench.judging.layouts import get_layout, layout_of
from rubricbench.judging.templates import template_hash

ENDPOINT_PATH = "/chat/completions"

# field -> (smallest, largest); both may be reached
_RANGES: dict[str, tuple[float, float]] = {
    "criteria_per_call": (1, 10_000),
    "temperature": (0.0, 2.0),
    "max_tokens": (1, 1_000_000),
    "logprobs": (0, 20),
    "replicate": (0, 1_000_000),
    "concurrency": (1, 4_096),
    "timeout": (0.001, 86_400),
    "deadline": (0.001, 604_800),
    "retries": (0, 100),
}
_MAY_BE_NONE = frozenset({"criteria_per_call", "temperature", "max_tokens"})
_CHOICES = {
    "backend": ("endpoint", "transformers", "vllm"),
    "token_field": ("max_tokens", "max_completion_tokens"),
    "rejudge": ("all", "changed"),
}


class JudgeConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A judge: a model, where it runs, and how it is asked.

    Raises:
        InputError: a field has the wrong type or lies outside its range; it is named.
    """

    model: str
    """The model's name at the endpoint; for a local backend a folder or a name on the Hub."""

    base_url: str = ""
    """The endpoint, up to and including ``/v1``. Recorded, never keyed: replicas share a store."""

    endpoints: tuple[str, ...] = ()
    """Further endpoints that serve the same model: each call goes to the least loaded."""

    backend: str = "endpoint"
    """Where the model runs: behind an OpenAI-compatible ``endpoint``, or in this process by
    ``transformers`` or ``vllm``."""

    revision: str = ""
    """The model's revision, declared by you: an endpoint's name for a model does not say when it
    was replaced. Part of every store key, so answers of two revisions never mix."""

    format: str = "json"
    """Form of the answer: ``json`` (bare verdicts), ``reasoned`` (evidence, then the verdict),
    ``compact`` (a letter for each criterion) or ``paper`` (the published one)."""

    layout: str = "auto"
    """Order of the prompt's parts: ``rubric_first`` (the response last: the prefix that a rubric's
    responses share is longest), ``response_first`` (the criteria last: the prefix that a
    response's calls share is longest) or ``paper`` (the published order and answer form, for
    comparison). ``auto`` takes the first, and the second where ``criteria_per_call`` is set."""

    criteria_per_call: int | None = None
    """Criteria asked about in one call; None puts a rubric's criteria into one call, 1 asks one by
    one."""

    repair: bool = True
    """Whether criteria whose answer could not be read are asked about once more."""

    rejudge: str = "all"
    """What to do with a rubric that replaces an earlier one (`Item.previous`): ask about ``all`` of
    its criteria, or only about those that are new or ``changed``: cheaper, but the others were
    judged beside other criteria."""

    temperature: float | None = 0.0
    """Sampling temperature; None sends none and takes the endpoint's default."""

    max_tokens: int | None = 2048
    """Limit of one answer in tokens; None sends none. Reasoning counts, where the model reasons."""

    token_field: str = "max_tokens"
    """Name the endpoint has for that limit: ``max_tokens`` or ``max_completion_tokens``. An
    endpoint that refuses the first for the second is understood without it."""

    response_format: bool = True
    """Whether to ask the endpoint to enforce the JSON schema of the answer."""

    logprobs: int = 0
    """Alternatives asked for at each token of the answer, for soft verdicts; 0 asks for none."""

    extra_body: dict[str, Any] = {}
    """Further fields of each request, such as ``{"chat_template_kwargs": {"enable_thinking":
    false}}`` or ``{"reasoning_effort": "low"}``. Sent as they are, and part of every store key."""

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
        for field, allowed in _CHOICES.items():
            check_choice(field, getattr(self, field), allowed)
        for field in ("model", "revision", "api_key_env"):
            check_text(field, getattr(self, field), required=field == "model")
        for field, (low, high) in _RANGES.items():
            value = getattr(self, field)
            if value is not None or field not in _MAY_BE_NONE:
                check_number(field, value, low, high)
        check_extra_body(self.extra_body)
        self._check_addresses()
        self._settle_form()

    def _check_addresses(self) -> None:
        if self.backend == "endpoint":
            if not isinstance(self.endpoints, tuple):
                raise InputError(
                    f"the judge's endpoints must be a list, got {self.endpoints!r:.60}"
                )
            for url in (self.base_url, *self.endpoints):
                check_base_url(url)
        elif self.base_url or self.endpoints:
            raise InputError(
                f"a judge that runs here by {self.backend} has no base URL",
                hint="leave the URL out, or the backend",
            )

    def _settle_form(self) -> None:
        get_layout(self.layout)
        if self.layout == "paper" and self.format == "json":  # the default, not a wish
            msgspec.structs.force_setattr(self, "format", "paper")
        get_format(self.format)
        if self.layout != "auto" and (self.layout == "paper") != (self.format == "paper"):
            raise InputError(
                f"format {self.format!r} and layout {self.layout!r} do not go together",
                hint="the paper's order and answer form come together: --layout paper alone",
            )

    @property
    def arrangement(self) -> str:
        """The layout in use: what ``auto`` stands for."""
        return layout_of(self.layout, self.format, self.criteria_per_call)

    @property
    def base_urls(self) -> tuple[str, ...]:
        """All endpoints, each once, in the order given."""
        given = (self.base_url, *self.endpoints) if self.base_url else self.endpoints
        return tuple(dict.fromkeys(completions_url(url) for url in given))

    @property
    def url(self) -> str:
        """The address requests go to, or the first of several; ``local:`` and the backend here."""
        return self.base_urls[0] if self.base_urls else f"local:{self.backend}"

    @property
    def name(self) -> str:
        """Model and revision in one word, as in the ``judge`` column of tables."""
        return f"{self.model}@{self.revision}" if self.revision else self.model

    @property
    def template_hash(self) -> str:
        """Hash of the texts of ours that it reads (`rubricbench.judging.templates`)."""
        return template_hash(self.format, self.layout, one_call=self.criteria_per_call is None)

    def identity(self) -> dict[str, Any]:
        """Return all that decides the verdicts, beside the messages: part of every store key.

        What is at its default and came later than the first stores is left out: it must not make
        old answers unfindable.
        """
        identity: dict[str, Any] = {
            "model": self.model,
            "revision": self.revision,
            "sampling": {"temperature": self.temperature, "max_tokens": self.max_tokens},
            "replicate": self.replicate,
        }
        if self.logprobs:
            identity["logprobs"] = self.logprobs
        if self.extra_body:
            identity["extra_body"] = self.extra_body
        return identity


def completions_url(base_url: str) -> str:
    """Return the address of chat completions at an endpoint, given with or without its path."""
    return base_url.rstrip("/").removesuffix(ENDPOINT_PATH) + ENDPOINT_PATH
