"""``rubricbench certify attacks``: how often attacks in a response move a judge's opinion."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import click

from rubricbench.cli.judge_options import judge_config, judge_options
from rubricbench.cli.output import Output, output_options
from rubricbench.errors import InputError


@click.command()
@judge_options
@click.option("--cases", "most", type=click.IntRange(2, 8), default=8, help="Cases, of eight.")
@click.option("--family", "chosen", multiple=True, help="Only this kind of attack; repeatable.")
@click.option("--store", type=click.Path(path_type=Path), help="Completion store  [default: none]")
@output_options
@click.pass_context
def attacks(context: click.Context, /, output: Output, **options: Any) -> int:
    """Show how often attacks in a response move a judge's opinion.

    Eight short responses that do not meet their criteria are graded with each attack, and with
    ordinary words of the same length in its place. A diagnostic: which kinds of attack a judge
    believes, and how much of that is what any other words do to it, too.
    """
    import msgspec

    from rubricbench.certify.opinion import cases, opinions, table
    from rubricbench.judging.attacks import attacks, families
    from rubricbench.judging.judge import Judge
    from rubricbench.store import Store

    config = judge_config(context)
    if config is None:
        raise InputError("no judge is named", hint="give --judge-model, and where it runs")
    unknown = sorted(set(options["chosen"]) - set(families()))
    if unknown:
        raise InputError(
            f"no attacks of the kind {unknown[0]!r:.40}",
            hint="choose from " + ", ".join(families()),
        )
    wanted = [a for a in attacks() if not options["chosen"] or a.family in options["chosen"]]
    with tempfile.TemporaryDirectory() as scratch:
        path = options["store"] or Path(scratch) / "store.sqlite"
        with Store.open(path) as store:
            found = opinions(Judge(config, store), cases()[: options["most"]], wanted)
    output.result({"judge": config.name, "effects": msgspec.to_builtins(found)}, table(found))
    return 0
