"""A judge whose verdicts and faults are told by the response's words, and rubrics for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from simserver.asked import Question
from simserver.latent import LatentJudge
from simserver.server import SimServer

from rubricbench.judging import JudgeConfig
from rubricbench.rows import rubric_to_row
from rubricbench.schema import Check, Criterion, Prompt, Rubric


class WordJudge(LatentJudge):
    """Finds a criterion "Says X" met where the response has the word X."""

    def verdict(self, criterion: str, response: str, **more: Any) -> bool:
        return criterion.removeprefix("Says ") in response.split()


class WordServer(SimServer):
    """A judge that meets a fault where a response has its word.

    Args:
        faults: word -> name of a fault, or a function of how often the question was asked.
        fault_of: response -> name of a fault, or "", where no word has one.
    """

    def __init__(
        self,
        faults: dict[str, str | Callable[[int], str]],
        *,
        fault_of: Callable[[str], str] = lambda response: "",
        **options: Any,
    ) -> None:
        super().__init__(judge=WordJudge(), **options)
        self.faults = faults
        self.fault_of = fault_of
        self.responses: list[str] = []

    async def _reply(self, request: Any, body: Any, question: Question | None, call: Any) -> Any:
        response = question.response if question else ""
        self.responses.append(response)
        name = self._fault_name(response, call.attempt)
        # Nothing is awaited before the simulator looks at its fault.
        self.fault = lambda _: name
        return await super()._reply(request, body, question, call)

    def _fault_name(self, response: str, attempt: int) -> str:
        words = response.split()
        fault = next((f for word, f in self.faults.items() if word in words), None)
        if fault is None:
            return self.fault_of(response)
        return fault(attempt) if callable(fault) else fault


@asynccontextmanager
async def running(server: WordServer) -> AsyncIterator[WordServer]:
    """The server on a thread of its own, from inside an event loop."""
    await asyncio.to_thread(server.__enter__)
    try:
        yield server
    finally:
        await asyncio.to_thread(server.__exit__)


def rubric(i: int = 0, *, checked: bool = False) -> Rubric:
    """Weights 3 (blue), 1 (red), -2 (ugly); with ``checked`` also 4, which a program decides."""
    criteria = [
        Criterion(criterion="Says blue", weight=3),
        Criterion(criterion="Says red", weight=1),
        Criterion(criterion="Says ugly", weight=-2),
    ]
    if checked:
        criteria.append(Criterion(criterion="Has no comma", weight=4, check=Check("no_commas")))
    return Rubric(prompt=Prompt.from_text(f"Question {i}?"), criteria=tuple(criteria))


def checks_only() -> Rubric:
    return Rubric(
        prompt=Prompt.from_text("Question 0?"),
        criteria=(Criterion(criterion="Has no comma", weight=1, check=Check("no_commas")),),
    )


def column(given: Rubric) -> str:
    """The rubric as a dataset's column."""
    return json.dumps(rubric_to_row(given))


def config(server: SimServer, **changes: Any) -> JudgeConfig:
    """A judge at the simulator that does not wait long."""
    fields = {"base_url": server.base_url, "model": "m", "timeout": 5.0, "retries": 0}
    return JudgeConfig(**{**fields, **changes})


class Log:
    """What a reward tells the trainer."""

    def __init__(self) -> None:
        self.numbers: dict[str, float] = {}
        self.columns: dict[str, list[Any]] = {}

    def metric(self, name: str, value: float) -> None:
        assert name not in self.numbers, "told once a batch"
        self.numbers[name] = value

    def extra(self, name: str, values: list[Any]) -> None:
        self.columns[name] = values
