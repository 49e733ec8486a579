"""`RubricReward`: the reward function that trainers call."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from rubricbench.errors import EndpointError, InputError, RubricbenchError, SchemaError
from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.judge import Judge
from rubricbench.reward.batch import Batch, Row, further_askings
from rubricbench.reward.host import JudgeHost
from rubricbench.reward.memory import require_policy_asleep
from rubricbench.reward.report import metrics, row_columns
from rubricbench.reward.rubrics import RubricFinder, Rubrics
from rubricbench.reward.texts import Turns, response_text
from rubricbench.schema import Cause
from rubricbench.scoring import WEIGHTED_MEAN, Strategy

logger = logging.getLogger(__name__)

# Of the batch's deadline, for all askings about a response together; the rest is for the control.
ASKING_SHARE = 0.8


class RewardSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a reward is given; see `rubric_reward`."""

    deadline: float = 300.0
    ask_again: bool = True
    patience: int | None = 10
    strip_reasoning: bool = True
    release: bool = True
    name: str = "rubric_reward"

    def __post_init__(self) -> None:
        if not 0 < self.deadline <= 86_400:
            raise InputError(f"the deadline of a batch is {self.deadline!r}, not 0 to 86,400 s")
        if self.patience is not None and self.patience < 1:
            raise InputError(f"the patience is {self.patience!r}, not a positive number of batches")
        if not self.name.isidentifier():
            raise InputError(f"the reward's name {self.name!r:.60} is not a Python name")


def rubric_reward(
    judge: Judge | JudgeConfig | None,
    *,
    store: str | Path | None = None,
    rubrics: Rubrics | None = None,
    strategy: Strategy = WEIGHTED_MEAN,
    deadline: float = 300.0,
    ask_again: bool = True,
    patience: int | None = 10,
    strip_reasoning: bool = True,
    release: bool = True,
    name: str = "rubric_reward",
) -> RubricReward:
    """Return the asynchronous reward function that ``GRPOTrainer(reward_funcs=…)`` takes.

    Args:
        judge: the judge, or its configuration; None where every criterion has a check. Of a
            configuration, a call's time limits are cut to fit the deadline.
        store: file of the completion store; all ranks may share one, and ``{rank}`` in its name
            gives each its own (where they do not share a local disk).
        rubrics: a file, a dataset's name, a mapping from prompt (or prompt id) to rubric, or
            rubrics; by default the dataset's columns ``rubric``, or ``rubrics`` and ``prompt_id``.
        strategy: how verdicts become a score.
        deadline: seconds a batch may take; rows without an answer by then are left out.
        ask_again: whether rows lost to faults of single calls are asked about once more, and take
            the low bound if they fail again while others are answered
            (`rubricbench.reward.batch`).
        patience: batches in a row that may be lost as a whole before the training is ended; None
            never ends it.
        strip_reasoning: grade what follows a leading ``<think>`` block.
        release: give a local judge's memory back after each batch, for the policy's update.
        name: the function's ``__name__``, under which trainers log it.

    Raises:
        InputError: an argument cannot be used.
    """
    settings = RewardSettings(
        deadline=deadline,
        ask_again=ask_again,
        patience=patience,
        strip_reasoning=strip_reasoning,
        release=release,
        name=name,
    )
    if isinstance(judge, JudgeConfig):
        judge = _within(judge, deadline)
    return RubricReward(JudgeHost(judge, store, strategy=strategy), RubricFinder(rubrics), settings)


def _within(config: JudgeConfig, deadline: float) -> JudgeConfig:
    """Return the judge with a call's time limits inside those of a batch; they are in no key."""
    askings = 1 + further_askings(config.retries)
    call = min(config.deadline, ASKING_SHARE * deadline / askings)
    # One attempt that hangs must not be all that a call has time for.
    attempt = min(config.timeout, call / min(2, config.retries + 1))
    return msgspec.structs.replace(config, deadline=call, timeout=attempt)


