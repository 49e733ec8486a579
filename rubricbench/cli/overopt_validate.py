"""``rubricbench overopt validate``: what a table allows, and what it lacks for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rubricbench.cli.output import Output, output_options

if TYPE_CHECKING:
    from rubricbench.metrics.validate import Validation


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="FILE…")
@click.option("--proxy", default="proxy", show_default=True, help="Column, in samples files.")
@click.option("--gold", default="gold", show_default=True, help="Column, in samples files.")
@output_options
def validate(paths: tuple[str, ...], proxy: str, gold: str, output: Output) -> int:
    """Say which analyses each file allows, and what is missing for each of the others.

    FILE is a table or a run folder. Exit code 0 when every file can be read, 1 when one cannot.
    """
    import msgspec

    from rubricbench.metrics.validate import validate as validated

    found = [validated(path, proxy=proxy, gold=gold) for path in paths]
    value = {"files": [msgspec.to_builtins(v) for v in found]}
    output.result(value, "\n\n".join(_text(v) for v in found))
    return 1 if any(v.fault for v in found) else 0


def _text(found: Validation) -> str:
    if found.fault:
        return f"{found.path}\n  cannot be used: {found.fault}"
    lines = [found.path, f"  {_holds(found)}"]
    lines += [f"  yes  {a.name}" for a in found.analyses if a.allowed]
    lines += [f"  no   {a.name}: needs {a.missing}" for a in found.analyses if not a.allowed]
    return "\n".join([*lines, *(f"  note: {remark}" for remark in found.remarks)])


def _holds(found: Validation) -> str:
    parts = [f"{found.layout}: {found.rows:,} rows"]
    if found.prompts:
        low, high = found.per_prompt
        each = f"{low:,}" if low == high else f"{low:,} to {high:,}"
        at = " and checkpoint" if found.steps else ""
        parts += [f"{found.prompts:,} prompts", f"{each} samples a prompt{at}"]
    if found.steps:
        parts += [f"{found.seeds} seeds an arm", f"{found.steps} checkpoints"]
    if found.arms:
        names = ", ".join(found.arms[:6]) + (", …" if len(found.arms) > 6 else "")
        parts.append(f"arms {names}")
    return ", ".join(parts)
