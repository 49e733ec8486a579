"""A judge with rubrics, or exact checks, as a reward: a run of ``rubricbench judge`` on the pool.

So it goes on where it was stopped and no answer is paid for twice. A response some of whose
verdicts are unknown has an unknown reward, never a 0.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rubricbench.audit.pool import Pool
from rubricbench.audit.rewards import Keep, Reward, RewardSpec, Scored, Setting
from rubricbench.canonical import canonical_json
from rubricbench.errors import InputError, RubricbenchError
from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.files import Job
from rubricbench.readers import RubricIndex
from rubricbench.readers.rows import read_rows
from rubricbench.runs.files import write_parquet_atomic

FOLDER = "judged"


class JudgeReward:
    """Rubrics graded by a judge, or by checks alone.

    Args:
        spec: its name and kind; the target of ``judge`` is a YAML of `JudgeConfig`, or empty.
        setting: rubrics, the options' judge, store and caps.

    Raises:
        InputError: there are no rubrics or no judge, or a file cannot be read.
    """

    def __init__(self, spec: RewardSpec, setting: Setting) -> None:
        if not setting.rubrics:
            raise InputError(f"the reward {spec.kind!r} needs rubrics", hint="name --rubrics")
        self.name = spec.name
        self.remarks: list[str] = []
        self._setting = setting
        self._config = _config(spec, setting)
        self._rubrics = RubricIndex(setting.rubrics)
        if self._config is None:
            _require_checks(self._rubrics)
        self.identity: dict[str, Any] = {
            "kind": spec.kind,
            "rubrics": _rubrics_hash(self._rubrics),
            "strategy": setting.strategy,
            "judge": _asked(self._config),
        }

    def score(self, pool: Pool, rows: Sequence[int], keep: Keep) -> None:
        """Grade the rows; what the judge owes is asked for again by the next start.

        Raises:
            InputError: no response has a rubric.
            EndpointError: the judge cannot be used; what was answered is stored.
            RubricbenchError: a cap ended the run, or the service owes verdicts.
        """
        from rubricbench.judging.files import grade_files

        job = self.job(pool)
        graded = grade_files(job, quiet=self._setting.quiet)
        places = {name: i for i, name in enumerate(pool.response_ids)}
        found = {i: Scored(None, "no rubric has its prompt") for i in rows}
        for _, row in read_rows(job.out / "scores.parquet"):
            at = places[row["response_id"]]
            value = row["value"]
            found[at] = Scored(None, "unknown verdicts") if value is None else Scored(value)
        owed = not graded.summary.complete
        # What is owed is not kept as unknown: the next start would not ask again.
        wanted = set(rows)
        keep({i: s for i, s in found.items() if i in wanted and not (owed and s.value is None)})
        if owed:
            cap = f"the cap on {graded.used_up} is used up, and " if graded.used_up else ""
            causes = "; ".join(f"{c}: {text}" for c, text in sorted(graded.faults.items()))
            raise RubricbenchError(
                f"{cap}{graded.summary.lost:,} responses are not judged in full"
                + (f" ({causes})" if causes else ""),
                where=self.name,
                hint="what was answered is kept; start again to go on",
            )

    def job(self, pool: Pool, beside: Path | None = None) -> Job:
        """Return the judging run over a pool.

        Args:
            pool: the pool; its responses are written to a file.
            beside: where to write it, for a plan; by default beside the run.
        """
        key = canonical_json([self.identity, pool.sha256])
        folder = self._setting.out / FOLDER / hashlib.sha256(key).hexdigest()[:16]
        responses = (beside or folder.parent) / f"{folder.name}.parquet"
        responses.parent.mkdir(parents=True, exist_ok=True)
        if not responses.exists():
            _write_responses(pool, responses)
        extra = {} if self._setting.caps is None else {"caps": self._setting.caps}
        return Job(
            responses=responses,
            rubrics=self._setting.rubrics,
            out=folder,
            config=self._config,
            store=self._setting.store or self._setting.out / FOLDER / "store.sqlite",
            strategy=self._setting.strategy,
            prices=self._setting.prices,
            **extra,
        )


def _config(spec: RewardSpec, setting: Setting) -> JudgeConfig | None:
    if spec.kind == "checks":
        return None
    if not spec.target:
        if setting.judge is None:
            raise InputError("no judge is named", hint="judge:CONFIG.yaml, or the judge's options")
        return setting.judge
    from rubricbench.yaml_file import read_yaml, typed

    return typed(read_yaml(spec.target), JudgeConfig, spec.target)


def _asked(config: JudgeConfig | None) -> dict[str, Any]:
    if config is None:
        return {}
    fields = ("format", "response_format", "criteria_per_call", "repair", "backend")
    how = {field: getattr(config, field) for field in fields}
    return {**config.identity(), **how, "layout": config.arrangement}


def _require_checks(rubrics: RubricIndex) -> None:
    for rubric in rubrics:
        judged = next((c for c in rubric.criteria if c.check is None), None)
        if judged is not None:
            raise InputError(
                f"the criterion {judged.criterion!r:.60} has no check",
                where=rubrics.source,
                hint="put such rubrics to a judge: judge:CONFIG.yaml",
            )


def _rubrics_hash(rubrics: RubricIndex) -> str:
    digest = hashlib.sha256()
    for name in sorted(rubric.id for rubric in rubrics):
        digest.update(name.encode("utf-8") + b"\n")
    return digest.hexdigest()


def _write_responses(pool: Pool, path: Path) -> None:
    import pyarrow as pa

    from rubricbench.tables import to_arrow

    rows = []
    for i, text in enumerate(pool.texts):
        turns = list(pool.turns[i])
        rows.append(
            {
                "prompt_id": pool.prompt_ids[i],
                "response_id": pool.response_ids[i],
                "generator": pool.generators[i],
                "text": text,
                "messages": turns or None,
            }
        )
    table = to_arrow("responses", [{k: v for k, v in r.items() if k != "messages"} for r in rows])
    if any(r["messages"] for r in rows):
        kind = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
        table = table.append_column("messages", pa.array([r["messages"] for r in rows], type=kind))
    write_parquet_atomic(path, table)


def judge_jobs(rewards: Sequence[Reward], pool: Pool, beside: Path) -> list[Job]:
    """Return the judging runs of those rewards that are judges, for a plan."""
    return [reward.job(pool, beside) for reward in rewards if isinstance(reward, JudgeReward)]
