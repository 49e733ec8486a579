"""Random runs on one store, disturbed in every way at once: the same things hold of all of them.

A run has several judges (each with a store handle of its own, as processes have), calls that fail,
hang about, or answer what cannot be read, budgets, and ends that come at any moment. All is drawn
from the seed, but for the moments at which loop and disk take their turns.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from contextlib import aclosing
from pathlib import Path
from typing import Any, Self

import pytest
from simserver.answers import values, written
from simserver.asked import read_question
from simserver.latent import truth

from rubricbench.checks import verify
from rubricbench.errors import EndpointError
from rubricbench.judging import Item, Judge, JudgeConfig, Judged, engine
from rubricbench.judging.faults import CallFailedError
from rubricbench.judging.loops import run
from rubricbench.judging.parse import REPAIRABLE
from rubricbench.judging.price.budget import Budget, Caps
from rubricbench.judging.request import Request
from rubricbench.judging.wire import ChatAnswer
from rubricbench.schema import Cause, Check, Criterion, Prompt, Rubric, Status
from rubricbench.store import Store

SECONDS = 30  # far more than a run takes: what is not over by then hangs
LOST = (Cause.SERVER_ERROR, Cause.TIMEOUT, Cause.FILTERED)
UNREADABLE = ("garbage", "without the first")
USAGE = {"prompt_tokens": 1, "completion_tokens": 1}
ENDS = ("whole", "stop", "leave", "cancel", "break")


class Model:
    """A backend that knows the truth, tells it when it likes, and keeps a log."""

    url = "local:model"

    def __init__(self, seed: int, disturbed: float) -> None:
        self.seed, self.disturbed = seed, disturbed
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()

    async def complete(self, request: Request) -> ChatAnswer:
        self.asked[request.key] += 1
        draw = random.Random(f"{self.seed} {request.key} {self.asked[request.key]}")
        if draw.random() < 0.5:
            await asyncio.sleep(draw.choice((0.0, 0.001, 0.01)))
        fault = draw.choice((*LOST, *UNREADABLE)) if draw.random() < self.disturbed else ""
        if isinstance(fault, Cause):
            raise CallFailedError(fault, "so it was drawn")
        self.answered[request.key] += 1
        return ChatAnswer(_says(request, fault), "", "stop", "m", USAGE)


def _says(request: Request, fault: str) -> str:
    question = read_question(json.loads(request.body)["messages"])
    assert question is not None
    found = values(question, [truth(text, question.response) for _, text in question.criteria])
    if fault == "without the first":
        found.pop(question.criteria[0][0])
    return "Well." if fault == "garbage" else written(question.form, found)


class Desk:
    """A judge's own way to the model: counts the calls it begins."""

    url = Model.url

    def __init__(self, model: Model) -> None:
        self.begun = 0
        self._model = model

    async def __aenter__(self) -> Self:
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *error: object) -> None:
        pass

    def stop(self) -> None:
        pass

    async def complete(self, request: Request) -> ChatAnswer:
        self.begun += 1
        return await self._model.complete(request)


class Run:
    """One judge's way through its items, and what came of it.

    Args:
        draw: decides everything.
        model: who answers.
        path: of the store.
        items: its items, tagged by their numbers.
        config: the judge.
    """

    def __init__(
        self, draw: random.Random, model: Model, path: Path, items: list[Item], config: JudgeConfig
    ) -> None:
        self.items, self.config = items, config
        self.end = draw.choice(ENDS)
        self.after = draw.randrange(len(items) + 1)
        self.later = draw.random() < 0.5
        self.cap = draw.choice((None, None, draw.randrange(1, 2 * len(items) + 2)))
        # With tokens capped, one call at a time finds room, and the others wait for it.
        tokens = draw.choice((None, 40_000))
        self.budget = Budget(Caps(calls=self.cap, tokens=tokens))
        self.desk = Desk(model)
        self.begun_at_stop: int | None = None
        self._model, self._path = model, path
        self._secret = draw.randbytes(8)
        self.graded: list[Judged] = []

    async def through(self) -> None:
        with Store.open(self._path) as store:
            account = self.budget.account(max_tokens=30_000) if self.budget.caps else None
            self.judge = Judge(
                self.config, store, secret=self._secret, backend=self.desk, account=account
            )
            task = asyncio.create_task(self._read())
            if self.later and self.end in ("stop", "cancel"):
                await asyncio.sleep(0.001 * self.after)
                self._stop() if self.end == "stop" else task.cancel()
            try:
                async with asyncio.timeout(SECONDS):
                    await task
            except asyncio.CancelledError:
                assert self.end == "cancel"
            except EndpointError:
                assert self.end == "break" or self._model.disturbed  # calls in a row that failed
            assert not self.judge._engines

    async def _read(self) -> None:
        async with aclosing(self.judge.stream(self._source())) as stream:
            async for judged in stream:
                self.graded.append(judged)
                if len(self.graded) != self.after or self.later:
                    continue
                if self.end == "stop":
                    self._stop()
                elif self.end == "leave":
                    return
                elif self.end == "cancel":
                    task = asyncio.current_task()
                    assert task is not None
                    task.cancel()

    def _stop(self) -> None:
        self.judge.stop()
        self.begun_at_stop = self.desk.begun

    def _source(self) -> Any:
        for number, item in enumerate(self.items):
            if self.end == "break" and number == self.after:
                raise EndpointError("the source broke")
            yield item

    @property
    def ended_whole(self) -> bool:
        return self.end == "whole" or (self.end == "leave" and self.after == 0 and not self.later)


