"""``rubricbench store``: inspect, verify, export and import completion stores."""

from __future__ import annotations

import datetime
from pathlib import Path

import click
import msgspec

from rubricbench.cli.output import Output, output_options
from rubricbench.store import Store, StoreStats

STORE = click.argument("store", type=click.Path(path_type=Path))


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
        *(f"  {model or '(no name)'}: {count:,}" for model, count in found.by_model.items()),
    ]
    if found.first is not None and found.last is not None:
        lines.append(f"from {_when(found.first)} to {_when(found.last)}")
    return "\n".join(lines)


def _when(seconds: float) -> str:
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.isoformat(sep=" ", timespec="seconds")


@command.command()
@STORE
@output_options
def verify(store: Path, output: Output) -> int:
    """Read everything and compare it with its digests; exit code 1 if something is damaged."""
    with Store.open(store, read_only=True) as opened:
        report = opened.verify()
    problems = [f"damaged: {key}" for key in report.damaged]
    if report.database != "ok":
        problems.append(f"SQLite says: {report.database}")
    verdict = f"{report.completions:,} completions, " + (
        "all intact" if report.ok else "NOT intact"
    )
    output.result({**msgspec.to_builtins(report), "ok": report.ok}, "\n".join([verdict, *problems]))
    return 0 if report.ok else 1


@command.command()
@STORE
@click.argument("parquet", type=click.Path(path_type=Path))
@output_options
def export(store: Path, parquet: Path, output: Output) -> None:
    """Write every completion to a parquet file."""
    from rubricbench.store.transfer import export_store

    with Store.open(store, read_only=True) as opened:
        count = export_store(opened, parquet)
    output.result({"exported": count, "path": str(parquet)}, f"{count:,} completions in {parquet}")


@command.command("import")
@STORE
@click.argument("parquet", type=click.Path(path_type=Path))
@output_options
def import_(store: Path, parquet: Path, output: Output) -> int:
    """Add the completions of a parquet file; what is there already stays.

    Exit code 1 if some were refused as damaged.
    """
    from rubricbench.store.transfer import import_store

    with Store.open(store) as opened:
        report = import_store(opened, parquet)
    text = (
        f"{report.added:,} added, {report.present:,} there already, "
        f"{len(report.conflicting):,} conflicting (the first answer stays), "
        f"{len(report.damaged):,} damaged (refused)"
    )
    output.result(msgspec.to_builtins(report), text)
    return 1 if report.damaged else 0
