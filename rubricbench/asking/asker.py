"""Asks questions of one model, many at once; answers come from the store where it has them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing
from types import TracebackType
from typing import Any, Self

import msgspec

from rubricbench.asking.question import Question
from rubricbench.asking.reading import read_json
from rubricbench.errors import SchemaError
from rubricbench.judging.backends.choose import make_backend
from rubricbench.judging.backends.protocol import Backend
from rubricbench.judging.breaker import Breaker
from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.faults import CallFailedError, Failure
from rubricbench.judging.loops import run
from rubricbench.judging.price.budget import Account
from rubricbench.judging.reasoning import split_reasoning
from rubricbench.judging.request import Request
from rubricbench.judging.usage import Tally
from rubricbench.schema import Cause
from rubricbench.store import Completion, Store


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a question.

    Args:
        question: the question, with its tag.
        value: the JSON value, which keeps to the question's schema; None where there is none.
        text: what the model wrote, read or not.
        fault: why there is no value, in a line; empty where there is one.
        cause: of a call without an answer; None where there is an answer.
        key: of the completion in the store.
    """

    question: Question
    value: Any = None
    text: str = ""
    fault: str = ""
    cause: Cause | None = None
    key: str = ""


class Asker:
    """Asks one model.

    Args:
        config: the model, where it runs, and how many calls it takes at once; its fields about
            rubrics (format, layout, criteria per call) do not matter here.
        store: where answers are kept.
        backend: who answers; by default made from the configuration.
        account: what it may spend.
        repair: whether to ask once more where an answer cannot be read.
    """

    def __init__(
        self,
        config: JudgeConfig,
        store: Store,
        *,
        backend: Backend | None = None,
        account: Account | None = None,
        repair: bool = True,
    ) -> None:
        # A model in this process can only enforce the form of verdicts: here it writes freely.
        enforced = config.response_format and config.backend == "endpoint"
        self.config = msgspec.structs.replace(config, response_format=enforced)
        self.tally = Tally()
        self._store = store
        self._backend = backend or make_backend(self.config, self.tally, account)
        self._breaker = Breaker(config.concurrency, config.url)
        self._repair = repair
        self._under_way: dict[str, asyncio.Task[Completion | Failure]] = {}

    async def __aenter__(self) -> Self:
        self._backend = await self._backend.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._backend.__aexit__(kind, error, trace)

    def ask_all(self, questions: Iterable[Question]) -> list[Answer]:
        """Ask questions concurrently; return the answers in the order of the questions.

        Raises:
            RubricbenchError: as `stream`.
        """
        given = list(questions)
        numbered = [msgspec.structs.replace(q, tag=i) for i, q in enumerate(given)]

        async def collect() -> dict[int, Answer]:
            async with self, aclosing(self.stream(numbered)) as stream:
                return {answer.question.tag: answer async for answer in stream}

        found = run(collect)
        return [msgspec.structs.replace(found[i], question=q) for i, q in enumerate(given)]

    async def stream(self, questions: Iterable[Question]) -> AsyncGenerator[Answer, None]:
        """Ask questions; yield the answers as they are ready. The asker has been entered.

        Raises:
            EndpointError: the model cannot be used.
            StoreError: the store cannot be read or written.
        """
        todo, waiting = iter(questions), set[asyncio.Task[Answer]]()
        try:
            while True:
                self._fill(waiting, todo)
                if not waiting:
                    return
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    yield task.result()
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    def _fill(self, waiting: set[asyncio.Task[Answer]], todo: Iterator[Question]) -> None:
        for _ in range(self.config.concurrency - len(waiting)):
            question = next(todo, None)
            if question is None:
                return
            waiting.add(asyncio.create_task(self.ask(question)))

    async def ask(self, question: Question) -> Answer:
        """Ask one question.

        Raises:
            EndpointError: the model cannot be used.
            StoreError: the store cannot be read or written.
        """
        answer = await self._asked(question, question)
        if self._repair and answer.fault and answer.cause is None:
            second = await self._asked(question, question.again(answer.text, answer.fault))
            return answer if second.value is None else second
        return answer

    async def _asked(self, question: Question, put: Question) -> Answer:
        request = put.request(self.config)
        found = self._store.get_many([request.key]).get(request.key)
        result = found or await self._shared(request)
        if isinstance(result, Failure):
            return Answer(question=question, fault=result.detail, cause=result.cause)
        text = split_reasoning(result.text).answer
        try:
            value = read_json(text, question.schema)
        except SchemaError as error:
            return Answer(
                question=question,
                text=text,
                fault=error.what.removesuffix(f" [{error.code}]"),
                key=request.key,
            )
        return Answer(question=question, value=value, text=text, key=request.key)

    async def _shared(self, request: Request) -> Completion | Failure:
        """Make a call, or wait for an equal one that is under way."""
        task = self._under_way.get(request.key)
        if task is None:
            task = asyncio.create_task(self._call(request))
            self._under_way[request.key] = task
            task.add_done_callback(lambda _: self._under_way.pop(request.key))
        return await asyncio.shield(task)

    async def _call(self, request: Request) -> Completion | Failure:
        try:
            answer = await self._backend.complete(request)
        except CallFailedError as error:
            if error.cause is not Cause.BUDGET:
                self.tally.failed += 1
                self._breaker.failed(error.failure)
            return error.failure
        completion = Completion(
            key=request.key,
            text=answer.text,
            reasoning=answer.reasoning,
            finish_reason=answer.finish_reason,
            usage=answer.usage,
            model=answer.model,
            url=answer.url or self._backend.url,
            request=request.identity,
            created=time.time(),
        )
        self._store.put(completion, keyed=True)
        self._breaker.answered()
        self.tally.answered(answer.usage)
        return completion
