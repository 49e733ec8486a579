"""The price of a run over files: its first pass, and a look into the store."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.files.directory import LABEL_SECRET, STORE
from rubricbench.judging.files.inputs import Inputs
from rubricbench.judging.files.job import Job
from rubricbench.judging.items import Outcome
from rubricbench.judging.judge import Judge
from rubricbench.judging.price.plan import Measured, Plan, Planner
from rubricbench.judging.price.prices import Price, PriceList
from rubricbench.judging.price.rules import RULES, CacheRule, cache_rule
from rubricbench.judging.price.tokens import token_counter
from rubricbench.progress import progress, watched
from rubricbench.store import Store

_ANY_SECRET = b"of no run: a plan"  # labels differ from the run's, and have as many characters


class PlanOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan goes by.

    Args:
        tokenizer: a folder or a name on the Hub, where it is not under the model's name.
        prefix_cache: the provider's (`price.rules`); by default as the price file says.
    """

    tokenizer: str = ""
    prefix_cache: str = ""


def plan_files(job: Job, options: PlanOptions | None = None, *, quiet: bool = False) -> list[Plan]:
    """Return what a run will ask and cost, for each judge; nothing is spent, sent or written.

    Args:
        job: the run.
        options: what the plan goes by.
        quiet: show no progress.

    Returns:
        The plans in the order of the judges; one without calls where no judge is needed.

    Raises:
        InputError: as `grade_files`; or a price file or tokenizer cannot be used.
        StoreError: the store cannot be read.
    """
    chosen = options or PlanOptions()
    prices = PriceList(job.prices)
    inputs = Inputs(job)
    total = inputs.survey().matched
    planners = [planner_of(config, chosen, prices, total) for config in job.configs]
    with store_as_it_is(job.store or job.out / STORE) as store:
        if not planners:
            return [_without_judge(Judge(None, store).stored(inputs.items()))]
        for planner, config in zip(planners, job.configs, strict=True):
            outcomes = Judge(config, store, secret=secret_as_it_is(job.out)).stored(inputs.items())
            with progress(total, f"planning {config.name}", quiet=quiet) as bar:
                planner.add(watched(outcomes, bar.advance))
    return [planner.plan() for planner in planners]


def planner_of(config: JudgeConfig, options: PlanOptions, prices: PriceList, total: int) -> Planner:
    """Return the planner of a judge that is to grade so many responses."""
    price = prices.find(config.model)
    return Planner(
        config,
        token_counter(config.model, options.tokenizer),
        _rule(options.prefix_cache, config, price),
        price,
        total,
    )


def _rule(named: str, config: JudgeConfig, price: Price | None) -> CacheRule:
    if named:
        return cache_rule(named)
    if config.backend == "vllm":
        return RULES["vllm"]
    return (price.prefix_cache if price else None) or RULES["none"]


@contextmanager
def store_as_it_is(path: Path) -> Iterator[Store]:
    """Open a run's store for reading; an empty one where there is none yet."""
    if path.exists():
        with Store.open(path, read_only=True) as store:
            yield store
        return
    with (
        tempfile.TemporaryDirectory(prefix="rubricbench-plan-") as folder,
        Store.open(Path(folder) / "store.sqlite") as store,
    ):
        yield store


def secret_as_it_is(out: Path) -> bytes:
    """Return the secret of a run's labels; one of no run where there is none yet."""
    path = out / LABEL_SECRET
    return path.read_bytes() if path.is_file() else _ANY_SECRET


def _without_judge(outcomes: Iterator[Outcome]) -> Plan:
    plan = Plan(prefix_cache=RULES["none"], measured=Measured())
    for outcome in outcomes:
        plan.responses += 1
        plan.checked += len(outcome.item.rubric.criteria)
    return plan
