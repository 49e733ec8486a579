"""The second pass of a run: have every answer in the store that the judges give."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import aclosing
from typing import Protocol

import msgspec

from rubricbench.judging.faults import Failure
from rubricbench.judging.interrupt import stopping_on_interrupt
from rubricbench.judging.items import Answer, Item, Outcome
from rubricbench.judging.judge import Judge
from rubricbench.judging.loops import run
from rubricbench.judging.observed import Observer
from rubricbench.progress import Progress, progress
from rubricbench.schema import Cause


class Source(Protocol):
    """What there is to ask about, as often as it is wanted."""

    def items(self) -> Iterable[Item]:
        """Return the items, the same ones every time."""


class Asking:
    """Asks judges, and remembers why calls stayed without an answer.

    Args:
        inputs: what to ask about.
        total: number of responses, for the progress bar.
        quiet: show no progress.
        say: takes remarks for the user.
    """

    def __init__(
        self, inputs: Source, total: int, *, quiet: bool, say: Callable[[str], None]
    ) -> None:
        self.inputs = inputs
        self.total = total
        self._quiet = quiet
        self._say = say
        # Of failed calls, all that is kept is the cause, by key, and one example for each cause.
        self._causes: dict[str, Cause] = {}
        self._used_up = False
        self.faults: dict[str, str] = {}

    def ask(self, judge: Judge, title: str) -> None:
        """Have every answer in the store that a judge gives.

        Args:
            judge: a configured judge.
            title: what the progress bar says.

        Raises:
            EndpointError: the endpoint cannot be used; what was answered is stored.
            StoreError: the store cannot be read or written.
            KeyboardInterrupt: it was interrupted; what was answered is stored.
        """
        with progress(self.total, title, quiet=self._quiet) as bar:
            try:
                run(lambda: self._ask(judge, bar))
            except asyncio.CancelledError:  # interrupted a second time
                raise KeyboardInterrupt from None

    async def _ask(self, judge: Judge, bar: Progress) -> None:
        assert judge.config is not None
        observer = Observer(judge.config)
        with stopping_on_interrupt(judge, self._say) as interrupt:
            async with aclosing(judge.outcomes(self.inputs.items())) as outcomes:
                async for outcome in outcomes:
                    bar.advance()
                    self._look_at(outcome, observer)
                    if self._used_up:
                        judge.stop()
        if interrupt.asked:
            raise KeyboardInterrupt

    def _look_at(self, outcome: Outcome, observer: Observer) -> None:
        for answer in outcome.answers:
            if answer.failure and answer.failure.cause is Cause.BUDGET:
                self._used_up = True  # as for all that is cancelled or not asked from here on
            elif answer.failure and answer.failure.cause is not Cause.CANCELLED:
                self.note(answer.key, answer.failure)
            elif answer.completion:
                observer.saw(answer.completion, answer.question.criterion_ids)
        for remark in observer.news():
            self._say(remark)

    def note(self, key: str, failure: Failure) -> None:
        """Remember why a call stayed without an answer."""
        self._causes[key] = failure.cause
        self.faults.setdefault(str(failure.cause), failure.detail)

    def with_causes(self, outcome: Outcome) -> Outcome:
        """Return an outcome that says of calls without an answer why, where this run knows."""
        if all(answer.completion is not None for answer in outcome.answers):
            return outcome
        answers = tuple(map(self._with_cause, outcome.answers))
        return msgspec.structs.replace(outcome, answers=answers, found=None)

    def _with_cause(self, answer: Answer) -> Answer:
        cause = self._causes.get(answer.key, Cause.BUDGET if self._used_up else None)
        if cause is None or answer.completion is not None:
            return answer
        return msgspec.structs.replace(answer, failure=Failure(cause, ""))
