"""How responses of every kind score on the dataset: what the page ``docs/verifiable.md`` says.

``python -m rubricbench.builders.verifiable.report --responses FILE [--write]``

Real responses answer other prompts than ours, so each is scored against rubrics drawn at random:
what is seen is how far text that was not written for a rubric gets, and how families spread. The
page has figures only, none of the responses' text.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from rubricbench.builders.verifiable import VERSION
from rubricbench.builders.verifiable.dataset import SEED, SIZES, build_split, rows_hash
from rubricbench.builders.verifiable.trivial import trivial_answers
from rubricbench.checks import check_response
from rubricbench.draws import Draws
from rubricbench.schema import Rubric, Verdict
from rubricbench.scoring import score
from rubricbench.solver import solve

PAGE = Path(__file__).parents[2] / "docs" / "verifiable.md"
RUBRICS_PER_RESPONSE = 5
RESPONSES = 1_000
TOPICAL = "axis:completeness"  # tag of the criteria that ask for something of the topic


def value(rubric: Rubric, text: str) -> float:
    """Return the score of a response; exact checks leave nothing unknown."""
    found = score(rubric, check_response(rubric, text)).value
    assert found is not None
    return found


def senseless(rubrics: Sequence[Rubric]) -> dict[str, Callable[[int], str]]:
    """Return responders that understand nothing: name -> text for the rubric of an index.

    The last three know the answers: they show what the right words without sense are worth.
    """
    answers = [solve(rubric) for rubric in rubrics]
    words = sorted({word for answer in answers for word in answer.split()})

    def random_words(i: int) -> str:
        draws = Draws(SEED, "gibberish", str(i))
        return " ".join(draws.pick(words) for _ in range(120))

    def shuffled(i: int) -> str:
        return " ".join(Draws(SEED, "shuffled", str(i)).shuffled(answers[i].split()))

    def trivial(name: str, i: int) -> str:
        return dict(trivial_answers(rubrics[i]))[name]

    return {
        **{name: partial(trivial, name) for name in _ALWAYS},
        "one constant paragraph": lambda i: _PARAGRAPH,
        "120 random words": random_words,
        "the solver's answer to another prompt": lambda i: answers[(i + 1) % len(answers)],
        "the words of the solver's answer, shuffled": shuffled,
        "the solver": lambda i: answers[i],
    }


# What a chatty model says whatever it is asked.
_PARAGRAPH = (
    "That is a great question! There are many things to consider here, and it is important to look "
    "at all of them. First, start with the basics and take your time. Second, practice regularly. "
    "Finally, do not hesitate to ask for help. Overall, patience is the key to success."
)
_ALWAYS = ("empty", "refusal", "echo", "echo of the last turn", "criteria")


def responder_table(rubrics: Sequence[Rubric]) -> str:
    """Return a table of responders: mean score, spread, and how often they score 1.0."""
    lines = ["| responder | mean | sd | scores 1.0 |", "|---|---:|---:|---:|"]
    for name, answer in senseless(rubrics).items():
        values = [value(rubric, answer(i)) for i, rubric in enumerate(rubrics)]
        full = sum(v == 1.0 for v in values)
        mean, spread = statistics.fmean(values), statistics.pstdev(values)
        lines.append(f"| {name} | {mean:.3f} | {spread:.3f} | {full} of {len(values)} |")
    return "\n".join(lines)


@dataclass
class Tally:
    """What real responses reach: whole scores, scores without topical criteria, marks by family."""

    values: list[float] = field(default_factory=list)
    formal: list[float] = field(default_factory=list)
    met: defaultdict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    incurred: defaultdict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))

    def add(self, rubric: Rubric, verdicts: Sequence[Verdict]) -> None:
        """Count one response against one rubric."""
        self.values.append(score(rubric, verdicts).value or 0.0)
        gained = total = 0.0
        for criterion, verdict in zip(rubric.criteria, verdicts, strict=True):
            assert criterion.check is not None
            marks = self.incurred if criterion.is_penalty else self.met
            marks[criterion.check.name].append(bool(verdict.credit))
            if TOPICAL not in criterion.tags:
                gained += criterion.weight * (verdict.credit or 0.0)
                total += max(criterion.weight, 0)
        if total:
            self.formal.append(gained / total)


def tally(rubrics: Sequence[Rubric], responses: Sequence[str]) -> Tally:
    """Score each response against rubrics drawn at random."""
    found = Tally()
    for i, text in enumerate(responses):
        draws = Draws(SEED, "real", str(i))
        for rubric in (draws.pick(rubrics) for _ in range(RUBRICS_PER_RESPONSE)):
            found.add(rubric, check_response(rubric, text))
    return found


def spread(values: Sequence[float]) -> str:
    """Describe a distribution in a line."""
    low, middle, high = statistics.quantiles(values, n=4)
    return (
        f"mean {statistics.fmean(values):.3f}, sd {statistics.pstdev(values):.3f}, quartiles "
        f"{low:.2f} / {middle:.2f} / {high:.2f}, largest {max(values):.2f}, "
        f"{sum(v == 1.0 for v in values)} of {len(values):,} at 1.0"
    )


def family_table(marks: dict[str, list[bool]], what: str, counts: Counter[str]) -> str:
    """Return a table of families by share, with how many criteria of the split they have."""
    lines = [f"| family | criteria | scored | {what} |", "|---|---:|---:|---:|"]
    for name, found in sorted(marks.items(), key=lambda item: (-statistics.fmean(item[1]), item)):
        share = statistics.fmean(found)
        lines.append(f"| `{name}` | {counts[name]:,} | {len(found):,} | {share:.1%} |")
    return "\n".join(lines)


def families(rubrics: Iterable[Rubric], *, penalties: bool) -> Counter[str]:
    """Count the criteria of each family."""
    criteria = (c for r in rubrics for c in r.criteria if c.is_penalty == penalties)
    return Counter(c.check.name for c in criteria if c.check)


def sample(path: Path) -> list[str]:
    """Return a fixed choice of the responses of a file."""
    from rubricbench.readers import read_responses

    texts = {row.text for row in read_responses(path)}
    keyed = sorted(texts, key=lambda text: hashlib.sha256(text.encode("utf-8")).hexdigest())
    return keyed[:RESPONSES]


def page(rubrics: Sequence[Rubric], responses: Sequence[str]) -> str:
    """Return the whole page."""
    turns = sum(len(r.prompt.messages) > 1 for r in rubrics)
    asked = families(rubrics, penalties=False)
    banned = families(rubrics, penalties=True)
    forms = {tag for r in rubrics for c in r.criteria for tag in c.tags if tag.startswith("form:")}
    real = tally(rubrics, responses)
    return f"""# The verifiable dataset, version {VERSION}

