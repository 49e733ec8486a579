"""What the judges among rewards will cost, for the pool and for the probes of it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from rubricbench.analyze.probes import probe_pool, probes
from rubricbench.audit.judge_reward import judge_jobs
from rubricbench.audit.pool import Pool
from rubricbench.audit.rewards import RewardSpec, Setting, open_reward
from rubricbench.judging.files.planned import PlanOptions, plan_files
from rubricbench.judging.price.plan import Plan
from rubricbench.overopt.settings import Settings


def plan_rewards(
    pool: Pool,
    specs: Sequence[RewardSpec],
    setting: Setting,
    settings: Settings,
    probed: int,
    options: PlanOptions,
) -> list[Plan]:
    """Return the plan of each judge: on the pool, then on its probes; nothing is sent or written.

    Args:
        pool: the pool.
        specs: the rewards; those that are no judges cost nothing.
        setting: what they need.
        settings: of the draws.
        probed: prompts to probe; 0 for none.
        options: what the plan goes by.

    Raises:
        InputError: as the run itself.
    """
    judges = [open_reward(spec, setting) for spec in specs if spec.kind == "judge"]
    pools = [pool]
    if probed:
        pools.append(probe_pool(pool, probes(pool, prompts=probed, seed=settings.seed)))
    plans = []
    with tempfile.TemporaryDirectory(prefix="rubricbench-plan-") as folder:
        for asked in pools:
            for job in judge_jobs(judges, asked, Path(folder)):
                plans += plan_files(job, options, quiet=True)
    return plans
