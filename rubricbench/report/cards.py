"""Which samples a report shows in full, and how much of each.

The page must stay small whatever the run: a few lowest, middle and highest samples, long texts cut
in the middle with a note, and a budget of bytes for all of them together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, zip_longest

from markupsafe import escape

from rubricbench.report.model import Kind, ReportData, Responder, SampleView, VerdictView
from rubricbench.report.text import Clipped, clip, visible

SHOW_ALL = 60  # up to so many samples, all are shown
FEW = 10  # size of the lowest and of the highest group then
MANY = 20  # size of each of the three groups otherwise
BUDGET = 1_500_000  # bytes of sample text in the page

RESPONSE_CHARS = 6000
TURN_CHARS = 3000
TURNS = 12
CRITERIA = 60
CRITERION_CHARS = 700
EVIDENCE_CHARS = 400
PREVIEW_CHARS = 160
TAGS = 8
CEILING_CHARS = 3000


class Group(StrEnum):
    """Where a sample stands among the subject's samples by score."""

    LOWEST = "lowest"
    MIDDLE = "middle"
    HIGHEST = "highest"


@dataclass(frozen=True)
class Turn:
    """One message of the prompt, clipped."""

    role: str
    text: Clipped


@dataclass(frozen=True)
class CriterionRow:
    """One verdict as the page shows it: texts clipped, and the tags that set it apart."""

    verdict: VerdictView
    criterion: Clipped
    evidence: Clipped
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Card:
    """One sample in full.

    Args:
        anchor: element id.
        group: which of the groups it is in.
        rank: 1 for the lowest of the lowest or the highest of the highest.
        sample: the sample.
        preview: the beginning of the last user turn, on one line.
        turns: the prompt; ``omitted_turns`` of its middle are left out.
        omitted_turns: turns not shown, after the first.
        response: the response, clipped.
        rows: the verdicts; ``omitted_rows`` at the end are left out.
        omitted_rows: verdicts not shown.
        tags: tags that all criteria share.
        failed: families with a criterion that did not pass.
        others: what the baselines got on the same prompt.
        ceiling: a response to the same prompt that was built to meet every criterion.
    """

    anchor: str
    group: Group
    rank: int
    sample: SampleView
    preview: str
    turns: tuple[Turn, ...]
    omitted_turns: int
    response: Clipped
    rows: tuple[CriterionRow, ...]
    omitted_rows: int
    tags: tuple[str, ...]
    failed: tuple[str, ...]
    others: tuple[SampleView, ...]
    ceiling: Clipped | None

    @property
    def passed(self) -> int:
        """Number of criteria that passed."""
        return sum(v.passed is True for v in self.sample.verdicts)

    @property
    def points(self) -> tuple[float, float] | None:
        """Weight earned and weight to be had; None unless their ratio is the score."""
        verdicts = self.sample.verdicts
        amounts = [v.contribution for v in verdicts if v.contribution is not None]
        value, total = self.sample.value, sum(v.weight for v in verdicts if v.weight > 0)
        if value is None or len(amounts) < len(verdicts) or abs(sum(amounts) - value) > 1e-9:
            return None
        return value * total, total

    def size(self) -> int:
        """Return about how many bytes the card takes in the page."""
        texts = [t.text for t in self.turns] + [self.response]
        texts += [text for row in self.rows for text in (row.criterion, row.evidence)]
        texts += [self.ceiling] if self.ceiling else []
        return 1500 + 500 * len(self.rows) + sum(_size(t.head) + _size(t.tail) for t in texts)


def _size(text: str) -> int:
    return len(escape(visible(text)).encode("utf-8"))


def cards(data: ReportData, subjects: Sequence[Responder]) -> tuple[Card, ...]:
    """Choose and cut the samples to be shown: lowest first, then highest, then those between."""
    names = {r.name for r in subjects}
    chosen = select([s for s in data.samples if s.responder in names])
    others = _baselines(data, names)
    built = {
        group: [_card(s, group, i + 1, others) for i, s in enumerate(samples)]
        for group, samples in chosen.items()
    }
    kept: set[str] = set()
    spent = 0
    for card in filter(None, chain.from_iterable(zip_longest(*built.values()))):
        spent += card.size()
        if kept and spent > BUDGET:
            break
        kept.add(card.anchor)
    return tuple(c for group in built.values() for c in group if c.anchor in kept)


