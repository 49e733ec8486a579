"""What a judging run found, in a few numbers: every mean with its coverage and bounds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from rubricbench.judging.agreement import PanelReport
from rubricbench.judging.judge import Judged
from rubricbench.judging.panel import Ruling
from rubricbench.judging.usage import add_tokens
from rubricbench.schema import Status, Verdict
from rubricbench.scoring import Score

MAX_SHOWN_GENERATORS = 40
MAX_NAME = 80

# What a user can do about a cause of unknown verdicts.
_REMEDIES = {
    "truncated": "raise --max-answer-tokens",
    "unparsable": "ask for the schema, or take a stronger judge",
    "overflow": "take a judge with a longer context",
}


class Means(msgspec.Struct):
    """Means over graded responses.

    Args:
        responses: how many were graded.
        scored: how many of them have a value, every verdict being known.
        mean: mean of those values; None without any.
        low: mean of the low bounds of all.
        high: mean of the high bounds of all.
        coverage: mean share of the weight whose verdict is known.
    """

    responses: int
    scored: int
    mean: float | None
    low: float
    high: float
    coverage: float

    def __str__(self) -> str:
        if self.scored == self.responses:
            return f"mean {self.mean:.4f} over {self.responses:,} responses, coverage 100%"
        mean = "mean unknown" if self.mean is None else f"mean {self.mean:.4f}"
        return (
            f"{mean} over the {self.scored:,} of {self.responses:,} responses that are fully "
            f"judged; over all between {self.low:.4f} and {self.high:.4f}, "
            f"coverage {self.coverage:.2%}"
        )


class Summary(msgspec.Struct, kw_only=True):
    """A judging run's result in short: a function of the files and the stored answers alone.

    Args:
        judge: model and revision; empty where none was needed.
        format: form of its answers; empty where none was needed.
        template_hash: of the prompts it read; empty where none was needed.
        strategy: how verdicts became scores.
        overall: means over all responses.
        by_generator: means over the responses of each generator.
        met: verdicts that are met.
        unmet: verdicts that are not.
        unknown: unknown verdicts by cause.
        lost: responses with a verdict that is unknown for the service's fault: asked again when the
            run is started again.
        without_rubric: responses left out, since no rubric is for their prompt.
        answers: distinct answers of the judge.
        tokens: token counts of those answers, readable or not, as the endpoint reported them.
        soft: verdicts with a probability from log-probabilities, of all judges.
        captured: mean share of the judge's probability that met and unmet had together where it
            gave those; None without any.
        remarks: what the answers show about the endpoint, a line each.
        panel: several judges beside each other; the rest is then what they come to.
        by_judge: means over all responses for each of them, in their order.
        spread: mean over the responses of the standard deviation of their values; None unless a
            response has two of them.
    """

    judge: str
    format: str
    template_hash: str
    strategy: str
    overall: Means
    by_generator: dict[str, Means]
    met: int
    unmet: int
    unknown: dict[str, int]
    lost: int
    without_rubric: int
    answers: int
    tokens: dict[str, int]
    soft: int = 0
    captured: float | None = None
    remarks: list[str] = []
    panel: PanelReport | None = None
    by_judge: list[Means] = []
    spread: float | None = None

    @property
    def complete(self) -> bool:
        """True if starting the run again would change nothing."""
        return not self.lost

    def text(self) -> str:
        """Return the summary for people."""
        lines = [str(self.overall)]
        if len(self.by_generator) > 1:
            lines += _generator_lines(self.by_generator)
        total = self.met + self.unmet + sum(self.unknown.values())
        lines.append(f"{total:,} verdicts: {self.met:,} met, {self.unmet:,} unmet")
        for cause, count in sorted(self.unknown.items(), key=lambda pair: (-pair[1], pair[0])):
            remedy = _REMEDIES.get(cause)
            lines.append(f"  {count:,} unknown: {cause}" + (f" ({remedy})" if remedy else ""))
        if self.captured is not None:
            lines.append(
                f"  {self.soft:,} soft verdicts: met and unmet had {self.captured:.1%} of the "
                "judge's probability on average"
            )
        if self.answers:
            counts = ", ".join(f"{n:,} {name}" for name, n in sorted(self.tokens.items()))
            lines.append(f"{self.answers:,} answers of {self.judge}: {counts or 'usage unknown'}")
        if self.panel:
            lines.append(self._panel_text(self.panel))
        return "\n".join(lines)

    def _panel_text(self, panel: PanelReport) -> str:
        means = (f"  {i}. scores: {means}" for i, means in enumerate(self.by_judge, start=1))
        spread = "unknown" if self.spread is None else f"{self.spread:.4f}"
        last = f"  standard deviation of a response's scores, on average: {spread}"
        return "\n".join((panel.text(), *means, last))


def _generator_lines(by_generator: dict[str, Means]) -> list[str]:
    shown = sorted(by_generator.items(), key=lambda pair: (-pair[1].low, pair[0]))
    lines = [f"  {_shown(name)}: {means}" for name, means in shown[:MAX_SHOWN_GENERATORS]]
    if len(shown) > MAX_SHOWN_GENERATORS:
        lines.append(f"  and {len(shown) - MAX_SHOWN_GENERATORS:,} more, in summary.json")
    return lines


def _shown(name: str) -> str:
    """Return a generator's name as a terminal may show it: names come from files."""
    printable = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name) or "(no name)"
    return printable if len(printable) <= MAX_NAME else f"{printable[:MAX_NAME]}…"


