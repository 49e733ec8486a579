"""``rubricbench store``: inspect, verify, export and import completion stores."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from rubricbench.cli.output import Output, output_options
from rubricbench.progress import progress
from rubricbench.store import Store, StoreStats

SHOWN = 5
STORE = click.argument("store", type=click.Path(path_type=Path))
PARQUET = click.argument("parquet", type=click.Path(path_type=Path))


@click.group()
def command() -> None:
    """Inspect, export, import and verify completion stores."""


@command.command()
@STORE
@output_options
def stats(store: Path, output: Output) -> None:
    """Count completions, tokens and bytes."""
    with Store.open(store, read_only=True) as opened:
        found = opened.stats()
    output.result(msgspec.to_builtins(found), _stats_text(found))


def _stats_text(found: StoreStats) -> str:
    lines = [
        f"{found.completions:,} completions, {found.bytes:,} bytes",
        f"{found.prompt_tokens:,} prompt tokens, {found.completion_tokens:,} completion tokens",
        *(
            f"  {_shown(model) or '(no name)'}: {m.completions:,} completions, "
            f"{m.prompt_tokens:,} + {m.completion_tokens:,} tokens"
            for model, m in found.by_model.items()
        ),
    ]
    if found.first is not None and found.last is not None:
        lines.append(f"from {_when(found.first)} to {_when(found.last)}")
    return "\n".join(lines)


def _shown(name: str) -> str:
    """Return a name from an endpoint without line breaks and terminal codes."""
    return "".join(char if char.isprintable() else " " for char in name)


def _when(seconds: float) -> str:
    try:
        moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    except (OverflowError, ValueError):  # no calendar has that day
        return f"{seconds:g} s"
    return moment.isoformat(sep=" ", timespec="seconds")


@command.command()
@STORE
@output_options
def verify(store: Path, output: Output) -> int:
    """Read everything and compare it with its digests; exit code 1 if something is damaged."""
    with (
        Store.open(store, read_only=True) as opened,
        progress(opened.count(), "verifying", quiet=output.quiet) as bar,
    ):
        report = opened.verify(advance=bar.advance)
    text = f"{report.completions:,} completions, " + ("all intact" if report.ok else "NOT intact")
    text += _listed("damaged", report.damaged)
    if report.database != "ok":
        text += f"\nSQLite says: {report.database}"
    output.result({**msgspec.to_builtins(report), "ok": report.ok}, text)
    return 0 if report.ok else 1


@command.command()
@STORE
@PARQUET
@output_options
def export(store: Path, parquet: Path, output: Output) -> int:
    """Write every completion to a parquet file; exit code 1 if damaged ones were left out."""
    with (
        Store.open(store, read_only=True) as opened,
        progress(opened.count(), "exporting", quiet=output.quiet) as bar,
    ):
        report = opened.export(parquet, advance=bar.advance)
    text = f"{report.exported:,} completions in {parquet}" + _listed("left out", report.damaged)
    output.result({**msgspec.to_builtins(report), "path": str(parquet)}, text)
    return 1 if report.damaged else 0


@command.command("import")
@STORE
@PARQUET
@output_options
def import_(store: Path, parquet: Path, output: Output) -> int:
    """Add the completions of a parquet file; what is there already stays.

    Exit code 1 if damaged rows were refused.
    """
    from rubricbench.store.transfer import count_rows

    total = count_rows(parquet)  # before a store is made for a file that is none
    with Store.open(store) as opened, progress(total, "importing", quiet=output.quiet) as bar:
        report = opened.import_(parquet, advance=bar.advance)
    text = f"{report.added:,} added, {report.present:,} there already"
    text += _listed("in conflict, the first answer stays", report.conflicting)
    text += _listed("damaged, refused", report.damaged)
    output.result(msgspec.to_builtins(report), text)
    return 1 if report.damaged else 0


def _listed(label: str, keys: Sequence[str]) -> str:
    if not keys:
        return ""
    more = f" and {len(keys) - SHOWN:,} more" if len(keys) > SHOWN else ""
    return f"\n{len(keys):,} {label}: {', '.join(keys[:SHOWN])}{more}"
