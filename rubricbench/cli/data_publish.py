"""``rubricbench data publish``: a folder of tables to the Hub, as one verified commit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rubricbench.cli.output import Output, output_options

if TYPE_CHECKING:
    from rubricbench.publish.compare import Changes
    from rubricbench.publish.push import Published


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--repo", required=True, help="ORG/NAME on the Hub; made if it is not there.")
@click.option("--dry-run", is_flag=True, help="Say what would change; send nothing.")
@click.option("--pr", is_flag=True, help="Open a pull request instead of committing.")
@click.option("--private", is_flag=True, help="Make the repository private, if it is made.")
@click.option("--tag", default="", help="Tag of this version, such as v1.0.0.")
@click.option("--license", "license_", default="cc-by-4.0", show_default=True, help="SPDX name.")
@click.option("--default", default="", help="Config that loads where none is named.")
@click.option("--yes", is_flag=True, help="Change splits that are published already.")
@output_options
def publish(
    folder: Path,
    repo: str,
    dry_run: bool,
    pr: bool,
    private: bool,
    tag: str,
    license_: str,
    default: str,
    yes: bool,
    output: Output,
) -> None:
    """Publish FOLDER/CONFIG/SPLIT.parquet with a card, as one commit that is read back.

    A text FOLDER/ABOUT.md goes into the card. The token is that of `hf auth login` or HF_TOKEN.
    Published again, nothing is done. Splits that are published already change only with --yes, or
    where you say so when asked.
    """
    from rubricbench.publish import Target, read_package
    from rubricbench.publish import publish as send

    target = Target(repo, private=private, tag=tag, pull_request=pr, license=license_)
    package = read_package(folder, default=default)

    def agree(changes: Changes) -> bool:
        if yes or not _can_ask(output):
            return yes
        click.echo(changes.text(), err=True)
        return click.confirm("Change what is published?", err=True)

    found = send(package, target, dry_run=dry_run, agree=agree, say=output.note)
    output.result(_document(found, repo), _text(found, repo, dry_run=dry_run))


def _can_ask(output: Output) -> bool:
    import sys

    return sys.stdin.isatty() and not output.as_json and not output.quiet


def _document(found: Published, repo: str) -> dict[str, object]:
    changes = found.changes
    return {
        "repo": repo,
        "added": changes.added,
        "changed": changes.changed,
        "removed": changes.removed,
        "commit": found.commit,
        "url": found.url,
        "verified": found.verified,
    }


def _text(found: Published, repo: str, *, dry_run: bool) -> str:
    if not found.changes:
        return f"{repo}: nothing to do, it holds these files" + (
            f" ({found.verified} compared)" if found.verified else ""
        )
    if dry_run:
        return f"{repo} would change:\n{found.changes.text()}"
    return f"{found.changes.text()}\n{found.url}\n{found.verified} files downloaded and found equal"
