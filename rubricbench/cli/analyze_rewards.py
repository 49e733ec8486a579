"""``rubricbench analyze rewards``: what can a reward be hacked by?"""

from __future__ import annotations

from typing import Any

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


@click.command()
@click.argument("rewards", nargs=-1, metavar="REWARD...")
@click.option(
    "--probes",
    type=click.IntRange(0),
    default=100,
    show_default=True,
    help="Prompts on which null responders and injections are put to the reward; 0 for none.",
)
@pool_options
@judge_options
@spending_options
@output_options
@click.pass_context
def rewards(context: click.Context, /, output: Output, **options: Any) -> int:
    """Say what moves a reward and not the gold reward.

    REWARD as for `rubricbench audit`. On the pool's own responses: correlation with length and
    format, high reward at low gold, claims that praise the answer. On texts made from it, which a
    judge, a model, checks or a function can be asked about (a column cannot): null responders,
    injections, appended claims. Writes rewards.json, rewards.csv and report.html.
    """
    from rubricbench.analyze.rewards import analyze_rewards
    from rubricbench.analyze.rewards_page import figures, render_rewards, sentence
    from rubricbench.analyze.written import plain, write_analysis
    from rubricbench.audit.pool import read_pool

    specs = named_rewards(context)
    pool = read_pool(options["pool"])
    setting = reward_setting(context, quiet=output.quiet)
    settings = resampling(options)
    if options["plan"]:
        from rubricbench.analyze.plan import plan_rewards

        plans = plan_rewards(
            pool, specs, setting, settings, options["probes"], plan_options(options)
        )
        show_plans(plans, output)
        return 0
    try:
        record = analyze_rewards(pool, specs, setting, settings, probed=options["probes"])
    except KeyboardInterrupt:
        output.shortfall("stopped; scores are kept: give the same command to go on")
        return 130
    groups = {reward.name: reward for reward in record.rewards}
    page = render_rewards(record)
    drawn = figures(record) if options["figures"] else []
    written = write_analysis(
        setting.out, "rewards", record, groups, page, drawn, options["figures"]
    )
    lines = [f"{reward.name}: {sentence(reward)}" for reward in record.rewards]
    lines.append(f"wrote {setting.out}/: {', '.join(written)}")
    output.result(plain(record), "\n".join(lines))
    return 0
