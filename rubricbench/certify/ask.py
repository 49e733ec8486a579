"""Putting labelled responses to a judge: every answer into the store, then the pairs out of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from rubricbench.certify.labels import Labelled
from rubricbench.certify.pairs import SCHEMA, Asked
from rubricbench.certify.variants import Variant
from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.files.asking import Asking
from rubricbench.judging.items import Item
from rubricbench.judging.judge import Judge
from rubricbench.judging.price.budget import Account
from rubricbench.judging.price.prices import Price
from rubricbench.judging.usage import Tally, add_tokens
from rubricbench.schema import Criterion, Verdict
from rubricbench.store import Store

Columns = dict[str, list[Any]]


class LabelledItems(msgspec.Struct, frozen=True):
    """Labelled responses as a judge takes them, tagged with their labels."""

    rows: tuple[Labelled, ...]

    def items(self) -> Iterator[Item]:
        """Return the items in the order of the labels."""
        return (Item(row.rubric, row.response.text, row) for row in self.rows)


def replicates(config: JudgeConfig, count: int) -> list[JudgeConfig]:
    """Return a judge's configurations for so many gradings of the same."""
    return [
        msgspec.structs.replace(config, replicate=config.replicate + number)
        for number in range(count)
    ]


class Grading:
    """Has labelled responses graded, in one variant after the other, and keeps the pairs.

    Args:
        rows: the labelled responses.
        store: where answers are kept.
        secret: key of the labels that stand for criteria in prompts.
        quiet: show no progress.
        say: takes remarks for the user.
    """

    def __init__(
        self,
        rows: tuple[Labelled, ...],
        store: Store,
        secret: bytes,
        *,
        quiet: bool = False,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._items = LabelledItems(rows)
        self._store = store
        self._secret = secret
        self._asking = Asking(self._items, len(rows), quiet=quiet, say=say)
        self.columns: Columns = {field.name: [] for field in SCHEMA}
        self.tally = Tally()
        self.lost = 0

    @property
    def faults(self) -> dict[str, str]:
        """An example of what went wrong, for each cause of a failed call."""
        return self._asking.faults

    def grade(
        self,
        config: JudgeConfig,
        count: int,
        price: Price | None = None,
        account: Account | None = None,
    ) -> Asked:
        """Have everything graded in one variant, and keep the pairs.

        Args:
            config: the judge, asked in this variant.
            count: how often.
            price: of its tokens.
            account: what it may spend.

        Raises:
            EndpointError: the endpoint cannot be used; what was answered is stored.
            KeyboardInterrupt: it was interrupted; likewise.
        """
        answers: dict[str, dict[str, int]] = {}
        for number, repeated in enumerate(replicates(config, count)):
            judge = Judge(repeated, self._store, secret=self._secret, account=account)
            judge.tally = self.tally  # one count for all
            self._asking.ask(judge, f"{Variant.of(config)}, grading {number + 1} of {count}")
            self._store.flush()
            self._keep(judge, repeated, number, answers)
        tokens: dict[str, int] = {}
        for usage in answers.values():
            add_tokens(tokens, usage)
        return Asked(
            variant=str(Variant.of(config)),
            judge=config.name,
            identity={k: v for k, v in config.identity().items() if k != "replicate"},
            template_hash=config.template_hash,
            replicates=count,
            answers=len(answers),
            tokens=dict(sorted(tokens.items())),
            cost=_cost(price, answers),
            currency=price.currency if price else "",
        )

    def _keep(
        self,
        judge: Judge,
        config: JudgeConfig,
        replicate: int,
        answers: dict[str, dict[str, int]],
    ) -> None:
        for outcome in judge.stored(self._items.items()):
            for answer in outcome.answers:
                if answer.completion is not None:
                    answers[answer.key] = answer.completion.usage
            verdicts = judge.judged(self._asking.with_causes(outcome)).verdicts
            self.lost += any(v.cause and v.cause.is_infrastructure for v in verdicts)
            self._add_rows(outcome.item.tag, verdicts, config, replicate)

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


def _cost(price: Price | None, answers: dict[str, dict[str, int]]) -> float | None:
    """Return what the answers cost; None without a price, or where an answer has no counts."""
    counts = list(answers.values())
    if price is None or any("prompt_tokens" not in usage for usage in counts):
        return None
    return sum(
        price.cost(u["prompt_tokens"], u.get("completion_tokens", 0), u.get("cached_tokens", 0))
        for u in counts
    )
