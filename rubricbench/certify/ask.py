"""Putting labelled responses to a judge: every answer into the store, then the pairs out of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from typing import Any

import msgspec

from rubricbench.certify.labels import Labelled
from rubricbench.certify.pairs import SCHEMA, Asked
from rubricbench.certify.variants import Variant
from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.faults import Failure
from rubricbench.judging.interrupt import stopping_on_interrupt
from rubricbench.judging.items import Answer, Item, Outcome
from rubricbench.judging.judge import Judge
from rubricbench.judging.loops import run
from rubricbench.judging.price.prices import Price
from rubricbench.judging.usage import Tally, add_tokens
from rubricbench.progress import Progress, progress
from rubricbench.schema import Cause, Criterion, Verdict
from rubricbench.store import Store

Columns = dict[str, list[Any]]


class Asking:
    """Asks a judge about labelled responses, in one variant after the other.

    Args:
        rows: the labelled responses.
        store: where answers are kept.
        secret: key of the labels that stand for criteria in prompts.
        quiet: show no progress.
        say: takes remarks for the user.
    """

    def __init__(
        self,
        rows: Sequence[Labelled],
        store: Store,
        secret: bytes,
        *,
        quiet: bool = False,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._rows = rows
        self._store = store
        self._secret = secret
        self._quiet = quiet
        self._say = say
        self._failures: dict[str, Failure] = {}
        self.columns: Columns = {field.name: [] for field in SCHEMA}
        self.tally = Tally()
        self.lost = 0
        self.faults: dict[str, str] = {}

    def ask(self, config: JudgeConfig, replicates: int, price: Price | None = None) -> Asked:
        """Have everything judged in one variant, and keep the pairs.

        Raises:
            EndpointError: the endpoint cannot be used; what was answered is stored.
            KeyboardInterrupt: it was interrupted; likewise.
        """
        answers: dict[str, dict[str, int]] = {}
        for replicate in range(replicates):
            repeated = msgspec.structs.replace(config, replicate=config.replicate + replicate)
            judge = Judge(repeated, self._store, secret=self._secret)
            self._have_answered(judge, f"judging {Variant.of(config)} #{replicate + 1}")
            self._store.flush()
            self._keep(judge, repeated, replicate, answers)
            _add(self.tally, judge.tally)
        tokens: dict[str, int] = {}
        for usage in answers.values():
            add_tokens(tokens, usage)
        return Asked(
            variant=str(Variant.of(config)),
            judge=config.name,
            identity={k: v for k, v in config.identity().items() if k != "replicate"},
            template_hash=config.template_hash,
            replicates=replicates,
            answers=len(answers),
            tokens=dict(sorted(tokens.items())),
            cost=_cost(price, answers),
            currency=price.currency if price else "",
        )

    def _items(self) -> Iterator[Item]:
        return (Item(row.rubric, row.response.text, row) for row in self._rows)

    def _have_answered(self, judge: Judge, description: str) -> None:
        with progress(len(self._rows), description, quiet=self._quiet) as bar:
            try:
                run(lambda: self._stream(judge, bar))
            except asyncio.CancelledError:  # interrupted a second time
                raise KeyboardInterrupt from None

    async def _stream(self, judge: Judge, bar: Progress) -> None:
        with stopping_on_interrupt(judge, self._say) as interrupt:
            async with aclosing(judge.outcomes(self._items())) as outcomes:
                async for outcome in outcomes:
                    bar.advance()
                    for answer in outcome.answers:
                        if answer.failure:
                            self._failures[answer.key] = answer.failure
                            cause = str(answer.failure.cause)
                            self.faults.setdefault(cause, answer.failure.detail)
        if interrupt.asked:
            raise KeyboardInterrupt

    def _keep(
        self,
        judge: Judge,
        config: JudgeConfig,
        replicate: int,
        answers: dict[str, dict[str, int]],
    ) -> None:
        for outcome in judge.stored(self._items()):
            for answer in outcome.answers:
                if answer.completion is not None:
                    answers[answer.key] = answer.completion.usage
            verdicts = judge.judged(self._explained(outcome)).verdicts
            self.lost += any(v.cause and v.cause.is_infrastructure for v in verdicts)
            self._add_rows(outcome.item.tag, verdicts, config, replicate)

    def _explained(self, outcome: Outcome) -> Outcome:
        """Say of calls without an answer why, where this run knows."""
        answers = tuple(map(self._with_failure, outcome.answers))
        return msgspec.structs.replace(outcome, answers=answers)

    def _with_failure(self, answer: Answer) -> Answer:
        if answer.completion is not None:
            return answer
        failure = self._failures.get(answer.key) or Failure(Cause.NOT_JUDGED, "")
        return msgspec.structs.replace(answer, failure=failure)

    def _add_rows(
        self, row: Labelled, verdicts: Sequence[Verdict], config: JudgeConfig, replicate: int
    ) -> None:
        criteria = row.rubric.criteria
        places = _places(criteria, config.criteria_per_call)
        words = len(row.response.text.split())
        variant = str(Variant.of(config))
        for i, (criterion, verdict) in enumerate(zip(criteria, verdicts, strict=True)):
            reference = row.references[i]
            position, listed = places[i]
            self._append(
                variant,
                replicate,
                row.rubric.prompt_id,
                row.response.id,
                row.response.generator,
                words,
                criterion.id,
                criterion.criterion,
                float(criterion.weight),
                list(criterion.tags),
                criterion.check is not None,
                position,
                listed,
                "unknown" if reference.met is None else "met" if reference.met else "unmet",
                reference.annotators,
                reference.agreement,
                str(verdict.status),
                verdict.p_met,
                None if verdict.cause is None else str(verdict.cause),
            )

    def _append(self, *values: Any) -> None:
        for column, value in zip(self.columns.values(), values, strict=True):
            column.append(value)


def _places(
    criteria: Sequence[Criterion], per_call: int | None
) -> list[tuple[int | None, int | None]]:
    """Return where each criterion stands in the list the judge reads, and how long that is."""
    asked = sum(c.check is None for c in criteria)
    size = per_call or max(1, asked)
    places: list[tuple[int | None, int | None]] = []
    number = 0
    for criterion in criteria:
        if criterion.check is not None:
            places.append((None, None))
            continue
        call = number // size
        places.append((number % size, min(size, asked - call * size)))
        number += 1
    return places


def _add(total: Tally, own: Tally) -> None:
    for name in ("calls", "attempts", "failed", "stored", "shared", "without_usage"):
        setattr(total, name, getattr(total, name) + getattr(own, name))
    add_tokens(total.tokens, own.tokens)


def _cost(price: Price | None, answers: dict[str, dict[str, int]]) -> float | None:
    """Return what the answers cost; None without a price, or where an answer has no counts."""
    counts = list(answers.values())
    if price is None or any("prompt_tokens" not in usage for usage in counts):
        return None
    return sum(
        price.cost(u["prompt_tokens"], u.get("completion_tokens", 0), u.get("cached_tokens", 0))
        for u in counts
    )