def make_rubrics(draw: random.Random) -> list[Rubric]:
    """Rubrics whose texts meet: criteria under other ids, prompts that are the same."""
    rubrics = []
    for _ in range(draw.randrange(1, 4)):
        texts = draw.sample([f"States {i}" for i in range(6)], draw.randrange(1, 5))
        criteria = [Criterion(criterion=text, weight=draw.randrange(1, 4)) for text in texts]
        if draw.random() < 0.3:
            check = Check("no_commas")
            criteria.append(Criterion(criterion="Has no comma", weight=1, check=check))
        prompt = Prompt.from_text(f"Question {draw.randrange(2)}?")
        rubrics.append(Rubric(prompt=prompt, criteria=tuple(criteria)))
    return rubrics


def make_items(draw: random.Random) -> list[Item]:
    rubrics = make_rubrics(draw)
    texts = [f"Answer {i}, or so" for i in range(draw.randrange(1, 25))]
    items = []
    for i in range(draw.randrange(1, 40)):
        rubric = draw.choice(rubrics)
        same = [r for r in rubrics if r is not rubric and r.prompt == rubric.prompt]
        previous = tuple(draw.sample(same, draw.randrange(len(same) + 1)))
        items.append(Item(rubric, draw.choice(texts), i, previous))
    return items


def make_config(draw: random.Random) -> JudgeConfig:
    return JudgeConfig(
        base_url="http://127.0.0.1:9/v1",
        model="m",
        max_tokens=None,
        concurrency=draw.randrange(1, 7),
        criteria_per_call=draw.choice((None, 1, 2)),
        format=draw.choice(("json", "compact")),
        repair=draw.random() < 0.7,
        rejudge=draw.choice(("all", "changed")),
    )


def require_true(judged: Judged) -> None:
    """What is known is right, and what is unknown has a cause that was drawn."""
    rubric, response = judged.item.rubric, judged.item.response
    for criterion, verdict in zip(rubric.criteria, judged.verdicts, strict=True):
        assert verdict.criterion_id == criterion.id
        if criterion.check:
            assert verdict == verify(criterion, response)
        elif verdict.status is Status.UNKNOWN:
            assert verdict.cause in {*LOST, *REPAIRABLE, Cause.BUDGET, Cause.CANCELLED}
        else:
            assert (verdict.status is Status.MET) == truth(criterion.criterion, response)


async def disturbed(seed: int, path: Path) -> tuple[Model, list[Run]]:
    draw = random.Random(seed)
    model = Model(seed, draw.choice((0.0, 0.3, 0.6)))
    items, config = make_items(draw), make_config(draw)
    runs = []
    for _ in range(draw.randrange(1, 4)):
        own = draw.sample(items, draw.randrange(1, len(items) + 1))
        runs.append(Run(draw, model, path, own, config))
    if draw.random() < 0.7:
        await asyncio.gather(*(each.through() for each in runs))
    else:
        for each in runs:
            await each.through()
    return model, runs


@pytest.mark.parametrize("seed", range(40))
def test_whatever_happens_no_item_is_lost_or_wrong_and_nothing_is_paid_for_twice(
    seed, tmp_path, monkeypatch
):
    monkeypatch.setattr(engine, "WATCH_SECONDS", 0.005)
    path = tmp_path / "s.sqlite"
    model, runs = run(lambda: disturbed(seed, path))

    for each in runs:
        tags = [judged.item.tag for judged in each.graded]
        assert len(set(tags)) == len(tags)
        assert set(tags) <= {item.tag for item in each.items}
        if each.ended_whole and not model.disturbed:
            assert len(tags) == len(each.items)
        for judged in each.graded:
            require_true(judged)
        if each.budget.caps:
            assert each.budget.spent.calls == each.desk.begun <= (each.cap or each.desk.begun)
        if each.begun_at_stop is not None:
            assert each.desk.begun == each.begun_at_stop
    assert sum(each.judge.tally.calls for each in runs) == model.answered.total()
    assert max(model.answered.values(), default=1) == 1  # nobody pays for what somebody has

    with Store.open(path) as store:
        assert store.count() == model.answered.total()
        # Gone on with, undisturbed, it comes to an end, and pays for nothing that is there.
        model.disturbed = 0.0
        items = {item.tag: item for each in runs for item in each.items}
        judge = Judge(runs[0].config, store, backend=Desk(model))
        graded = judge.grade_all(items.values())
        assert max(model.answered.values(), default=1) == 1
        store.flush()
        assert store.count() == model.answered.total()
        stored = [judge.judged(outcome) for outcome in judge.stored(items.values())]
    assert [j.verdicts for j in stored] == [j.verdicts for j in graded]
    for judged in graded:
        require_true(judged)
        if runs[0].config.repair and judged.score.value is None:
            assert all(v.cause is None or v.cause in REPAIRABLE for v in judged.verdicts)
