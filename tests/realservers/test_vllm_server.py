"""A real vLLM server: schema kept, log-probabilities sent, and prompts served from its cache.

Opt-in (``make test-vllm``): needs an environment of its own and some minutes.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest
from grading_samples import items
from prefix_accounting import SECRET, Tokens, empty_cache, grade
from servers import free_port, running

from rubricbench.judging import Judge, JudgeConfig
from rubricbench.schema import Status
from rubricbench.store import Store

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.skipif(importlib.util.find_spec("vllm") is None, reason="vLLM is not installed"),
]

ARMS = {
    "all criteria in one call, rubric first": {},
    "the same, in the paper's order": {"layout": "paper"},
    "one by one, criterion first": {"criteria_per_call": 1, "layout": "rubric_first"},
    "one by one, response first": {"criteria_per_call": 1},
}
OURS, PAPER, CRITERION_FIRST, RESPONSE_FIRST = ARMS


@pytest.fixture(scope="module")
def root(smollm2: Path, tmp_path_factory: pytest.TempPathFactory):
    port = free_port()
    options = {
        "--model": str(smollm2),
        "--served-model-name": "smollm2",
        "--max-model-len": "4096",
        "--dtype": "bfloat16",
        "--host": "127.0.0.1",
        "--port": str(port),
        "--block-size": "32",  # the smallest this server has on a CPU
        # Small models fill an answer with blanks where a schema lets them (docs/judging.md).
        "--structured-outputs-config": '{"backend": "xgrammar", "disable_any_whitespace": true}',
    }
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--enforce-eager"]
    command += [word for pair in options.items() for word in pair]
    env = {
        "VLLM_CPU_KVCACHE_SPACE": "2",
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "VLLM_SERVER_DEV_MODE": "1",  # lets the cache be emptied
        "VLLM_NO_USAGE_STATS": "1",
    }
    address = f"http://127.0.0.1:{port}"
    log = tmp_path_factory.mktemp("vllm") / "server.log"
    with running(command, f"{address}/health", log, env=env, patience=300):
        yield address


def judge(root: str, **changes) -> JudgeConfig:
    fields = {"base_url": f"{root}/v1", "model": "smollm2", "concurrency": 8, "repair": False}
    return JudgeConfig(**{**fields, "max_tokens": 512, **changes})


@pytest.mark.parametrize("form", ["json", "paper"])
def test_every_answer_has_the_form_asked_for(root, store, form):
    judged = Judge(judge(root, format=form), store, secret=SECRET).grade_all(items(2, 3))
    unknown = [v for j in judged for v in j.verdicts if v.status is Status.UNKNOWN]
    assert unknown == []


def test_the_odds_of_a_verdict_come_with_it(root, store):
    judged = Judge(judge(root, logprobs=20), store, secret=SECRET).grade_all(items(1, 3))
    verdicts = [verdict for one in judged for verdict in one.verdicts]
    assert all(v.p_met is not None and 0 <= v.p_met <= 1 for v in verdicts)
    # At temperature 0 the server takes the likelier of the two.
    for verdict in verdicts:
        if verdict.p_met != pytest.approx(0.5, abs=0.02):
            assert (verdict.p_met > 0.5) is (verdict.status is Status.MET)


def test_prompts_are_served_from_the_cache(root, smollm2, tmp_path, capsys):
    """The aim: at least 95% of the tokens that prompts share come from the server's cache."""
    transformers = pytest.importorskip("transformers")
    from rubricbench.judging.backends.tokens import ChatTokens

    tokens = ChatTokens(transformers.AutoTokenizer.from_pretrained(smollm2), "smollm2")
    arms: dict[str, Tokens] = {}
    for i, (name, changes) in enumerate(ARMS.items()):
        empty_cache(root)
        with Store.open(tmp_path / f"{i}.sqlite") as store:
            config = judge(root, **changes)
            arms[name] = grade(config, items(4, 8), store, tokens, f"{root}/metrics")
    with capsys.disabled():
        print(_table(arms))
    for name in (OURS, RESPONSE_FIRST):
        assert arms[name].cached >= 0.95 * arms[name].shareable
    assert all(arm.known == 1 for arm in arms.values())
    assert arms[OURS].computed < arms[PAPER].computed < arms[CRITERION_FIRST].computed
    assert arms[RESPONSE_FIRST].computed < arms[CRITERION_FIRST].computed


def _table(arms: dict[str, Tokens]) -> str:
    lines = [
        "",
        f"{'arm':42}{'calls':>6}{'prompt':>9}{'cached':>9}{'of shareable':>14}{'computed':>10}",
    ]
    for name, arm in arms.items():
        share = arm.cached / arm.shareable
        lines.append(
            f"{name:42}{arm.calls:6,}{arm.prompt:9,}{arm.cached:9,}{share:14.1%}{arm.computed:10,}"
        )
    ours = arms[OURS].computed
    for name in (PAPER, CRITERION_FIRST):
        lines.append(f"computed, {name} / {OURS}: {arms[name].computed / ours:.2f}")
    one_by_one = arms[CRITERION_FIRST].computed / arms[RESPONSE_FIRST].computed
    lines.append(f"computed, {CRITERION_FIRST} / {RESPONSE_FIRST}: {one_by_one:.2f}")
    return "\n".join(lines)
