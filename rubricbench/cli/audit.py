"""``rubricbench audit``: how far any reward can be optimised, from a pool of samples with gold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rubricbench.cli.judge_options import judge_config, judge_options
from rubricbench.cli.output import Output, output_options
from rubricbench.cli.spending_options import caps, plan_options, print_plans, spending_options
from rubricbench.errors import InputError

if TYPE_CHECKING:
    from rubricbench.audit.pool import Pool, PoolSummary
    from rubricbench.audit.rewards import RewardSpec, Setting

PATH = click.Path(path_type=Path)


@click.command()
@click.argument("rewards", nargs=-1, metavar="REWARD...")
@click.option("--pool", required=True, type=PATH, help="Samples with gold, parquet or JSONL.")
@click.option("--out", type=PATH, help="Folder for scores, results and the page.")
@click.option("--rubrics", default="", help="For judge and checks: a file or a dataset.")
@click.option("--strategy", default="weighted_mean", show_default=True, help="Aggregation.")
@click.option("--store", type=PATH, help="Completion store of judges [default: in OUT].")
@click.option("--check", is_flag=True, help="Say what the pool holds and allows; score nothing.")
@click.option(
    "--unknown",
    type=click.Choice(["refuse", "drop"]),
    default="refuse",
    show_default=True,
    help="Responses without a reward or gold.",
)
@click.option(
    "--batch", type=click.IntRange(1), default=16, show_default=True, help="Responses a call."
)
@click.option("--max-length", type=click.IntRange(1), help="Tokens a model reads [default: all].")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the resampling.")
@click.option("--resamples", type=int, default=2000, show_default=True, help="Of the prompts.")
@click.option(
    "--figures",
    type=click.Choice(["svg", "png", "csv"]),
    multiple=True,
    help="Write the charts in this form too; may be given again.",
)
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
    from rubricbench.audit.rewards import parse_rewards

    specs = parse_rewards(options["rewards"])
    if not specs and not options["check"]:
        raise InputError("no reward is named", hint="see: rubricbench audit --help")
    pool = read_pool(options["pool"])
    if options["check"]:
        summary = summarise(pool)
        output.result(_plain(summary), _pool_text(summary))
        return 0
    if options["out"] is None:
        raise InputError("--out is missing", hint="name a new folder")
    setting = _setting(context, options, quiet=output.quiet)
    if options["plan"]:
        return _plan(pool, specs, setting, options, output)
    return _audit(pool, specs, setting, options, output)


def _setting(context: click.Context, options: dict[str, Any], *, quiet: bool) -> Setting:
    from rubricbench.audit.rewards import Setting

    names = ("out", "rubrics", "strategy", "store", "prices", "batch", "max_length")
    return Setting(
        **{name: options[name] for name in names},
        judge=judge_config(context),
        caps=caps(options),
        quiet=quiet,
    )


def _audit(
    pool: Pool,
    specs: list[RewardSpec],
    setting: Setting,
    options: dict[str, Any],
    output: Output,
) -> int:
    from rubricbench.audit.run import run_audit
    from rubricbench.audit.written import headlines, write_audit
    from rubricbench.overopt.settings import Settings

    names = ("seed", "resamples", "unknown")
    settings = Settings(**{name: options[name] for name in names})
    try:
        record = run_audit(pool, specs, setting, settings)
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

    judges = [spec for spec in specs if spec.kind == "judge"]
    if not judges:
        output.result({"plans": [], "calls": 0, "cost": 0}, "no reward here costs calls")
        return 0
    rewards = [open_reward(spec, setting) for spec in judges]
    with tempfile.TemporaryDirectory(prefix="rubricbench-plan-") as folder:
        plans = []
        for job in judge_jobs(rewards, pool, Path(folder)):
            plans += plan_files(job, plan_options(options), quiet=True)
    print_plans(plans, output)
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
