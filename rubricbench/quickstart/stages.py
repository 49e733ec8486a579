"""The stages of a quickstart: each responder through lm-eval, then report and summary.

A finished stage is not repeated; a generation that was stored is not made again, also where its
stage was killed before the end.
"""

from __future__ import annotations

import importlib.metadata
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rubricbench
from rubricbench.canonical import content_id
from rubricbench.errors import InputError
from rubricbench.models.source import Say
from rubricbench.progress import progress
from rubricbench.quickstart.contestants import MODEL, contestants
from rubricbench.quickstart.model import ModelUnderTest, require_extras, resolve
from rubricbench.quickstart.outcome import Outcome
from rubricbench.quickstart.prompts import choose
from rubricbench.quickstart.results import OUTPUTS, read_outcome, write_results
from rubricbench.quickstart.samples import samples_file, write_samples
from rubricbench.quickstart.settings import TASK, Settings
from rubricbench.runs import RunDirectory
from rubricbench.schema import Rubric
from rubricbench.store import Store

STORE, LOG = "completions.sqlite", "lm_eval.log"
_VERSIONS = ("lm_eval", "torch", "transformers")


def _nothing(line: str) -> None:
    """Say nothing."""


def _go_on() -> None:
    """Let the work go on."""


def quickstart(
    settings: Settings,
    task_folder: Path,
    *,
    say: Say = _nothing,
    quiet: bool = True,
    check: Callable[[], None] = _go_on,
) -> Outcome:
    """Run what is not done yet and return the outcome.

    Args:
        settings: the run's choices.
        task_folder: folder of the lm-eval tasks (`rubricbench.tasks.task_path`).
        say: receives one line per step.
        quiet: show no progress.
        check: called between pieces of work; raises where it is to stop.

    Raises:
        MissingExtraError: lm-eval, torch or transformers is not installed.
        InputError: the model folder or the limit cannot be used.
        RunError: the folder holds another run, is in use, or cannot be written.
        StoreError: the store of generations cannot be used.
    """
    require_extras()
    model = resolve(settings.model, say=say)
    rubrics = [Rubric.from_row(row) for row in rubricbench.load("verifiable", split="test")]
    chosen = choose(rubrics, settings.limit, seed=settings.seed)
    with RunDirectory(
        settings.out,
        command="quickstart",
        config=_config(settings, model, chosen),
        data={"verifiable/test": content_id("d", [r.id for r in rubrics])},
        seeds=[settings.seed],
        versions={name: importlib.metadata.version(name) for name in _VERSIONS},
    ) as run:
        responders = contestants(model.name)
        asking = _Asking(run, settings, model, chosen, task_folder, quiet, check)
        for key, responder in responders.items():
            if not run.done(key):
                say(f"{responder.name}: {len(chosen)} prompts through {TASK}")
                asking.respond(key)
        if not run.done("report"):
            write_results(run, settings, model, responders)
            run.mark_done("report", OUTPUTS, inputs=map(samples_file, responders))
        return read_outcome(run)


def _config(settings: Settings, model: ModelUnderTest, chosen: Sequence[Rubric]) -> dict[str, Any]:
    return {
        "task": TASK,
        "limit": settings.limit,
        "prompts": content_id("d", [r.id for r in chosen]),
        "model": {"name": model.name, "revision": model.revision, "dtype": model.dtype},
        "chat_template": model.chat,
        "generation": settings.generation,
        # Padding decides the last bits of a computation, and with them now and then a token.
        "batch_size": settings.batch_size,
    }


@dataclass(frozen=True)
class _Asking:
    """A run's responders going through the task, one at a time."""

    run: RunDirectory
    settings: Settings
    model: ModelUnderTest
    chosen: Sequence[Rubric]
    task_folder: Path
    quiet: bool
    check: Callable[[], None]

    def respond(self, key: str) -> None:
        """Have a responder answer the prompts, and keep lm-eval's samples."""
        self.check()
        samples = self._from_model() if key == MODEL else self._from_bracket(key)
        write_samples(self.run.path(samples_file(key)), samples)
        self.run.mark_done(key, [samples_file(key)])

    def _from_bracket(self, key: str) -> list[dict[str, Any]]:
        from rubricbench.lmeval.responders import BRACKETS, Responder

        return self._evaluate(Responder(BRACKETS[key]), chat=True)

    def _from_model(self) -> list[dict[str, Any]]:
        from rubricbench.lmeval.stored import StoredModel

        terminal = sys.stderr  # as it is now: lm-eval runs with another one
        with Store.open(self.run.path(STORE)) as store:
            model = StoredModel(
                store,
                identity={"model": self.model.revision, "dtype": self.model.dtype},
                name=self.model.name,
                make=self._load_model,
                check=self.check,
                batch_size=self.settings.batch_size,
                progress=lambda tokens: progress(
                    tokens, "generating tokens", quiet=self.quiet, stream=terminal
                ),
            )
            return self._evaluate(model, chat=self.model.chat)

    def _load_model(self) -> Any:
        # Read when torch is loaded. Threads that wait by spinning cost nothing on an idle machine,
        # but where other work shares the cores they slow generation down.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        from rubricbench.lmeval.local import LocalModel

        try:
            return LocalModel(self.model.folder, dtype=self.model.dtype)
        except Exception as error:  # whatever loading raises is about the folder
            raise InputError(
                f"the model cannot be loaded: {error}",
                where=str(self.model.folder),
                hint=f"more is in {self.run.path(LOG)}",
            ) from error

    def _evaluate(self, model: Any, *, chat: bool) -> list[dict[str, Any]]:
        from rubricbench.lmeval.harness import evaluate_task

        return evaluate_task(
            model,
            TASK,
            self.task_folder,
            prompt_ids=[r.prompt_id for r in self.chosen],
            generation=self.settings.generation,
            chat=chat,
            log=self.run.path(LOG),
        )