class _Sums:
    """Sums that become `Means`."""

    def __init__(self) -> None:
        self.responses = self.scored = 0
        self.value = self.low = self.high = self.coverage = 0.0

    def add(self, score: Score) -> None:
        """Count the score of a response."""
        self.responses += 1
        if score.value is not None:
            self.scored += 1
            self.value += score.value
        self.low += score.low
        self.high += score.high
        self.coverage += score.coverage

    def means(self) -> Means:
        """Return the means of what was counted."""
        n = max(1, self.responses)
        return Means(
            responses=self.responses,
            scored=self.scored,
            mean=self.value / self.scored if self.scored else None,
            low=self.low / n,
            high=self.high / n,
            coverage=self.coverage / n,
        )


class Summing:
    """Counts graded responses as they come; memory grows with generators, not with responses.

    Args:
        judges: how many judges grade each.
    """

    def __init__(self, judges: int = 1) -> None:
        self._by_judge = [_Sums() for _ in range(judges)] if judges > 1 else []
        self._spread = self._captured = 0.0
        self._spreads = self._soft = 0
        self._all = _Sums()
        self._by_generator: dict[str, _Sums] = {}
        self._statuses: dict[Status, int] = dict.fromkeys(Status, 0)
        self._unknown: dict[str, int] = {}
        self._lost = 0
        self._answers = 0
        self._tokens: dict[str, int] = {}

    def add(self, members: Sequence[Judged], generator: str, ruling: Ruling | None = None) -> None:
        """Count a graded response.

        Args:
            members: what each judge says of it.
            generator: who wrote it.
            ruling: what they come to, if they are several.
        """
        said = ruling or members[0]
        self._all.add(said.score)
        self._by_generator.setdefault(generator, _Sums()).add(said.score)
        self._count_verdicts(said.verdicts)
        self._lost += any(_is_lost(judged.verdicts) for judged in members)
        for judged in members:
            self._count_soft(judged.verdicts)
        for sums, judged in zip(self._by_judge, members, strict=False):
            sums.add(judged.score)
        if ruling and ruling.spread is not None:
            self._spread += ruling.spread
            self._spreads += 1

    def _count_soft(self, verdicts: Iterable[Verdict]) -> None:
        for verdict in verdicts:
            if verdict.captured is not None:
                self._soft += 1
                self._captured += verdict.captured

    def add_answer(self, usage: Mapping[str, int]) -> None:
        """Count an answer of the judge, once where several responses have the same one."""
        self._answers += 1
        add_tokens(self._tokens, usage)

    def _count_verdicts(self, verdicts: Iterable[Verdict]) -> None:
        for verdict in verdicts:
            self._statuses[verdict.status] += 1
            if verdict.cause:
                cause = str(verdict.cause)
                self._unknown[cause] = self._unknown.get(cause, 0) + 1

    def summary(
        self, *, judge: str, format: str, template_hash: str, strategy: str, without_rubric: int
    ) -> Summary:
        """Return the summary of what was counted (arguments: fields of `Summary`)."""
        return Summary(
            judge=judge,
            format=format,
            template_hash=template_hash,
            strategy=strategy,
            overall=self._all.means(),
            by_generator={name: s.means() for name, s in sorted(self._by_generator.items())},
            met=self._statuses[Status.MET],
            unmet=self._statuses[Status.UNMET],
            unknown=dict(sorted(self._unknown.items())),
            lost=self._lost,
            without_rubric=without_rubric,
            answers=self._answers,
            tokens=dict(sorted(self._tokens.items())),
            by_judge=[sums.means() for sums in self._by_judge],
            spread=self._spread / self._spreads if self._spreads else None,
            soft=self._soft,
            captured=self._captured / self._soft if self._soft else None,
        )


def _is_lost(verdicts: Iterable[Verdict]) -> bool:
    return any(verdict.cause and verdict.cause.is_infrastructure for verdict in verdicts)
