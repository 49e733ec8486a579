"""Planning a large run: time and memory a response, from 100,000 to 1,000,000 responses.

Each plan is a process of its own, whose highest resident memory is read when it ends: it must not
grow with the number of responses but for the eight bytes of a call's key.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

PROMPTS, CRITERIA, SMALL, LARGE = 1_000, 8, 100_000, 1_000_000
WORDS = "the patient should rinse the burn under cool running water and then cover it loosely "
PROGRAM = """
import json, resource, sys, time
from pathlib import Path
from rubricbench.judging import JudgeConfig
from rubricbench.judging.files import Job
from rubricbench.judging.files.planned import plan_files
responses, rubrics, limit = sys.argv[1:]
config = JudgeConfig(base_url="http://127.0.0.1:1/v1", model="gpt-4.1-mini")
job = Job(responses=Path(responses), rubrics=rubrics, out=Path(responses).with_name("out"),
          config=config, limit=int(limit))
start, cpu = time.perf_counter(), time.process_time()
[plan] = plan_files(job, quiet=True)
print(json.dumps({"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu,
                  "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                  "calls": plan.calls, "tokens": plan.prompt_tokens, "cost": plan.cost}))
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plan")
    rubrics, responses = folder / "rubrics.jsonl", folder / "responses.parquet"
    with rubrics.open("w") as file:
        for i in range(PROMPTS):
            criteria = [
                {"criterion": f"Statement {j} on prompt {i}: {WORDS}", "weight": 1 + j % 3}
                for j in range(CRITERIA)
            ]
            file.write(json.dumps({"prompt": f"Question {i}", "rubrics": criteria}) + "\n")
    schema = pa.schema([("prompt", pa.string()), ("response", pa.string())])
    with pq.ParquetWriter(responses, schema) as writer:
        for start in range(0, LARGE, 10_000):
            rows = range(start, start + 10_000)
            prompts = [f"Question {i % PROMPTS}" for i in rows]
            texts = [f"Response {i}. {WORDS * 12}" for i in rows]
            writer.write_table(pa.table([prompts, texts], schema=schema))
    return responses, rubrics


def _plan(files: tuple[Path, Path], limit: int) -> dict[str, float]:
    command = [sys.executable, "-c", PROGRAM, *map(str, files), str(limit)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def test_a_plan_takes_the_same_memory_for_ten_times_the_responses(benchmark, files, capsys):
    few = _plan(files, SMALL)
    many = benchmark.pedantic(_plan, args=(files, LARGE), rounds=1)
    assert (few["calls"], many["calls"]) == (SMALL, LARGE)
    with capsys.disabled():
        for n, found in ((SMALL, few), (LARGE, many)):
            print(
                f"\nplan of {n:,} responses, 1 kB each: {found['seconds']:.1f} s, "
                f"{1e6 * found['cpu'] / n:.0f} us CPU a response, {found['mib']:.0f} MiB at most",
                end="",
            )
        print(
            f"\nten times the responses take {many['mib'] / few['mib']:.2f} times the memory "
            f"(+{many['mib'] - few['mib']:.0f} MiB, of which a call's key takes "
            f"{8 * (LARGE - SMALL) / 2**20:.0f})"
        )
