"""The task as lm-eval runs it, answered by responders whose scores can be worked out by hand."""

from __future__ import annotations

import json
import logging
import math
import shutil
import warnings
from collections import defaultdict
from statistics import fmean, stdev

import pytest
from lm_eval import simple_evaluate
from lm_eval.tasks import TaskManager

from rubricbench import checks
from rubricbench.lmeval.audit import Audit
from rubricbench.lmeval.responders import Responder, empty
from rubricbench.tasks import task_names, task_path
from rubricbench.tasks.prompts import STOPS

TASK = "rubricbench_verifiable"


@pytest.fixture
def manager(source):
    return TaskManager(
        include_path=[str(task_path())], include_defaults=False, metadata={"source": str(source)}
    )


def evaluate(manager, model, **options):
    options = {"apply_chat_template": True, "bootstrap_iters": 100, **options}
    return simple_evaluate(model, tasks=[TASK], task_manager=manager, **options)


def test_scores_are_those_worked_out_by_hand(manager, answers, scores, passed):
    found = evaluate(manager, Responder(lambda rubric: answers[rubric.prompt_id]))
    result = found["results"][TASK]
    assert result["rubric_score,exact"] == pytest.approx(fmean(scores.values()))
    assert result["pass_rate,exact"] == pytest.approx(fmean(passed.values()))
    assert result["all_met,exact"] == 1 / 4  # the third alone
    assert result["coverage,exact"] == 1.0
    assert math.isnan(result["truncation,exact"])  # a plain string does not say how it ended


def test_standard_error_is_that_of_the_mean_over_prompts(manager, answers, scores):
    found = evaluate(manager, Responder(lambda rubric: answers[rubric.prompt_id]))
    expected = stdev(scores.values()) / math.sqrt(len(scores))
    assert found["results"][TASK]["rubric_score_stderr,exact"] == pytest.approx(expected)


def test_pass_rates_are_those_of_the_checks_run_alone(manager, rubrics, answers):
    found = evaluate(manager, Responder(lambda rubric: answers[rubric.prompt_id]))
    rates = defaultdict(list)
    for rubric in rubrics:
        text = answers[rubric.prompt_id].rpartition("</think>")[2].strip()
        own = defaultdict(list)
        for criterion in rubric.criteria:
            is_met = checks.run(criterion.check, text).met
            own[criterion.check.name].append(is_met == (criterion.weight > 0))
        for family, outcomes in own.items():
            rates[family].append(fmean(outcomes))
    expected = {f"pass_rate/{family},exact": fmean(of) for family, of in rates.items()}
    result = found["results"][TASK]
    assert {key: result[key] for key in expected} == pytest.approx(expected)
    assert sum(key.startswith("pass_rate/") and "stderr" not in key for key in result) == 6


def test_empty_response_earns_nothing_and_pays_no_penalty(manager):
    result = evaluate(manager, Responder(empty))["results"][TASK]
    assert result["rubric_score,exact"] == 0.0
    assert result["response_words,exact"] == 0.0


def test_samples_carry_the_audit_trail(manager, rubrics, answers, scores):
    found = evaluate(manager, Responder(lambda rubric: answers[rubric.prompt_id]))
    samples = found["samples"][TASK]
    assert len(samples) == len(rubrics)
    for sample in samples:
        audit = Audit.from_json(sample["filtered_resps"][0][0])
        assert audit.prompt_id == sample["doc"]["prompt_id"]
        assert audit.value == sample["rubric_score"] == pytest.approx(scores[audit.prompt_id])
        assert sample["resps"][0][0] == answers[audit.prompt_id]  # the raw one, reasoning kept
        assert all(judged.evidence for judged in audit.verdicts)
        assert sample["target"].split("\n") == [v.criterion for v in audit.verdicts]


def test_chat_prompts_are_turns(manager, rubrics):
    found = evaluate(manager, Responder(empty), system_instruction="Be brief.")
    prompts = {
        s["doc"]["prompt_id"]: json.loads(s["arguments"][0][0]) for s in found["samples"][TASK]
    }
    turns = {"role": "system", "content": "Be brief."}
    assert prompts[rubrics[1].prompt_id] == [
        turns,
        {"role": "user", "content": "Hello."},
        {"role": "assistant", "content": "Hello. What now?"},
        {"role": "user", "content": "Say it quietly."},
    ]
    joined = {"role": "system", "content": "Be brief.\n\nYou are terse."}
    assert prompts[rubrics[2].prompt_id][0] == joined


