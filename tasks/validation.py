"""Load every task of a folder and say what failed: lm-eval itself skips a broken file silently."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from rubricbench.errors import InputError, MissingExtraError


class TaskReport(msgspec.Struct, frozen=True, kw_only=True):
    """What came of loading one task file.

    Args:
        file: its path.
        task: name of the task, or of the group; empty where it does not load.
        documents: how many it would evaluate.
        error: why it does not load; empty if it does.
        warnings: what lm-eval said meanwhile.
    """

    file: str
    task: str = ""
    documents: int = 0
    error: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """True if it loads."""
        return not self.error


def validate(folder: Path) -> list[TaskReport]:
    """Load every YAML file of a folder.

    Raises:
        MissingExtraError: lm-eval is not installed.
        InputError: there is no such folder, or no YAML file in it.
    """
    try:
        import lm_eval.tasks  # noqa: F401
    except ImportError:
        raise MissingExtraError("lm_eval", "eval") from None
    files = sorted(folder.rglob("*.yaml"))
    if not files:
        raise InputError("no task files (*.yaml)", where=str(folder))
    return [_load(file, folder) for file in files]


def _load(file: Path, folder: Path) -> TaskReport:
    from lm_eval.tasks import TaskManager

    with _warnings() as said:
        try:
            manager = TaskManager(include_path=[str(folder)], include_defaults=False)
            loaded = manager.load(str(file))
            documents = sum(len(task.eval_docs) for task in loaded["tasks"].values())
        except Exception as error:  # whatever a file or its hooks raise is the finding
            fault = " ".join(f"{type(error).__name__}: {error}".split())
            return TaskReport(file=str(file), error=fault, warnings=tuple(said))
    name = next(iter(loaded["groups"] or loaded["tasks"]))
    return TaskReport(file=str(file), task=name, documents=documents, warnings=tuple(said))


@contextmanager
def _warnings() -> Iterator[list[str]]:
    said: list[str] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(" ".join(record.getMessage().split()))

    handler, logger = Collect(logging.WARNING), logging.getLogger("lm_eval")
    logger.addHandler(handler)
    try:
        yield said
    finally:
        logger.removeHandler(handler)
