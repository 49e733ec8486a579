"""Provider batch files, out and in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rubricbench.cli.output import Output
from rubricbench.errors import InputError

if TYPE_CHECKING:
    from rubricbench.judging.batch import BatchExport, BatchImport
    from rubricbench.judging.files import Job

Command = TypeVar("Command", bound=Callable[..., Any])
PATH = click.Path(path_type=Path)
_OPTIONS = (
    click.option(
        "--batch-export",
        type=PATH,
        metavar="DIR",
        help="Write the calls as batch files (OpenAI JSONL) into a new folder; send nothing.",
    ),
    click.option(
        "--batch-import",
        type=PATH,
        multiple=True,
        metavar="FILE ...",
        help="Read what came of batches (files, or folders of .jsonl) into the OUT that exported "
        "them, and write the tables.",
    ),
    click.option(
        "--batch-max-requests",
        type=int,
        default=50_000,
        show_default=True,
        help="Of one batch file.",
    ),
    click.option(
        "--batch-max-megabytes",
        type=int,
        default=200,
        show_default=True,
        help="Of one batch file.",
    ),
    # The shell makes several words of out/*.jsonl; an option takes one.
    click.argument("more_outputs", nargs=-1, type=PATH, metavar=""),
)


def batch_options(command: Command) -> Command:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def outputs(options: dict[str, Any]) -> list[Path]:
    """Return the files to import; none where nothing is.

    Raises:
        InputError: options contradict each other.
    """
    chosen = [name for name in ("plan", "batch_export", "batch_import") if options[name]]
    if len(chosen) > 1:
        one, other = (f"--{name.replace('_', '-')}" for name in chosen[:2])
        raise InputError(f"{one} and {other} do not go together", hint="one after the other")
    capped = [name for name in ("max_calls", "cap_tokens", "max_cost") if options[name] is not None]
    if capped and options["batch_export"]:
        raise InputError(
            f"--{capped[0].replace('cap_', 'max_').replace('_', '-')} caps calls as they are made, "
            "and --batch-export makes none",
            hint="leave it out; --plan says what the batches will cost, --limit makes them fewer",
        )
    if options["more_outputs"] and not options["batch_import"]:
        raise InputError(
            f"unexpected argument {str(options['more_outputs'][0])!r:.100}",
            hint="see: rubricbench judge --help",
        )
    return [*options["batch_import"], *options["more_outputs"]]


def export(job: Job, options: dict[str, Any], output: Output, again: Callable[[], str]) -> int:
    """Write batch files, and say what to do with them.

    Args:
        job: the run.
        options: of the command.
        output: how to print.
        again: returns the run's own command line.

    Raises:
        RubricbenchError: as `rubricbench.judging.files.batched.export_batches`.
    """
    import msgspec

    from rubricbench.judging.batch import BatchLimits
    from rubricbench.judging.files.batched import export_batches

    limits = BatchLimits(
        requests=options["batch_max_requests"], megabytes=options["batch_max_megabytes"]
    )
    report = export_batches(
        job, options["batch_export"], limits, quiet=output.quiet, say=output.note
    )
    output.result(msgspec.to_builtins(report), export_text(report, again()))
    return 0


def export_text(report: BatchExport, again: str) -> str:
    """Return what an export did and what comes next, for people.

    Args:
        report: of the export.
        again: the run's command line.
    """
    served = ", ".join(
        f"{count:,} {what}"
        for count, what in (
            (report.stored, "answers are in the store already"),
            (report.shared, "requests are equal to others"),
        )
        if count
    )
    if not report.requests:
        return "nothing is left to export" + (f": {served}" if served else "")
    return (
        f"wrote {report.requests:,} requests ({report.bytes / 1e6:,.2f} MB) in "
        f"{len(report.files):,} files to {report.folder}" + (f"; {served}" if served else "") + "\n"
        "have them run by the provider, then import its output and error files:\n"
        f"  {again} --batch-import FILE ..."
    )


def import_text(report: BatchImport, files: Sequence[Path]) -> str:
    """Return what an import did, for people."""
    lines = [
        f"{report.lines:,} lines read from {', '.join(map(str, files[:3]))}"
        + (" …" if len(files) > 3 else "")
        + f": {report.added:,} answers are new, {report.present:,} were in the store"
    ]
    lost = sum(report.failed.values())
    if lost:
        causes = ", ".join(f"{count:,} {cause}" for cause, count in sorted(report.failed.items()))
        lines.append(f"  {lost:,} requests have no answer: {causes}")
    for count, what in (
        (report.damaged, f"lines are damaged and left out: {'; '.join(report.examples)}"),
        (report.repeated, "lines repeat a request; its first answer counts"),
        (
            report.strangers,
            "lines are about requests that this run does not make (exported by another --out?)",
        ),
        (report.missing, "answers that are needed are in none of the files"),
    ):
        if count:
            lines.append(f"  {count:,} {what}")
    return "\n".join(lines)