def test_chat_generation_is_greedy_and_ends_on_its_own(manager):
    (sample, *_) = evaluate(manager, Responder(empty))["samples"][TASK]
    settings = sample["arguments"][0][1]
    assert settings == {
        "until": [],
        "do_sample": False,
        "temperature": 0.0,
        "max_gen_toks": 1024,
    }


def test_base_models_get_a_transcript_and_stop_at_the_next_turn(manager, rubrics):
    found = evaluate(manager, Responder(empty), apply_chat_template=False)
    arguments = {s["doc"]["prompt_id"]: s["arguments"][0] for s in found["samples"][TASK]}
    prompt, settings = arguments[rubrics[0].prompt_id]
    assert prompt == "User: Name three rivers.\n\nAssistant:"
    assert settings["until"] == list(STOPS)


def test_limit_keeps_the_keys_of_all_families(manager):
    result = evaluate(manager, Responder(empty), limit=1)["results"][TASK]
    # The first document has no such criterion, the dataset does.
    assert math.isnan(result["pass_rate/all_lowercase,exact"])


def test_chosen_samples_are_scored_under_their_own_prompt(manager, rubrics, answers, scores):
    model = Responder(lambda rubric: answers[rubric.prompt_id])
    found = evaluate(manager, model, samples={TASK: [1, 3]})
    got = {s["doc"]["prompt_id"]: s["rubric_score"] for s in found["samples"][TASK]}
    wanted = {rubrics[i].prompt_id for i in (1, 3)}
    assert got == pytest.approx({p: scores[p] for p in wanted})


def test_generations_alone_can_be_asked_for(manager, answers):
    model = Responder(lambda rubric: answers[rubric.prompt_id])
    found = evaluate(manager, model, predict_only=True)
    assert "rubric_score,exact" not in found["results"][TASK]
    got = {s["doc"]["prompt_id"]: s["resps"][0][0] for s in found["samples"][TASK]}
    assert got == answers


def test_repeated_generations_are_averaged_within_a_prompt(manager, rubrics, answers, scores):
    (task,) = manager.load([TASK])["tasks"].values()
    task.set_config("repeats", 2)
    asked: dict[str, int] = {}

    def every_other(rubric):
        asked[rubric.prompt_id] = asked.get(rubric.prompt_id, 0) + 1
        return answers[rubric.prompt_id] if asked[rubric.prompt_id] % 2 else ""

    found = simple_evaluate(
        Responder(every_other), tasks=[task], task_manager=manager, apply_chat_template=True
    )
    # Half of the responses are empty and earn nothing.
    expected = fmean(scores.values()) / 2
    assert found["results"][TASK]["rubric_score,exact"] == pytest.approx(expected)
    assert set(asked.values()) == {2}


def test_responses_made_to_even_out_ranks_are_not_scored(manager, answers):
    (task,) = manager.load([TASK])["tasks"].values()
    task.set_config("num_fewshot", 0)
    task.build_all_requests(apply_chat_template=True, chat_template=json.dumps)
    for instance in task.instances:
        instance.resps.append(answers[instance.doc["prompt_id"]])
    task.instances[-1].resps += ["padding", "padding"]
    task.apply_filters()
    assert [len(i.filtered_resps["exact"]) for i in task.instances] == [1, 1, 1, 1]


def test_task_loads_without_a_warning(source, caplog):
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error")
        manager = TaskManager(
            include_path=[str(task_path())],
            include_defaults=False,
            metadata={"source": str(source)},
        )
        manager.load(task_names())
    assert [r.getMessage() for r in caplog.records if r.name.startswith("lm_eval")] == []


def test_task_files_work_from_any_folder(tmp_path, source):
    for file in task_path().glob("*.yaml"):
        shutil.copy(file, tmp_path)
    manager = TaskManager(
        include_path=[str(tmp_path)], include_defaults=False, metadata={"source": str(source)}
    )
    assert list(manager.load(task_names())["tasks"]) == task_names()