Prompts whose rubrics a program checks exactly. {SIZES["train"]:,} train and {SIZES["test"]:,} test
rows, generated (`rubricbench build verifiable --out DIR`); the same seed gives the same rows on
every platform. The test split has {len(forms)} kinds of task, {len(asked | banned)} check families,
{sum(asked.values()):,} criteria, {sum(banned.values()):,} penalties and {turns} multi-turn prompts.
A solver (`rubricbench.solver`) finds, for every row, a response that scores exactly 1.0.

sha256 of the test rows as canonical JSON lines: `{rows_hash(rubrics)}`

## Responders on the test split

{responder_table(rubrics)}

A score below zero is possible: penalties are not clipped. Rows that silence, a refusal, an echo, an
earlier answer of the conversation or the list of criteria would satisfy are drawn anew when the
dataset is built. Words that a prompt asks for are found in an echo of it: that is what echoes earn.

## Real responses to other prompts

{len(responses):,} responses of 21 models from AlpacaEval, each against {RUBRICS_PER_RESPONSE} test
rubrics drawn at random. They answer other prompts, so this shows what text earns that was not
written for the rubric.

- All criteria: {spread(real.values)}.
- Without the criteria that ask for something of the topic: {spread(real.formal)}.

{family_table(real.met, "met", asked)}

Penalties, which lower the score where they are incurred:

{family_table(real.incurred, "incurred", banned)}

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
