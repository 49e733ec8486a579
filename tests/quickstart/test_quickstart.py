"""The quickstart on a tiny random model: the whole path in seconds, and what it leaves behind."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import rubricbench
from rubricbench.errors import InputError, RunError
from rubricbench.leaderboard import from_json
from rubricbench.quickstart import Settings, quickstart
from rubricbench.quickstart.samples import read_samples
from rubricbench.report.bootstrap import Resamples
from rubricbench.schema import Rubric
from rubricbench.scoring import score
from rubricbench.store import Store
from rubricbench.tasks import task_path

LIMIT = 6


@pytest.fixture(scope="module")
def settings(tiny_model, tmp_path_factory) -> Settings:
    out = tmp_path_factory.mktemp("runs") / "run"
    return Settings(out=out, limit=LIMIT, max_gen_toks=12, model=tiny_model, batch_size=4)


def test_the_command_of_a_run_can_be_pasted():
    command = Settings(out="my runs/a", model="it's here").command
    given = ["--limit", "40", "--max-gen-toks", "384", "--out", "my runs/a", "--model", "it's here"]
    assert shlex.split(command) == ["rubricbench", "quickstart", *given]


@pytest.fixture(scope="module")
def outcome(settings):
    return quickstart(settings, task_path())


def test_responders_bracket_the_model(outcome):
    found = {r.name: r.metrics["rubric_score"].value for r in outcome.responders}
    assert list(found) == [outcome.model, "empty", "echo", "solver"]
    assert found["solver"] == 1.0
    assert found["empty"] == 0.0
    assert {r.name: r.kind for r in outcome.responders} == {
        outcome.model: "model",
        "empty": "floor",
        "echo": "floor",
        "solver": "ceiling",
    }


def test_figures_are_those_of_scoring_the_samples_again(outcome, settings):
    rubrics = {
        r["prompt_id"]: Rubric.from_row(r) for r in rubricbench.load("verifiable", split="test")
    }
    for key, responder in zip(
        ("model", "empty", "echo", "solver"), outcome.responders, strict=True
    ):
        scored = list(read_samples(settings.out / f"samples_{key}.jsonl"))
        assert len(scored) == LIMIT
        values = [
            score(rubrics[s.audit.prompt_id], rubricbench.check_response(s.rubric, s.audit.answer))
            for s in scored
        ]
        mean = sum(v.value for v in values) / LIMIT
        metric = responder.metrics["rubric_score"]
        assert metric.value == pytest.approx(mean)
        draws = Resamples([s.audit.prompt_id for s in scored])
        tally = draws.tally(
            (s.audit.prompt_id, v.low, v.high) for s, v in zip(scored, values, strict=True)
        )
        interval = draws.mean(tally).interval
        assert (metric.low, metric.high) == (pytest.approx(interval) if interval else (None, None))


def test_model_was_cut_off_and_the_report_knows(outcome, settings):
    model = outcome.responders[0]
    ended = [s.audit.finish_reason for s in read_samples(settings.out / "samples_model.jsonl")]
    assert model.metrics["truncation"].value == ended.count("length") / LIMIT
    with Store.open(settings.out / "completions.sqlite", read_only=True) as store:
        assert store.stats().completions == LIMIT


def test_report_is_one_file_that_shows_every_responder(outcome):
    page = Path(outcome.report).read_text(encoding="utf-8")
    for responder in outcome.responders:
        assert responder.name in page
    assert "rubricbench canary" in page


def test_leaderboard_rows_are_valid_and_mark_the_brackets(outcome, settings):
    lines = (settings.out / "leaderboard.jsonl").read_bytes().splitlines()
    rows = [from_json(line) for line in lines]
    assert [row.baseline for row in rows] == [False, True, True, True]
    assert rows[0].revision == outcome.revision
    assert rows[0].dataset.rows == LIMIT
    assert rows[0].metrics["rubric_score"] == outcome.responders[0].metrics["rubric_score"]
    assert any(name.startswith("pass_rate/") for name in rows[0].metrics)


def test_nothing_of_lm_eval_reaches_the_terminal(settings, outcome, tmp_path, capfd):
    again = replace(settings, out=tmp_path / "other")
    quickstart(again, task_path())
    assert capfd.readouterr() == ("", "")
    assert "Running generate_until requests" in (tmp_path / "other" / "lm_eval.log").read_text()


def test_finished_run_is_shown_without_torch(settings, outcome):
    code = (
        "import sys; from rubricbench.quickstart import Settings, quickstart;"
        "from rubricbench.tasks import task_path;"
        f"done = quickstart(Settings(out={str(settings.out)!r}, limit={LIMIT}, max_gen_toks=12,"
        f" model={str(settings.model)!r}, batch_size=4), task_path());"
        "print(done.report, [m for m in ('torch', 'lm_eval') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{outcome.report} []"


def test_stored_generations_are_scored_again_without_torch(settings, outcome):
    """As after a kill between the last generation and the end of its stage."""
    before = (settings.out / "samples_model.jsonl").read_bytes()
    (settings.out / "samples_model.jsonl").unlink()
    code = (
        "import sys; from rubricbench.quickstart import Settings, quickstart;"
        "from rubricbench.tasks import task_path;"
        f"quickstart(Settings(out={str(settings.out)!r}, limit={LIMIT}, max_gen_toks=12,"
        f" model={str(settings.model)!r}, batch_size=4), task_path());"
        "print([m for m in ('torch', 'lm_eval') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['lm_eval']"
    assert (settings.out / "samples_model.jsonl").read_bytes() == before


def test_report_alone_is_made_again(settings, outcome):
    page = (settings.out / "report.html").read_bytes()
    (settings.out / "report.html").unlink()
    assert quickstart(settings, task_path()) == outcome
    assert (settings.out / "report.html").read_bytes() == page


def test_folder_of_another_configuration_is_refused(settings, outcome):
    other = replace(settings, limit=LIMIT + 1)
    with pytest.raises(RunError, match=r"config\.limit"):
        quickstart(other, task_path())


def test_broken_model_folder_is_one_clear_line(tiny_model, tmp_path):
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_text('{"model_type": "no_such_model"}')
    with pytest.raises(InputError, match="the model cannot be loaded") as caught:
        quickstart(Settings(out=tmp_path / "run", limit=1, model=broken), task_path())
    assert str(broken) in str(caught.value)
    assert "lm_eval.log" in str(caught.value)


def test_summary_on_disk_does_not_name_this_machine(settings, outcome):
    summary = json.loads((settings.out / "summary.json").read_text())
    assert summary["report"] == "report.html"
