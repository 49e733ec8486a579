"""``rubricbench analyze types``: what refinement changes, and what rubrics ask for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rubricbench.cli.judge_options import judge_config, judge_options
from rubricbench.cli.output import Output, output_options
from rubricbench.errors import InputError

if TYPE_CHECKING:
    from rubricbench.analyze.types.report import Settings, TypeReport
    from rubricbench.analyze.types.run import Model
    from rubricbench.judging.config import JudgeConfig

Command = TypeVar("Command", bound=Callable[..., Any])
PATH = click.Path(path_type=Path)
_OPTIONS = (
    click.option("--out", required=True, type=PATH, help="Folder for the results."),
    click.option("--types", type=int, default=20, show_default=True, help="Most types."),
    click.option(
        "--embed",
        "embedding",
        default="tfidf",
        show_default=True,
        help="tfidf (words alone), or a local model whose hidden states are averaged.",
    ),
    click.option("--seed", type=int, default=0, show_default=True, help="Of clusters and draws."),
    click.option("--store", type=PATH, help="Completion store [default: OUT/store.sqlite]."),
    judge_options,
    output_options,
)


def _type_options(command: Command) -> Command:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.group()
def types() -> None:
    """Cluster what differs between rubrics, or what their criteria test, into types.

    A model (the --judge-… options: any endpoint, or one in this process) says what differs or names
    the capabilities, and names the types. Without one the bare edits or criteria are clustered and
    named by their words: exact, but about wording rather than meaning.
    """


@types.command()
@click.option("--initial", required=True, help="Rubrics before refinement: a file or dataset.")
@click.option(
    "--refined",
    required=True,
    multiple=True,
    metavar="NAME=FILE",
    help="Rubrics after it; again for a second set to set against the first.",
)
@_type_options
@click.pass_context
def refinements(
    context: click.Context,
    /,
    initial: str,
    refined: tuple[str, ...],
    output: Output,
    **options: Any,
) -> int:
    """Types of change between initial and refined rubrics (the paper's Table 3)."""
    from rubricbench.analyze.types.run import refinement_types

    sets = {name: _rubrics(source) for name, source in _named(refined, "--refined").items()}
    first = _rubrics(initial)
    return _run(
        context, options, output, lambda how, model: refinement_types(first, sets, how, model)
    )


@types.command()
@click.option(
    "--rubrics",
    required=True,
    multiple=True,
    metavar="[NAME=]FILE",
    help="Rubrics: a file or dataset; again for a second set to set against the first.",
)
@_type_options
@click.pass_context
def capabilities(
    context: click.Context, /, rubrics: tuple[str, ...], output: Output, **options: Any
) -> int:
    """Types of capability that criteria test (the paper's Figure 5)."""
    from rubricbench.analyze.types.run import capability_types

    given = [text if "=" in text else f"{Path(text).stem}={text}" for text in rubrics]
    sets = {name: _rubrics(source) for name, source in _named(given, "--rubrics").items()}
    return _run(context, options, output, lambda how, model: capability_types(sets, how, model))


def _named(texts: tuple[str, ...] | list[str], option: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        name, mark, source = text.partition("=")
        if not (name and mark and source):
            raise InputError(f"{option} {text!r:.80}", hint="write NAME=FILE")
        if name in found:
            raise InputError(
                f"{option} names {name!r:.40} twice", hint="give each set its own name"
            )
        found[name] = source
    return found


def _rubrics(source: str) -> list[Any]:
    from rubricbench.readers import read_rubrics

    return [rubric for _, rubric in read_rubrics(source)]


def _run(
    context: click.Context,
    options: dict[str, Any],
    output: Output,
    find: Callable[[Settings, Model | None], TypeReport],
) -> int:
    import msgspec

    from rubricbench.analyze.types.files import write_types
    from rubricbench.analyze.types.report import Settings
    from rubricbench.runs import RunDirectory

    if not 1 <= options["types"] <= 1000:
        raise InputError(f"--types {options['types']}", hint="give a number from 1 to 1000")
    how = Settings(types=options["types"], embedding=options["embedding"], seed=options["seed"])
    config, out = judge_config(context), options["out"]
    with RunDirectory(out, command=f"analyze types {context.info_name}", config={}, data={}):
        if config is None:
            output.note("no model is named: the bare texts are clustered, types are named by words")
            report = find(how, None)
        else:
            report = _asked(config, options["store"] or out / "store.sqlite", how, find)
        written = ", ".join(write_types(report, out))
    output.result(msgspec.to_builtins(report), f"{_text(report)}\nwrote {out}/{written}")
    if report.without_answer:
        output.shortfall(f"{report.without_answer:,} questions have no readable answer: left out")
    return 1 if report.without_answer else 0


def _asked(
    config: JudgeConfig,
    store: Path,
    how: Settings,
    find: Callable[[Settings, Model | None], TypeReport],
) -> TypeReport:
    from rubricbench.analyze.types.run import asked_by
    from rubricbench.asking import Asker
    from rubricbench.store import Store

    with Store.open(store) as opened:
        return find(how, asked_by(lambda: Asker(config, opened), config.name))


def _text(report: TypeReport) -> str:
    arms = ", ".join(f"{name} {count:,}" for name, count in report.arms.items())
    lines = [
        f"{report.kind}: {sum(report.arms.values()):,} statements ({arms}) about "
        f"{report.prompts:,} prompts; by {report.statements_by}, put together by "
        f"{report.embedded_by}, named by {report.named_by}"
    ]
    for found in report.types:
        split = "  ".join(f"{arm} {_shown(share)}" for arm, share in found.by_arm.items())
        lines.append(f"{_shown(found.share):>22}  {found.name}{'  | ' + split if split else ''}")
    return "\n".join(lines)


def _shown(result: Any) -> str:
    if result.estimate is None:
        return "-"
    ends = f" [{result.low:.1%}, {result.high:.1%}]" if result.interval else ""
    return f"{result.estimate:.1%}{ends}"