class RubricReward:
    """Grades a trainer's completions; an asynchronous function in the form TRL wants.

    It can be pickled and copied: the copy opens its own connections, on the same store.

    Args:
        host: the judge.
        finder: which rubric a row has.
        settings: how the reward is given.
    """

    def __init__(self, host: JudgeHost, finder: RubricFinder, settings: RewardSettings) -> None:
        self.host = host
        self.settings = settings
        self.__name__ = settings.name
        self._finder = finder
        self._causes: set[Cause] = set()
        self._lost_in_a_row = 0
        self._seen_trainer = False
        self._price: Any = None

    def __deepcopy__(self, memo: dict[int, Any]) -> RubricReward:
        return RubricReward(copy.deepcopy(self.host, memo), self._finder, self.settings)

    async def __call__(
        self,
        prompts: Sequence[Turns],
        completions: Sequence[Turns],
        completion_ids: Sequence[Any] | None = None,
        *,
        log_extra: Callable[[str, list[Any]], None] | None = None,
        log_metric: Callable[[str, float], None] | None = None,
        **given: Any,
    ) -> list[float | None]:
        """Return the reward of each completion; None where the service owes the verdicts.

        Args:
            prompts: texts, or conversations.
            completions: texts, or the turns that were added.
            completion_ids: not looked at.
            log_extra: takes a column for the table of completions.
            log_metric: takes a number for the log.
            given: the dataset's columns, a list each; anything else is not looked at.

        Raises:
            InputError: a row has no rubric, or one that needs a judge where there is none.
            EndpointError: the endpoint cannot be used: at the first batch, or `patience` times.
            StoreError: the store cannot be read or written.
        """
        self._meet(log_metric)
        rows = self.rows(prompts, completions, given)
        before = self.host.tally
        batch = await self.grade(rows)
        after = self.host.tally
        if log_metric:
            cost = self._cost(before.tokens, after.tokens)
            for name, value in metrics(batch, before, after, self._causes, cost).items():
                log_metric(f"rubric/{name}", value)
        if log_extra:
            for name, values in row_columns(batch).items():
                log_extra(name, values)
        return [ruling.reward for ruling in batch.rulings]

    def rows(
        self, prompts: Sequence[Turns], completions: Sequence[Turns], given: Mapping[str, Any]
    ) -> list[Row]:
        """Return the batch's rows: each response with the rubric of its prompt.

        Raises:
            InputError: a row has no rubric, or is not in a form that can be read.
        """
        if len(prompts) != len(completions):
            raise InputError(f"{len(prompts)} prompts and {len(completions)} completions")
        lists = {
            name: values
            for name, values in given.items()
            if isinstance(values, list | tuple) and len(values) == len(prompts)
        }
        return [
            self._row(i, prompt, completion, {name: values[i] for name, values in lists.items()})
            for i, (prompt, completion) in enumerate(zip(prompts, completions, strict=True))
        ]

    def _row(self, i: int, prompt: Turns, completion: Turns, columns: dict[str, Any]) -> Row:
        try:
            rubric = self._finder.find(prompt, columns)
            text = response_text(completion, strip_reasoning=self.settings.strip_reasoning)
        except SchemaError as error:
            raise error.within(f"row {i}") from None
        except InputError as error:
            where = f"row {i}, {error.where}" if error.where else f"row {i}"
            raise InputError(error.what, where=where, hint=error.hint) from None
        return Row(rubric, text)

    async def grade(self, rows: Sequence[Row]) -> Batch:
        """Grade rows, within the deadline.

        Raises:
            RubricbenchError: as on a call.
        """
        try:
            batch = await self.host.grade(
                rows, deadline=self.settings.deadline, ask_again=self.settings.ask_again
            )
            self._raise_if_hopeless(batch)
        finally:
            if self.settings.release:
                await self.host.release()
        return batch

    def close(self) -> None:
        """Close what is open; a further call opens it again."""
        self.host.close()

    def _raise_if_hopeless(self, batch: Batch) -> None:
        if self.settings.patience is None:
            return
        if not batch.rulings or batch.lost < len(batch.rulings):
            self._lost_in_a_row = 0
            return
        self._lost_in_a_row += 1
        tally = self.host.tally
        never = batch.error is not None and not (tally.calls or tally.stored)
        if never or self._lost_in_a_row >= self.settings.patience:
            raise batch.error or EndpointError(
                f"{self._lost_in_a_row} batches in a row have no reward, the last for: "
                f"{batch.rulings[0].fault or batch.rulings[0].cause}",
                where=self.host.config.url if self.host.config else None,
                hint="nothing finished is lost; mend the cause and resume from the checkpoint",
            )
        logger.warning(
            "a whole batch of %d rows is lost (%s); it trains nothing",
            len(batch.rulings),
            batch.error or batch.rulings[0].fault,
        )

    def _meet(self, log_metric: Any) -> None:
        """Look once at the trainer that calls, where it can be reached."""
        if self._seen_trainer or log_metric is None:
            return
        self._seen_trainer = True
        trainer = getattr(log_metric, "__self__", None)  # TRL passes a method of its trainer
        require_policy_asleep(trainer, self.host.config)
        others = len(getattr(trainer, "reward_funcs", ())) - 1
        if others > 0:
            logger.warning(
                "%s stands beside %d other reward functions: a row it has no reward for is not "
                "left out, but rewarded by the others alone; make them one with "
                "rubricbench.reward.combined",
                self.__name__,
                others,
            )

    def _cost(self, before: Mapping[str, int], after: Mapping[str, int]) -> float | None:
        """Return what a batch cost; None where no price is known."""
        if self._price is None:
            self._price = _price_of(self.host.config) or ()
        if not self._price:
            return None
        names = ("prompt_tokens", "completion_tokens", "cached_tokens")
        spent = [after.get(name, 0) - before.get(name, 0) for name in names]
        cost: float = self._price.cost(*spent)
        return cost


def _price_of(config: JudgeConfig | None) -> Any:
    if config is None or config.backend != "endpoint":
        return None
    from rubricbench.judging.price.prices import PriceList

    try:
        return PriceList().find(config.model)
    except RubricbenchError:
        return None
