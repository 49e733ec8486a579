"""What came of batches, into the store: the same path as the answer of a call."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from rubricbench.judging.batch.ids import custom_id
from rubricbench.judging.batch.index import OutputIndex
from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.faults import Failure
from rubricbench.judging.items import Answer, Outcome
from rubricbench.judging.received import to_store
from rubricbench.judging.wire import ChatAnswer
from rubricbench.readers.seen import SeenIds
from rubricbench.store import Store


class BatchImport(msgspec.Struct):
    """What an import found and did.

    Args:
        lines: read from the files.
        damaged: lines that could not be read; each loses itself alone.
        examples: where the first few of those stand.
        repeated: lines about a request that an earlier line is about.
        strangers: lines about requests this run does not make.
        added: answers that are new in the store.
        present: lines' answers that the store had already.
        failed: requests that the provider has no answer to, by cause.
        faults: an example for each cause.
        missing: answers still needed that no file says anything about.
    """

    lines: int = 0
    damaged: int = 0
    examples: list[str] = []
    repeated: int = 0
    strangers: int = 0
    added: int = 0
    present: int = 0
    failed: dict[str, int] = {}
    faults: dict[str, str] = {}
    missing: int = 0


class Importer:
    """Puts a batch's answers into the store.

    Args:
        index: the output files.
        store: where to.
        note: told of each request without an answer: its key and why.
    """

    def __init__(
        self,
        index: OutputIndex,
        store: Store,
        note: Callable[[str, Failure], object] = lambda key, failure: None,
    ) -> None:
        self._index = index
        self._store = store
        self._note = note
        self._present = SeenIds()
        self._added, self._lost = SeenIds(), SeenIds()
        self._report = BatchImport(
            lines=len(index) + index.damaged,
            damaged=index.damaged,
            examples=index.examples,
            repeated=index.repeated,
        )

    def take(self, outcomes: Callable[[], Iterable[Outcome]], config: JudgeConfig) -> None:
        """Put what the files answer of these items into the store.

        Args:
            outcomes: returns, each time anew, what the store has of each item (`Judge.stored`).

        Raises:
            StoreError: the store cannot be written.
        """
        again = True
        while again:  # an answer may make a repair needed, which the files may answer too
            added = self._pass(outcomes(), config)
            again = bool(added and config.repair and self._index.strangers)

    def _pass(self, outcomes: Iterable[Outcome], config: JudgeConfig) -> int:
        added, seen = 0, SeenIds()
        for outcome in outcomes:
            for answer in outcome.answers:
                if answer.completion is not None:
                    self._count_present(answer)
                elif not seen.add(answer.key):
                    added += self._take(answer, outcome.item.response, config)
        self._store.flush()
        return added

    def _count_present(self, answer: Answer) -> None:
        key = answer.key
        if self._index.has(_name(answer)) and key not in self._added and not self._present.add(key):
            self._report.present += 1

    def _take(self, answer: Answer, response: str, config: JudgeConfig) -> bool:
        failure: Failure | None = None
        for line in self._index.lines(_name(answer)):
            result = line.result(config)
            if isinstance(result, ChatAnswer):
                self._put(answer, response, result, config)
                return True
            failure = failure or result
        if not self._lost.add(answer.key):
            self._count_lost(answer.key, failure)
        return False

    def _put(self, answer: Answer, response: str, given: ChatAnswer, config: JudgeConfig) -> None:
        question = answer.question
        request = question.request(response)
        self._store.put(
            to_store(given, request, question.labels, format=config.format, url=config.url)
        )
        self._added.add(answer.key)
        self._report.added += 1

    def _count_lost(self, key: str, failure: Failure | None) -> None:
        report = self._report
        if failure is None:
            report.missing += 1
            return
        cause = str(failure.cause)
        report.failed[cause] = report.failed.get(cause, 0) + 1
        report.faults.setdefault(cause, failure.detail)
        self._note(key, failure)

    def report(self) -> BatchImport:
        """Return what was found and done."""
        self._report.strangers = self._index.strangers
        return self._report


def _name(answer: Answer) -> str:
    return custom_id(answer.key, answer.question.labels.shown)
