"""How often attacks in a response move a judge's opinion: a diagnostic.

No fence keeps a model from believing what it reads. Here a judge grades short responses that do
not meet their criteria, each with an attack added (`rubricbench.judging.attacks`) and each with
ordinary words of the same length in its place. What the attack changes is its effect::

    found = opinions(judge, cases(), attacks())
    print(table(found))

The last row is none: other ordinary words against the same ones, so it shows how much any change of
words moves this judge. Intervals are between cases, and thus wide; with a dozen families one of
twenty excludes zero by chance alone.
"""

from __future__ import annotations

import functools
import importlib.resources
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from rubricbench.certify.measure import Floats, Measure, Prompts, mean, rate
from rubricbench.judging.attacks import Attack, families
from rubricbench.judging.items import Item
from rubricbench.judging.judge import Judge, Judged
from rubricbench.schema import Criterion, Prompt, Rubric, Status, Verdict

MOST_RUN_CHARS = 600  # of an attack's run: longer ones test code, not opinions
OTHER_WORDS = "(other words)"
_EVERY = 4  # attacks for one pair of ordinary words
_WORDS = (
    "The weather had been mild all week and the market opened at the usual hour. ",
    "A small boat lay by the bridge while two painters finished the wall of the station. ",
)


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A response and criteria that it does not meet.

    Args:
        prompt: what it answers.
        response: the response.
        criteria: statements, all of them untrue of it.
    """

    prompt: str
    response: str
    criteria: tuple[str, ...]

    def rubric(self) -> Rubric:
        """Return the criteria as a rubric, each of weight 1."""
        made = tuple(Criterion(criterion=text, weight=1) for text in self.criteria)
        return Rubric(prompt=Prompt.from_text(self.prompt), criteria=made)


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """What the attacks of one family did.

    Args:
        family: its name; `OTHER_WORDS` for the comparison of ordinary words.
        attacks: how many there were.
        pairs: pairs of verdicts, with the attack and with ordinary words, both of them known.
        unknown: pairs of which one is not.
        before: share of pairs that are met with ordinary words.
        won: share of pairs that are unmet with ordinary words and met with the attack.
        lost: share that are met with ordinary words and unmet with the attack.
        net: the difference of these shares.
        shift: mean change of p_met; without a value where the judge gives none.
    """

    family: str
    attacks: int
    pairs: int
    unknown: int
    before: Measure
    won: Measure
    lost: Measure
    net: Measure
    shift: Measure


class _Pair(msgspec.Struct, frozen=True):
    case: int
    plain: Verdict
    attacked: Verdict


@functools.cache
def cases() -> tuple[Case, ...]:
    """Return short cases, written by a language model."""
    file = importlib.resources.files("rubricbench.judging.attacks") / "cases.json"
    return tuple(msgspec.json.decode(file.read_bytes(), type=list[Case]))


def ordinary(length: int, which: int = 0) -> str:
    """Return so many characters of ordinary words; ``which`` chooses among two texts."""
    words = _WORDS[which]
    return (words * (length // len(words) + 1))[:length]


def opinions(judge: Judge, cases: Sequence[Case], attacks: Sequence[Attack]) -> list[Effect]:
    """Have a judge grade all cases with all attacks; return what each family did.

    Args:
        judge: the judge; equal texts are graded once, and what its store has is not asked again.
        cases: at least two, for intervals.
        attacks: the attacks, in the order of the result's families.

    Raises:
        RubricbenchError: as `Judge.grade_all`.
    """
    names, items = zip(*_items(cases, attacks), strict=True)
    graded = judge.grade_all(items)
    pairs: dict[str, list[_Pair]] = defaultdict(list)
    for name, plain, attacked in zip(names[::2], graded[::2], graded[1::2], strict=True):
        pairs[name] += _pairs(plain, attacked)
    count = {name: sum(a.family == name for a in attacks) for name in pairs}
    count[OTHER_WORDS] = len(range(0, len(attacks), _EVERY))
    order = sorted(pairs, key=[*families(), OTHER_WORDS].index)
    return [_effect(name, count[name], pairs[name]) for name in order]


def _items(cases: Sequence[Case], attacks: Sequence[Attack]) -> Iterator[tuple[str, Item]]:
    """Yield items by family, always one with ordinary words and then the one to compare."""
    for number, case in enumerate(cases):
        rubric = case.rubric()
        for i, attack in enumerate(attacks):
            words = attack.words(case.criteria[0], most=MOST_RUN_CHARS)
            compared = [(attack.family, words)]
            if i % _EVERY == 0:
                compared.append((OTHER_WORDS, ordinary(len(words), 1)))
            for family, other in compared:
                for text in (ordinary(len(words)), other):
                    yield family, Item(rubric, attack.on(case.response, text), number)


def _pairs(plain: Judged, attacked: Judged) -> list[_Pair]:
    return [
        _Pair(plain.item.tag, before, after)
        for before, after in zip(plain.verdicts, attacked.verdicts, strict=True)
    ]


def _effect(family: str, attacks: int, pairs: Sequence[_Pair]) -> Effect:
    known = [p for p in pairs if Status.UNKNOWN not in (p.plain.status, p.attacked.status)]
    of = Prompts([str(pair.case) for pair in known])
    before = np.array([pair.plain.status is Status.MET for pair in known], dtype=bool)
    after = np.array([pair.attacked.status is Status.MET for pair in known], dtype=bool)
    return Effect(
        family=family,
        attacks=attacks,
        pairs=len(known),
        unknown=len(pairs) - len(known),
        before=rate(before, np.ones_like(before), of),
        won=rate(after & ~before, np.ones_like(before), of),
        lost=rate(before & ~after, np.ones_like(before), of),
        net=_mean(after.astype(float) - before, of),
        shift=_mean(np.array([_shift(pair) for pair in known], dtype=float), of),
    )


def _shift(pair: _Pair) -> float:
    before, after = pair.plain.p_met, pair.attacked.p_met
    return math.nan if before is None or after is None else after - before


def _mean(values: Floats, of: Prompts) -> Measure:
    """Return the mean of differences between shares; without an interval where all are equal."""
    found = mean(values, of)
    if found.low is None or found.high is None or found.low == found.high:
        return msgspec.structs.replace(found, low=None, high=None)
    low, high = max(-1.0, found.low), min(1.0, found.high)  # no difference is larger
    return msgspec.structs.replace(found, low=low, high=high)


def table(effects: Sequence[Effect]) -> str:
    """Return effects as a table for people."""
    titles = ("met before", "unmet to met", "met to unmet", "net", "change of p_met")
    lines = [f"{'family':16}{'attacks':>8}{'pairs':>7}" + "".join(f"{t:>25}" for t in titles)]
    for e in effects:
        shares = [_shown(share, ".1%") for share in (e.before, e.won, e.lost)]
        figures = [*shares, _shown(e.net, "+.1%"), _shown(e.shift, "+.3f")]
        lines.append(
            f"{e.family:16}{e.attacks:8}{e.pairs:7}" + "".join(f"{text:>25}" for text in figures)
        )
    unknown = sum(e.unknown for e in effects)
    if unknown:
        lines.append(f"{unknown:,} further pairs have an unknown verdict")
    return "\n".join(line.rstrip() for line in lines)


def _shown(measure: Measure, form: str) -> str:
    if measure.value is None:
        return "not known"
    text = f"{measure.value:{form}}"
    if measure.interval is None:
        return text
    low, high = measure.interval
    return f"{text} [{low:{form}}, {high:{form}}]"
