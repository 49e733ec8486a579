"""``rubricbench audit``: how far any reward can be optimised, from a pool of samples with gold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rubricbench.cli.judge_options import judge_options
from rubricbench.cli.output import Output, output_options
from rubricbench.cli.reward_options import (
    named_rewards,
    pool_options,
    resampling,
    reward_setting,
    show_plans,
)
from rubricbench.cli.spending_options import plan_options, spending_options

if TYPE_CHECKING:
    from rubricbench.audit.pool import Pool, PoolSummary
    from rubricbench.audit.rewards import RewardSpec, Setting


@click.command()
@click.argument("rewards", nargs=-1, metavar="REWARD...")
@click.option("--check", is_flag=True, help="Say what the pool holds and allows; score nothing.")
@pool_options
@judge_options
@spending_options
@output_options
@click.pass_context
def command(context: click.Context, /, output: Output, **options: Any) -> int:
    """Audit rewards on a frozen pool of samples with gold, without training.

    REWARD is model:PATH (a reward model of transformers'), judge:CONFIG.yaml or judge (with
    --rubrics and the judge's options), checks (with --rubrics), python:MODULE:FUNCTION (called with
    prompts and responses), column:NAME of the pool, or column:FILE:NAME. NAME= before it names it;
    several are compared at equal KL.

    Says how gold moves as the reward is optimised by the tilt and by best-of-n, the largest safe KL
    with its interval, and how well the reward ranks the best responses. Scores are kept: a run that
    was stopped goes on. For judges, know the price first with --plan.
    """
    from rubricbench.audit.pool import read_pool, summarise

    if options["check"]:
        summary = summarise(read_pool(options["pool"]))
        output.result(_plain(summary), _pool_text(summary))
        return 0
    specs = named_rewards(context)
    pool = read_pool(options["pool"])
    setting = reward_setting(context, quiet=output.quiet)
    if options["plan"]:
        return _plan(pool, specs, setting, options, output)
    return _audit(pool, specs, setting, options, output)


def _audit(
    pool: Pool,
    specs: list[RewardSpec],
    setting: Setting,
    options: dict[str, Any],
    output: Output,
) -> int:
    from rubricbench.audit.run import run_audit
    from rubricbench.audit.written import headlines, write_audit

    try:
        record = run_audit(pool, specs, setting, resampling(options))
    except KeyboardInterrupt:
        output.shortfall("stopped; scores are kept: give the same command to go on")
        return 130
    written = write_audit(record, setting.out, options["figures"])
    lines = [*headlines(record), f"wrote {setting.out}/: {', '.join(written)}"]
    output.result(_plain(record), "\n".join(lines))
    return 0


def _plan(
    pool: Pool,
    specs: list[RewardSpec],
    setting: Setting,
    options: dict[str, Any],
    output: Output,
) -> int:
    """Print what the judges among the rewards will cost; nothing is scored or sent."""
    import tempfile

    from rubricbench.audit.judge_reward import judge_jobs
    from rubricbench.audit.rewards import open_reward
    from rubricbench.judging.files.planned import plan_files

    judges = [open_reward(spec, setting) for spec in specs if spec.kind == "judge"]
    plans = []
    with tempfile.TemporaryDirectory(prefix="rubricbench-plan-") as folder:
        for job in judge_jobs(judges, pool, Path(folder)):
            plans += plan_files(job, plan_options(options), quiet=True)
    show_plans(plans, output)
    return 0


def _plain(value: Any) -> dict[str, Any]:
    import json

    from rubricbench.audit.written import encoded

    plain: dict[str, Any] = json.loads(encoded(value))
    return plain


def _pool_text(pool: PoolSummary) -> str:
    low, high = pool.per_prompt
    each = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    lines = [
        f"{pool.path}: {pool.responses:,} responses to {pool.prompts:,} prompts, {each} a prompt, "
        f"by {len(pool.generators):,} generators; gold has {pool.gold_levels:,} values, "
        f"{pool.gold_unknown:,} unknown"
    ]
    return "\n".join([*lines, *(f"  {remark}" for remark in pool.remarks)])
