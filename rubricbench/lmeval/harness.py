"""One model, one task, chosen prompts through lm-eval; what lm-eval has to say goes to a log."""

from __future__ import annotations

import contextlib
import io
import logging
import sys
import warnings
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from rubricbench.errors import InputError
from rubricbench.runs.files import explained


def evaluate_task(
    model: Any,
    task: str,
    folder: Path,
    *,
    prompt_ids: Collection[str],
    generation: Mapping[str, Any],
    chat: bool,
    log: Path,
) -> list[dict[str, Any]]:
    """Evaluate a model on some prompts of a task and return lm-eval's samples.

    Args:
        model: an `lm_eval.api.model.LM`.
        task: name of the task.
        folder: where its YAML file is.
        prompt_ids: the prompts to ask.
        generation: settings that replace those of the task.
        chat: whether to apply the chat template.
        log: file that lm-eval's logging, warnings and prints are appended to.

    Raises:
        InputError: the task does not have one of the prompts.
    """
    with logged(log):
        from lm_eval.evaluator import evaluate
        from lm_eval.tasks import TaskManager

        manager = TaskManager(include_path=[str(folder)], include_defaults=False)
        loaded = manager.load([task])
        (task_object,) = loaded["tasks"].values()
        task_object.set_config("generation_kwargs", dict(generation), update=True)
        results = evaluate(
            model,
            loaded,
            samples={task: _rows(task_object, prompt_ids)},
            apply_chat_template=chat,
            log_samples=True,
        )
    samples: list[dict[str, Any]] = results["samples"][task]
    return samples


def _rows(task: Any, prompt_ids: Collection[str]) -> list[int]:
    wanted = set(prompt_ids)
    rows = [i for i, prompt_id in enumerate(task.eval_docs["prompt_id"]) if prompt_id in wanted]
    if len(rows) != len(wanted):
        raise InputError(f"the task has only {len(rows)} of the {len(wanted)} prompts asked for")
    return rows


class _Switch(io.TextIOBase):
    """A stream that can be pointed elsewhere: libraries keep the one they find when imported."""

    def __init__(self, target: TextIO) -> None:
        self.target = target

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):  # a full disk must not end a run for its log's sake
            self.target.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self.target.flush()


@contextlib.contextmanager
def _appended(path: Path) -> Iterator[TextIO]:
    with explained(path, "open the log"):
        file = path.open("a", encoding="utf-8", errors="backslashreplace")
    try:
        yield file
    finally:
        with contextlib.suppress(OSError):  # closing writes what is left
            file.close()


@contextlib.contextmanager
def logged(path: Path) -> Iterator[None]:
    """Send standard output, standard error, logging of lm-eval and warnings to a file."""
    logger = logging.getLogger("lm_eval")
    with _appended(path) as file:
        handler = logging.StreamHandler(file)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        out, err = _Switch(file), _Switch(file)
        logger.addHandler(handler)
        before = logger.propagate, logger.level
        logger.propagate = False
        logger.setLevel(logging.INFO)
        try:
            with (
                contextlib.redirect_stdout(out),
                contextlib.redirect_stderr(err),
                warnings.catch_warnings(),
            ):
                yield
        finally:
            logger.removeHandler(handler)
            logger.propagate = before[0]
            logger.setLevel(before[1])
            out.target, err.target = sys.stdout, sys.stderr
