"""A real server in CI: ``transformers serve`` with SmolLM2, beside the same model in this process.

The server passes over the schema and the log-probabilities in silence, so whatever the small model
says arrives as it is: every verdict must be one that was said, or unknown with its cause.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("uvicorn")

from grading_samples import items
from servers import free_port, running

from rubricbench.judging import Judge, JudgeConfig, Judged
from rubricbench.judging.backends.transformers import TransformersBackend
from rubricbench.judging.loops import run
from rubricbench.judging.observed import Observer
from rubricbench.schema import Status, Verdict
from rubricbench.store import Completion, Store

pytestmark = pytest.mark.slow
SECRET = b"s" * 16
ITEMS = items(1, 2)
ASKED = {"repair": False, "max_tokens": 24, "logprobs": 5, "criteria_per_call": 1}


@pytest.fixture(scope="module")
def base_url(smollm2: Path, tmp_path_factory: pytest.TempPathFactory):
    port = free_port()
    program = str(Path(sys.executable).parent / "transformers")
    command = [program, "serve", str(smollm2), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--device", "cpu", "--dtype", "float32"]
    log = tmp_path_factory.mktemp("serve") / "server.log"
    root = f"http://127.0.0.1:{port}"
    # Threads of two processes that wait for each other make both many times slower.
    with running(command, f"{root}/health", log, env={"OMP_NUM_THREADS": "1"}, patience=120):
        yield f"{root}/v1"


@pytest.fixture(scope="module")
def served(base_url, smollm2, tmp_path_factory: pytest.TempPathFactory):
    """What the server's answers come to, and the answers themselves."""
    config = JudgeConfig(base_url=base_url, model=str(smollm2), concurrency=2, **ASKED)
    with Store.open(tmp_path_factory.mktemp("served") / "store.sqlite") as store:
        judged = Judge(config, store, secret=SECRET).grade_all(ITEMS)
        return config, judged, list(store.iterate())


async def here(config: JudgeConfig, store: Store) -> dict[object, Judged]:
    backend = TransformersBackend(config, device="cpu", dtype="float32")
    async with Judge(config, store, secret=SECRET, backend=backend) as judge:
        return {judged.item.tag: judged async for judged in judge.stream(ITEMS)}


def test_everything_ends_in_a_verdict_or_is_unknown_by_its_true_cause(served):
    _, judged, answers = served
    assert len(judged) == len(ITEMS)
    assert len(answers) == 6 * len(ITEMS)  # a call for each criterion, none lost
    readable = {name for answer in answers for name in _said(answer.text)}
    for verdict in (verdict for one in judged for verdict in one.verdicts):
        if verdict.status is Status.UNKNOWN:
            assert not verdict.cause.is_infrastructure
        else:
            assert verdict.p_met is None  # no log-probabilities came
            assert readable  # somebody said it


def test_what_the_server_ignores_in_silence_is_found_out(served):
    config, judged, answers = served
    observer = Observer(config)
    for answer in answers:
        observer.saw(answer, [judged[0].item.rubric.criteria[0].id])  # read is the form alone
    remarks = " ".join(observer.remarks())
    assert "schema" in remarks


def test_the_same_model_here_says_the_same(served, smollm2, tmp_path, capsys):
    """Written freely, as at the server; and by scoring, where nothing can be unreadable."""
    _, judged, answers = served
    fields = {"model": str(smollm2), "backend": "transformers", **ASKED}
    free = JudgeConfig(**{**fields, "response_format": False})
    with Store.open(tmp_path / "free.sqlite") as store:
        run(lambda: here(free, store))
        written = {_asked(answer): answer.text for answer in store.iterate()}
    with Store.open(tmp_path / "scored.sqlite") as store:
        scored = run(lambda: here(JudgeConfig(**fields), store))
    same = sum(written[_asked(answer)] == answer.text for answer in answers)
    with capsys.disabled():
        print(_report(judged, [scored[item.tag] for item in ITEMS], same, len(answers)))
    assert same == len(answers)
    verdicts = [verdict for one in scored.values() for verdict in one.verdicts]
    assert len(verdicts) == sum(len(item.rubric.criteria) for item in ITEMS)
    assert all(v.status is not Status.UNKNOWN and v.p_met is not None for v in verdicts)


def _said(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _asked(answer: Completion) -> str:
    return json.dumps(json.loads(answer.request)["messages"])


def _report(served: list[Judged], scored: list[Judged], same: int, calls: int) -> str:
    pairs: list[tuple[Verdict, Verdict]] = [
        pair
        for left, right in zip(served, scored, strict=True)
        for pair in zip(left.verdicts, right.verdicts, strict=True)
    ]
    both = [pair for pair in pairs if all(v.status is not Status.UNKNOWN for v in pair)]
    agree = sum(left.status is right.status for left, right in both)
    causes = Counter(str(left.cause) for left, _ in pairs if left.cause)
    return "\n".join(
        (
            "",
            f"transformers serve and the same model in this process, {calls} calls:",
            f"  answers written freely, equal to the letter: {same}/{calls}",
            f"  verdicts the server's answers hold: {len(pairs) - causes.total()}/{len(pairs)}"
            f" (unknown: {dict(causes)})",
            f"  by scoring here: {sum(r.status is not Status.UNKNOWN for _, r in pairs)}"
            f"/{len(pairs)}, equal where both are known: {agree}/{len(both)}",
        )
    )
