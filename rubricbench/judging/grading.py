"""An item on its way to verdicts: which calls it takes, given what the store has.

Three steps. Where only changed criteria are to be judged, the verdicts of earlier rubrics' answers
are taken over (`rubricbench.judging.carry`). The rest becomes calls. What then could not be read is
asked about once more. Every step is a function of item and store alone, so that a run started again
takes the same ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from rubricbench.judging.book import QuestionBook
from rubricbench.judging.carry import carried
from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.items import Answer, Item, Outcome, Source
from rubricbench.judging.parse import REPAIRABLE
from rubricbench.judging.reading import merged
from rubricbench.judging.request import Question, Request, embedded
from rubricbench.schema import Rubric, Verdict
from rubricbench.store import Completion, Store


class Ask(msgspec.Struct, frozen=True):
    """One call.

    Args:
        question: what is asked.
        request: that question about one response.
    """

    question: Question
    request: Request

    def stored(self, completion: Completion) -> Answer:
        """Return the answer that the store has."""
        return Answer(self.question, self.request.key, Source.STORE, completion)

    def missing(self) -> Answer:
        """Return what stands for an answer that nobody has."""
        return Answer(self.question, self.request.key, Source.NOWHERE)


class Grading:
    """An item, the calls it takes, and what has come of them.

    Args:
        item: the item.
        asks: its calls.
        carried: verdicts taken over from earlier rubrics.
    """

    __slots__ = ("answers", "asks", "carried", "found", "item", "repaired", "waiting")

    def __init__(self, item: Item, asks: Sequence[Ask], carried: tuple[Verdict, ...] = ()) -> None:
        self.item = item
        self.asks = list(asks)
        self.answers: list[Answer | None] = [None] * len(self.asks)
        self.carried = carried
        self.waiting = 0  # calls under way or to come
        self.repaired = False
        self.found: dict[str, Verdict] | None = None  # once read, with nothing left to repair

    def extend(self, asks: Sequence[Ask]) -> range:
        """Add calls; return their numbers."""
        start = len(self.asks)
        self.asks += asks
        self.answers += [None] * len(asks)
        return range(start, len(self.asks))

    def outcome(self) -> Outcome:
        """Return the item with its answers; all of them must have come."""
        answers = tuple(answer for answer in self.answers if answer is not None)
        return Outcome(self.item, answers, self.carried, self.found)


class Grader:
    """Turns items into gradings.

    Args:
        config: the judge, or None where every criterion has a check.
        book: prepares the rubrics' questions.
        store: where earlier answers are.
    """

    def __init__(self, config: JudgeConfig | None, book: QuestionBook, store: Store) -> None:
        self._config = config
        self._book = book
        self._store = store

    def calls(self, item: Item) -> int:
        """Return how many calls an item takes, repairs and what is carried aside; 1 at least."""
        size = self._config.criteria_per_call if self._config else None
        return math.ceil(len(item.rubric.criteria) / size) if size else 1

    def groups(self, items: Iterable[Item], most: int) -> Iterator[list[Item]]:
        """Yield items in groups that take so many calls at most, or of one item.

        Calls are what takes memory: criterion by criterion, an item may be a hundred of them.
        """
        group: list[Item] = []
        calls = 0
        for item in items:
            own = self.calls(item)
            if group and calls + own > most:
                yield group
                group, calls = [], 0
            group.append(item)
            calls += own
            if calls >= most:
                yield group
                group, calls = [], 0
        if group:
            yield group

    def gradings(self, items: Sequence[Item]) -> list[Grading]:
        """Return the gradings of items, none of whose calls has been looked up.

        Raises:
            InputError: a judge is needed, and there is none.
            StoreError: the store cannot be read.
        """
        carried = self._carried(items)
        return [self._grading(item, known) for item, known in zip(items, carried, strict=True)]

    def repairs(self, grading: Grading) -> list[Ask]:
        """Return the calls about criteria whose answer could not be read: none the second time.

        All of its calls must have come to an end. Each is repaired apart, by its own answer alone:
        whether another one came must not change what is asked, or it would be paid for again.
        """
        if grading.repaired or self._config is None or not self._config.repair:
            return []
        grading.repaired = True
        answers = (answer for answer in grading.answers if answer is not None)
        found = merged(answers, grading.carried, self._config.format)
        broken = {key for key, verdict in found.items() if verdict.cause in REPAIRABLE}
        if not broken:
            grading.found = found
            return []
        return [
            again
            for ask in grading.asks
            if (own := broken.intersection(ask.question.criterion_ids))
            for again in self._asks_about(grading.item, own)
        ]

    def _asks_about(self, item: Item, broken: set[str]) -> list[Ask]:
        others = {c.id for c in item.rubric.criteria if c.id not in broken}
        return self._asks(item.rubric, item.response, others, repair=True)

    def _grading(self, item: Item, known: Mapping[str, Verdict]) -> Grading:
        return Grading(
            item, self._asks(item.rubric, item.response, set(known)), tuple(known.values())
        )

    def _asks(
        self, rubric: Rubric, response: str, leave_out: set[str], *, repair: bool = False
    ) -> list[Ask]:
        questions = self._book.questions(rubric, leave_out, repair=repair)
        if not questions:
            return []
        text = embedded(response)
        return [Ask(question, question.request_for(text)) for question in questions]

    def _carried(self, items: Sequence[Item]) -> list[dict[str, Verdict]]:
        if self._config is None or self._config.rejudge != "changed":
            return [{} for _ in items]
        known = carried(items, self._looked_up, self._config.format)
        return self._or_whole(items, known)

    def _or_whole(
        self, items: Sequence[Item], known: Sequence[dict[str, Verdict]]
    ) -> list[dict[str, Verdict]]:
        """Return what is carried; nothing where the store has an item's answers without that alone.

        Such an item was judged before the earlier rubric's answers were there.
        """
        keys = {
            i: (self._keys(item, set(known[i])), self._keys(item, set()))
            for i, item in enumerate(items)
            if known[i]
        }
        wanted = {key for rest, whole in keys.values() for key in rest | whole}
        found = self._store.get_many(list(wanted)).keys() if wanted else set()
        whole = {i for i, (rest, whole) in keys.items() if not rest <= found and whole <= found}
        return [{} if i in whole else k for i, k in enumerate(known)]

    def _keys(self, item: Item, leave_out: set[str]) -> set[str]:
        return {ask.request.key for ask in self._asks(item.rubric, item.response, leave_out)}

    def looked_up(self, items: Sequence[Item]) -> list[Outcome]:
        """Return what the store has of items; no call is made.

        Raises:
            InputError: a judge is needed, and there is none.
            StoreError: the store cannot be read.
        """
        return self._looked_up(items, self._carried(items))

    def _looked_up(
        self, items: Sequence[Item], known: Sequence[Mapping[str, Verdict]]
    ) -> list[Outcome]:
        gradings = [self._grading(item, k) for item, k in zip(items, known, strict=True)]
        self._fill(gradings)
        again = [g for g in gradings if g.extend(self.repairs(g))]
        self._fill(again)
        return [grading.outcome() for grading in gradings]

    def _fill(self, gradings: Sequence[Grading]) -> None:
        """Look up all answers that gradings are still without."""
        keys = [
            ask.request.key
            for grading in gradings
            for ask, answer in zip(grading.asks, grading.answers, strict=True)
            if answer is None
        ]
        found = self._store.get_many(keys) if keys else {}
        for grading in gradings:
            for i, ask in enumerate(grading.asks):
                if grading.answers[i] is None:
                    completion = found.get(ask.request.key)
                    grading.answers[i] = ask.stored(completion) if completion else ask.missing()
