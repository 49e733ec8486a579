"""Batch files of a large run: time and memory from 50,000 to 500,000 requests, there and back.

Each step is a process of its own, whose highest resident memory is read when it ends.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

PROMPTS, SMALL, LARGE = 1_000, 50_000, 500_000
WORDS = "the patient should rinse the burn under cool running water and then cover it loosely "
PROGRAM = """
import json, resource, sys, time
from pathlib import Path
from rubricbench.judging import JudgeConfig
from rubricbench.judging.files import Job
from rubricbench.judging.files.batched import export_batches, import_batches
step, folder, limit = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
config = JudgeConfig(base_url="http://127.0.0.1:1/v1", model="m")
job = Job(responses=folder / "responses.parquet", rubrics=str(folder / "rubrics.jsonl"),
          out=folder / f"out{limit}", config=config, limit=limit)
start = time.perf_counter()
if step == "export":
    done = export_batches(job, folder / f"batch{limit}", quiet=True).requests
else:
    graded, report = import_batches(job, [folder / f"answers{limit}.jsonl"], quiet=True)
    done = report.added
    assert graded.summary.complete
print(json.dumps({"seconds": time.perf_counter() - start, "done": done,
                  "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("batch")
    with (folder / "rubrics.jsonl").open("w") as file:
        for i in range(PROMPTS):
            criteria = [
                {"criterion": f"Statement {j} on prompt {i}: {WORDS}", "weight": 1 + j % 3}
                for j in range(3)
            ]
            file.write(json.dumps({"prompt": f"Question {i}", "rubrics": criteria}) + "\n")
    schema = pa.schema([("prompt", pa.string()), ("response", pa.string())])
    with pq.ParquetWriter(folder / "responses.parquet", schema) as writer:
        for start in range(0, LARGE, 10_000):
            rows = range(start, start + 10_000)
            prompts = [f"Question {i % PROMPTS}" for i in rows]
            texts = [f"Response {i}. {WORDS * 4}" for i in rows]
            writer.write_table(pa.table([prompts, texts], schema=schema))
    return folder


def _step(name: str, folder: Path, limit: int) -> dict[str, float]:
    command = [sys.executable, "-c", PROGRAM, name, str(folder), str(limit)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _answer(folder: Path, limit: int) -> None:
    """Write the provider's output: the last file's requests first."""
    paths = sorted((folder / f"batch{limit}").iterdir(), reverse=True)
    with (folder / f"answers{limit}.jsonl").open("w") as output:
        for path in paths:
            for line in path.open():
                request = json.loads(line)
                schema = request["body"]["response_format"]["json_schema"]["schema"]
                text = json.dumps(dict.fromkeys(schema["required"], True))
                choice = {"message": {"content": text}, "finish_reason": "stop"}
                body = {"model": "m", "choices": [choice]}
                response = {"status_code": 200, "body": body}
                output.write(
                    json.dumps({"custom_id": request["custom_id"], "response": response}) + "\n"
                )
            path.unlink()  # a large run's batches take gigabytes


def test_batches_take_the_same_memory_for_ten_times_the_requests(benchmark, folder, capsys):
    found = {}
    for limit in (SMALL, LARGE):
        found["export", limit] = _step("export", folder, limit)
        _answer(folder, limit)
        if limit == SMALL:
            found["import", limit] = _step("import", folder, limit)
        else:
            found["import", limit] = benchmark.pedantic(
                _step, args=("import", folder, limit), rounds=1
            )
        assert found["export", limit]["done"] == found["import", limit]["done"] == limit
    with capsys.disabled():
        for step in ("export", "import"):
            few, many = found[step, SMALL], found[step, LARGE]
            print(
                f"\n{step} and tables: {SMALL / few['seconds']:,.0f}/s in {few['mib']:.0f} MiB, "
                f"{LARGE / many['seconds']:,.0f}/s in {many['mib']:.0f} MiB: "
                f"{many['mib'] / few['mib']:.2f} times the memory for ten times the requests",
                end="",
            )
        print()
