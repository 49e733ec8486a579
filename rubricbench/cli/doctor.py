"""``rubricbench doctor``: what is installed here and what each extra enables."""

from __future__ import annotations

import click
import msgspec

from rubricbench.cli.output import Output, output_options
from rubricbench.doctor import Diagnosis, Extra, diagnose


@click.command()
@click.option(
    "--endpoint", "endpoints", multiple=True, metavar="URL", help="Ask this endpoint too."
)
@click.option("--no-devices", is_flag=True, help="Do not import torch to list devices.")
@output_options
def command(endpoints: tuple[str, ...], no_devices: bool, output: Output) -> int:
    """Show versions, devices, endpoints, and what each extra would enable.

    Exit code 1 where a core package is missing or an endpoint does not answer.
    """
    found = diagnose(endpoints, devices=not no_devices)
    output.result(msgspec.to_builtins(found), _text(found))
    return 0 if found.ok else 1


def _text(found: Diagnosis) -> str:
    lines = [
        f"rubricbench {found.rubricbench}, Python {found.python}, {found.cores} cores",
        found.platform,
        "",
        "core    " + _versions(found.core),
        *(_extra_line(extra) for extra in found.extras),
        "",
        "devices   " + (", ".join(found.devices) or "CPU only"),
        "chromium  " + (found.chromium or "not found (page tests are skipped)"),
        *(f"endpoint  {e.url}: {'ok' if e.ok else 'FAILED'}, {e.detail}" for e in found.endpoints),
    ]
    return "\n".join(lines)


def _versions(packages: dict[str, str]) -> str:
    return ", ".join(f"{name} {version or 'MISSING'}" for name, version in packages.items())


def _extra_line(extra: Extra) -> str:
    if extra.missing:
        remedy = f"pip install 'rubricbench[{extra.name}]'"
        return (
            f"{extra.name:<7} not installed ({', '.join(extra.missing)}): {extra.purpose}; {remedy}"
        )
    return f"{extra.name:<7} {_versions(extra.installed)}: {extra.purpose}"
