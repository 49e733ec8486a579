"""``rubricbench data``: show, validate and describe rubric datasets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rubricbench.cli.data_convert import convert
from rubricbench.cli.data_decontaminate import decontaminate
from rubricbench.cli.data_publish import publish
from rubricbench.cli.output import Output, output_options
from rubricbench.errors import InputError
from rubricbench.schema import Rubric

if TYPE_CHECKING:
    from rubricbench.lint import LintReport

SOURCE = click.argument("source")


@click.group()
def command() -> None:
    """Show, validate and describe rubric datasets.

    SOURCE is a parquet, JSONL or CSV file, or an embedded dataset such as verifiable or
    verifiable:test.
    """


@command.command()
@SOURCE
@click.option("--index", type=int, default=0, show_default=True, help="Which row, from 0.")
@click.option("--id", "prompt_id", help="Which prompt, by its id.")
@output_options
def show(source: str, index: int, prompt_id: str | None, output: Output) -> None:
    """Print a prompt with its rubric."""
    from rubricbench.rows import rubric_to_row

    rubric = _find(source, index, prompt_id)
    output.result(rubric_to_row(rubric), _rubric_text(rubric))


def _find(source: str, index: int, prompt_id: str | None) -> Rubric:
    from rubricbench.readers import read_rubrics

    count = 0
    for number, (_, rubric) in enumerate(read_rubrics(source)):
        if rubric.prompt_id == prompt_id or (prompt_id is None and number == index):
            return rubric
        count += 1
    wanted = f"prompt {prompt_id!r:.60}" if prompt_id else f"row {index}"
    raise InputError(f"no {wanted} among {count:,} rows", where=source)


def _rubric_text(rubric: Rubric) -> str:
    facts = [rubric.prompt_id, rubric.prompt.domain, rubric.prompt.split, rubric.version]
    lines = ["  ".join(fact for fact in facts if fact), ""]
    for message in rubric.prompt.messages:
        lines += [f"{message.role.upper()}", message.content, ""]
    lines.append(f"RUBRIC  {rubric.number_of_criteria} criteria, {rubric.total_weight} points")
    for criterion in rubric.criteria:
        how = f"  [{criterion.check.name}]" if criterion.check else ""
        lines.append(f"{criterion.weight:+4}  {criterion.criterion}{how}")
    return "\n".join(lines)


@command.command()
@SOURCE
@output_options
def validate(source: str, output: Output) -> None:
    """Read every row strictly; the first fault is named with file, line and field."""
    from rubricbench.readers import RubricIndex

    _require_checks(source)
    index = RubricIndex(source)
    result = {"source": source, "rows": len(index), "valid": True}
    output.result(result, f"{source}: {len(index):,} rubrics, all valid")


def _require_checks(source: str) -> None:
    from rubricbench.checks import complete
    from rubricbench.errors import SchemaError
    from rubricbench.readers import read_rubrics

    for line, rubric in read_rubrics(source):
        for i, criterion in enumerate(rubric.criteria):
            try:
                if criterion.check:
                    complete(criterion.check)
            except SchemaError as error:
                raise error.within(f"rubrics[{i}]").at(file=source, line=line) from None


@command.command()
@SOURCE
@output_options
def stats(source: str, output: Output) -> None:
    """Count rows, criteria, weights and check families."""
    from rubricbench.readers import read_rubrics

    found = _stats(rubric for _, rubric in read_rubrics(source))
    output.result({"source": source, **found}, _stats_text(source, found))


def _stats(rubrics: Iterable[Rubric]) -> dict[str, Any]:
    rows = turns = 0
    sizes: Counter[int] = Counter()
    weights: Counter[int | float] = Counter()
    families: Counter[str] = Counter()
    for rubric in rubrics:
        rows += 1
        turns += len(rubric.prompt.messages) > 1
        sizes[rubric.number_of_criteria] += 1
        weights.update(criterion.weight for criterion in rubric.criteria)
        families.update(c.check.name if c.check else "(judged)" for c in rubric.criteria)
    return {
        "rows": rows,
        "multi_turn": turns,
        "criteria": sum(size * n for size, n in sizes.items()),
        "criteria_per_row": {str(size): n for size, n in sorted(sizes.items())},
        "weights": {str(weight): n for weight, n in sorted(weights.items())},
        "families": dict(families.most_common()),
    }


def _stats_text(source: str, found: dict[str, Any]) -> str:
    def listed(counts: dict[str, int]) -> str:
        return ", ".join(f"{name}: {n:,}" for name, n in counts.items())

    return "\n".join(
        [
            f"{source}: {found['rows']:,} prompts ({found['multi_turn']:,} multi-turn), "
            f"{found['criteria']:,} criteria",
            f"criteria per prompt  {listed(found['criteria_per_row'])}",
            f"weights              {listed(found['weights'])}",
            f"check families       {listed(found['families'])}",
        ]
    )


@command.command()
@SOURCE
@click.option(
    "--calibration",
    "graded",
    type=click.Path(path_type=Path),
    help="Calibration responses with tiers and reference verdicts: are they ordered?",
)
@click.option("--strict", is_flag=True, help="Warnings fail, too.")
@click.option("--rules", "explain", is_flag=True, help="List the rules instead.")
@output_options
def lint(source: str, graded: Path | None, strict: bool, explain: bool, output: Output) -> int:
    """Look for what makes rubrics fail: compound, vague, double, contradictory criteria.

    Exit code 1 where there is an error (with --strict, anything).
    """
    import msgspec

    from rubricbench.lint import RULES, lint_rubrics
    from rubricbench.readers import read_rubrics

    if explain:
        lines = [f"{rule.severity.value:8} {name}: {rule.doc}" for name, rule in RULES.items()]
        rules = {name: {"severity": r.severity, "doc": r.doc} for name, r in RULES.items()}
        output.result(rules, "\n".join(lines))
        return 0
    responses = []
    if graded is not None:
        from rubricbench.lint.calibration import read_graded

        responses = read_graded(graded, source)
    _require_checks(source)
    report = lint_rubrics((rubric for _, rubric in read_rubrics(source)), responses)
    output.result(msgspec.to_builtins(report), _lint_text(source, report))
    return 1 if report.errors or (strict and report.findings) else 0


def _lint_text(source: str, report: LintReport) -> str:
    lines = [f"{f.severity.value:8} {f.prompt_id}  {f.rule}: {f.text}" for f in report.findings]
    for i, found in enumerate(report.findings):
        if found.criterion:
            lines[i] += f"\n           {found.criterion}"
    counted = ", ".join(f"{name} {number:,}" for name, number in report.rules.items())
    summary = f"{report.errors:,} errors, {len(report.findings) - report.errors:,} warnings"
    lines.append(
        f"{source}: {report.rubrics:,} rubrics, {report.criteria:,} criteria, {summary}"
        + (f" ({counted})" if counted else "")
    )
    return "\n".join(lines)


@command.command()
@click.option("--markdown", is_flag=True, help="The whole catalogue, as in docs/checks.md.")
@output_options
def checks(markdown: bool, output: Output) -> None:
    """List the check families with their parameters."""
    from rubricbench.checks import catalogue, registered

    if markdown and output.as_json:
        raise click.UsageError("--markdown and --json are two forms: choose one")
    if markdown:
        click.echo(catalogue.markdown(), nl=False)
        return
    lines = [f"{family.name}({', '.join(family.params)})" for family in registered().values()]
    output.result({"families": catalogue.as_json()}, "\n".join(lines))


command.add_command(convert)
command.add_command(decontaminate)
command.add_command(publish)
