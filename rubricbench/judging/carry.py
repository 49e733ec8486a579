"""Verdicts taken over from the answers about earlier rubrics of the same prompt.

The store is asked what an earlier grading would have asked, level by level from the oldest rubric:
each of its criteria, or those its own predecessors had not settled. Nothing but the store is
needed, so builders that refine a rubric and users who edit one pay only for what is new.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from rubricbench.errors import InputError
from rubricbench.judging.items import Item, Outcome
from rubricbench.judging.reading import merged
from rubricbench.schema import Rubric, Status, Verdict

Known = Mapping[str, Verdict]
LookUp = Callable[[Sequence[Item], Sequence[Known]], list[Outcome]]


def carried(items: Sequence[Item], look_up: LookUp, format: str) -> list[dict[str, Verdict]]:
    """Return, for each item, the known verdicts of earlier answers, by the ids of its own criteria.

    Args:
        items: the items, with the rubrics that theirs replace.
        look_up: (items, what is known of each) -> what the store has of them.
        format: name of the answer format.

    Raises:
        InputError: an earlier rubric is of another prompt: its verdicts are about other responses.
        StoreError: the store cannot be read.
    """
    for item in items:
        _require_one_prompt(item)
    # By text: ids may have been given by hand, and weights and tags are no business of a judge.
    texts: list[dict[str, Verdict]] = [{} for _ in items]
    for level in range(max((len(item.previous) for item in items), default=0)):
        numbers = [i for i, item in enumerate(items) if level < len(item.previous)]
        earlier = [
            msgspec.structs.replace(items[i], rubric=items[i].previous[level]) for i in numbers
        ]
        settled = [
            _settled(item.rubric, texts[i]) for i, item in zip(numbers, earlier, strict=True)
        ]
        nothing: list[Known] = [{} for _ in earlier]
        # That rubric may have been judged in full, or for what was new in it.
        for known in (settled, nothing):
            for i, outcome in zip(numbers, look_up(earlier, known), strict=True):
                _learn(texts[i], outcome, format)
    return [_settled(item.rubric, known) for item, known in zip(items, texts, strict=True)]


def _require_one_prompt(item: Item) -> None:
    own = item.rubric.prompt_id
    other = next((r.prompt_id for r in item.previous if r.prompt_id != own), None)
    if other is not None:
        raise InputError(
            f"an earlier rubric is of the prompt {other}, not of {own}",
            hint="give rubrics of the same prompt",
        )


def _learn(texts: dict[str, Verdict], outcome: Outcome, format: str) -> None:
    statements = {c.id: c.criterion for c in outcome.item.rubric.criteria}
    for key, verdict in merged(outcome.answers, (), format).items():
        if verdict.status is not Status.UNKNOWN:
            texts[statements[key]] = verdict


def _settled(rubric: Rubric, texts: Known) -> dict[str, Verdict]:
    """Return the verdicts known of a rubric's criteria, under the ids they have there."""
    return {
        c.id: msgspec.structs.replace(texts[c.criterion], criterion_id=c.id)
        for c in rubric.criteria
        if c.check is None and c.criterion in texts
    }
