"""``rubricbench tasks``: where the lm-eval tasks are, which there are, whether they load."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from rubricbench.cli.output import Output, output_options
from rubricbench.tasks import task_names, task_path


@click.group()
def command() -> None:
    """Find, list and validate the lm-eval tasks.

    \b
    lm_eval run --include_path $(rubricbench tasks path) --tasks rubricbench_verifiable \\
        --model hf --model_args pretrained=MODEL --apply_chat_template
    """


@command.command()
@output_options
def path(output: Output) -> None:
    """Print the folder for lm-eval's --include_path."""
    folder = str(task_path())
    output.result({"path": folder}, folder)


@command.command(name="list")
@output_options
def list_tasks(output: Output) -> None:
    """Print the names of the tasks."""
    names = task_names()
    output.result({"tasks": names, "path": str(task_path())}, "\n".join(names))


@command.command()
@click.argument("folder", required=False)
@output_options
def validate(folder: str | None, output: Output) -> int:
    """Load every task of FOLDER (default: ours) and say what fails.

    Exit code 1 where a task does not load.
    """
    from rubricbench.tasks.validation import validate as load_all

    found = load_all(Path(folder) if folder else task_path())
    lines = []
    for report in found:
        state = f"ok, {report.documents} documents" if report.ok else f"FAILED, {report.error}"
        lines.append(f"{report.task or Path(report.file).name}: {state}")
        lines += [f"  warning: {line}" for line in report.warnings]
    output.result({"tasks": msgspec.to_builtins(found)}, "\n".join(lines))
    return 0 if all(report.ok for report in found) else 1