def select(samples: Sequence[SampleView]) -> dict[Group, list[SampleView]]:
    """Split off the lowest, the highest and the middle samples; ties go by prompt id.

    A score known only within bounds stands at the middle of them.
    """
    ordered = sorted(samples, key=lambda s: (s.low + s.high, s.prompt_id, s.responder, s.response))
    n = len(ordered)
    size = min(FEW, -(-n // 3)) if n <= SHOW_ALL else MANY
    lowest, highest = ordered[:size], ordered[max(n - size, size) :][::-1]
    between = ordered[size : n - size]
    if n > SHOW_ALL:
        start = (len(between) - MANY) // 2
        between = between[start : start + MANY]
    return {Group.LOWEST: lowest, Group.HIGHEST: highest, Group.MIDDLE: between}


def _baselines(data: ReportData, subjects: set[str]) -> dict[str, list[tuple[Kind, SampleView]]]:
    """Return, per prompt, the other responders' first samples in the report's order."""
    found: dict[str, list[tuple[Kind, SampleView]]] = {}
    for responder in data.responders:
        if responder.name in subjects:
            continue
        seen: set[str] = set()
        for sample in data.samples:
            if sample.responder == responder.name and sample.prompt_id not in seen:
                seen.add(sample.prompt_id)
                found.setdefault(sample.prompt_id, []).append((responder.kind, sample))
    return found


def _card(
    sample: SampleView,
    group: Group,
    rank: int,
    baselines: Mapping[str, list[tuple[Kind, SampleView]]],
) -> Card:
    others = baselines.get(sample.prompt_id, [])
    ceiling = next((s.response for kind, s in others if kind is Kind.CEILING), None)
    turns = _turns(sample)
    shared = _shared_tags(sample.verdicts)
    return Card(
        anchor=f"{group}-{rank}",
        group=group,
        rank=rank,
        sample=sample,
        preview=_preview(sample),
        turns=turns,
        omitted_turns=len(sample.messages) - len(turns),
        response=clip(sample.response, RESPONSE_CHARS),
        rows=tuple(_row(v, shared) for v in sample.verdicts[:CRITERIA]),
        omitted_rows=max(0, len(sample.verdicts) - CRITERIA),
        tags=shared[:TAGS],
        failed=tuple(sorted({v.family for v in sample.verdicts if v.passed is False and v.family})),
        others=tuple(s for _, s in others),
        ceiling=None if ceiling is None else clip(ceiling, CEILING_CHARS),
    )


def _turns(sample: SampleView) -> tuple[Turn, ...]:
    """Return the first turn and the last ones."""
    messages = sample.messages
    if len(messages) > TURNS:
        messages = messages[:1] + messages[len(messages) - TURNS + 1 :]
    return tuple(Turn(m.role, clip(m.content, TURN_CHARS)) for m in messages)


def _shared_tags(verdicts: Sequence[VerdictView]) -> tuple[str, ...]:
    """Return the tags that say something of the prompt, not of one criterion."""
    if len(verdicts) < 2:
        return ()
    return tuple(t for t in verdicts[0].tags if all(t in v.tags for v in verdicts[1:]))


def _row(verdict: VerdictView, shared: tuple[str, ...]) -> CriterionRow:
    known = {*shared, verdict.family, f"family:{verdict.family}"}
    return CriterionRow(
        verdict,
        clip(verdict.criterion, CRITERION_CHARS),
        clip(verdict.evidence, EVIDENCE_CHARS),
        tuple(tag for tag in verdict.tags if tag not in known)[:TAGS],
    )


def _preview(sample: SampleView) -> str:
    asked: Iterable[str] = (m.content for m in reversed(sample.messages) if m.role == "user")
    line = " ".join(next(iter(asked), "")[: 4 * PREVIEW_CHARS].split())
    return line if len(line) <= PREVIEW_CHARS else line[:PREVIEW_CHARS].rstrip() + "…"
