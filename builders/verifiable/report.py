"""How responses of every kind score on the dataset: what the page ``docs/verifiable.md`` says.

``python -m rubricbench.builders.verifiable.report [--responses FILE] [--write]``

Real responses answer other prompts than ours, so each is scored against rubrics drawn at random:
what is seen is how far text that was not written for a rubric gets, and how families spread.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from rubricbench.builders.verifiable import VERSION
from rubricbench.builders.verifiable.dataset import SEED, SIZES, build_split, rows_hash
from rubricbench.checks import check_response
from rubricbench.draws import Draws
from rubricbench.schema import Rubric, Status
from rubricbench.scoring import score
from rubricbench.solver import solve

PAGE = Path(__file__).parents[2] / "docs" / "verifiable.md"
RUBRICS_PER_RESPONSE = 5
RESPONSES = 1_000


def value(rubric: Rubric, text: str) -> float:
    """Return the score of a response; exact checks leave nothing unknown."""
    found = score(rubric, check_response(rubric, text)).value
    assert found is not None
    return found


def gibberish(rubrics: Sequence[Rubric]) -> dict[str, Callable[[int], str]]:
    """Return responders that understand nothing: name -> text for the rubric of an index."""
    answers = [solve(rubric) for rubric in rubrics]
    words = sorted({word for answer in answers for word in answer.split()})

    def random_words(i: int) -> str:
        draws = Draws(SEED, "gibberish", str(i))
        return " ".join(draws.pick(words) for _ in range(120))

    return {
        "empty": lambda i: "",
        "one constant paragraph": lambda i: answers[0],
        "120 random words": random_words,
        "the solver's answer to another prompt": lambda i: answers[(i + 1) % len(answers)],
        "echo of the prompt": lambda i: rubrics[i].prompt.text,
        "the solver": lambda i: answers[i],
    }


def responder_table(rubrics: Sequence[Rubric]) -> str:
    """Return a table of responders: mean score, spread, and how often they score 1.0."""
    lines = ["| responder | mean | sd | scores 1.0 |", "|---|---:|---:|---:|"]
    for name, answer in gibberish(rubrics).items():
        values = [value(rubric, answer(i)) for i, rubric in enumerate(rubrics)]
        full = sum(v == 1.0 for v in values)
        mean, spread = statistics.fmean(values), statistics.pstdev(values)
        lines.append(f"| {name} | {mean:.3f} | {spread:.3f} | {full} of {len(values)} |")
    return "\n".join(lines)


def real_table(rubrics: Sequence[Rubric], responses: Sequence[str]) -> str:
    """Return how real responses to other prompts score, and the pass rate of each family."""
    values: list[float] = []
    passes: dict[str, list[bool]] = defaultdict(list)
    for i, text in enumerate(responses):
        draws = Draws(SEED, "real", str(i))
        for _ in range(RUBRICS_PER_RESPONSE):
            rubric = draws.pick(rubrics)
            verdicts = check_response(rubric, text)
            values.append(score(rubric, verdicts).value or 0.0)
            for criterion, verdict in zip(rubric.criteria, verdicts, strict=True):
                if criterion.check:
                    wanted = Status.UNMET if criterion.is_penalty else Status.MET
                    passes[criterion.check.name].append(verdict.status is wanted)
    full = sum(v == 1.0 for v in values)
    lines = [
        f"{len(values):,} scores of {len(responses):,} responses: "
        f"mean {statistics.fmean(values):.3f}, sd {statistics.pstdev(values):.3f}, "
        f"{full} of them 1.0.",
        "",
        "| family | scored | passed |",
        "|---|---:|---:|",
    ]
    for name, marks in sorted(passes.items(), key=lambda item: -statistics.fmean(item[1])):
        lines.append(f"| `{name}` | {len(marks):,} | {statistics.fmean(marks):.0%} |")
    return "\n".join(lines)


def sample(path: Path) -> list[str]:
    """Return a fixed choice of the responses of a file."""
    from rubricbench.readers import read_responses

    texts = {row.text for row in read_responses(path)}
    keyed = sorted(texts, key=lambda text: hashlib.sha256(text.encode("utf-8")).hexdigest())
    return keyed[:RESPONSES]


def page(rubrics: Sequence[Rubric], responses: Sequence[str]) -> str:
    """Return the whole page."""
    turns = sum(len(r.prompt.messages) > 1 for r in rubrics)
    families = {c.check.name for r in rubrics for c in r.criteria if c.check}
    forms = {tag for r in rubrics for c in r.criteria for tag in c.tags if tag.startswith("form:")}
    return f"""# The verifiable dataset, version {VERSION}

Prompts whose rubrics a program checks exactly. {SIZES["train"]:,} train and {SIZES["test"]:,} test
rows, generated (`rubricbench build verifiable --out DIR`); the same seed gives the same rows on
every platform. The test split has {len(forms)} kinds of task, {len(families)} check families and
{turns} multi-turn prompts. A solver finds, for every row, a response that scores exactly 1.0.

sha256 of the test rows as canonical JSON lines: `{rows_hash(rubrics)}`

## Responders on the test split

{responder_table(rubrics)}

A score below zero is possible: penalties are not clipped.

## Real responses to other prompts

Responses of 21 models from AlpacaEval, each against {RUBRICS_PER_RESPONSE} rubrics drawn at random.
They answer other prompts, so this shows what text earns that was not written for the rubric.

{real_table(rubrics, responses)}

This page is written by `python -m rubricbench.builders.verifiable.report --responses FILE --write`.
"""


def main() -> None:
    """Print the page, or write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--responses", type=Path, required=True)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    text = page(list(build_split("test", SIZES["test"])), sample(options.responses))
    if options.write:
        PAGE.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
