"""The questions of the rubrics in use, each prepared once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Sequence

from rubricbench.errors import InputError
from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.request import Question
from rubricbench.schema import Criterion, Rubric

MAX_QUESTIONS = 1_024  # at some 20 kB each

_Key = tuple[int, frozenset[str], bool]


class QuestionBook:
    """Prepares the questions of a rubric and keeps those last used.

    Args:
        config: the judge, or None where every criterion has a check.
        secret: key of the labels.
    """

    def __init__(self, config: JudgeConfig | None, secret: bytes) -> None:
        self._config = config
        self._secret = secret
        # By identity, with the rubric held so that its id is not given to another: hashing the
        # content would cost more than the rest of a look-up.
        self._kept: OrderedDict[_Key, tuple[Rubric, tuple[Question, ...]]] = OrderedDict()
        self._count = 0

    def questions(
        self, rubric: Rubric, leave_out: Collection[str] = (), *, repair: bool = False
    ) -> tuple[Question, ...]:
        """Return the questions that a rubric's criteria without a check make; one for each call.

        Args:
            rubric: the rubric.
            leave_out: ids of criteria that are not asked about.
            repair: whether earlier answers about them could not be read; the judge is told.

        Raises:
            InputError: a judge is needed, and there is none.
        """
        key = (id(rubric), frozenset(leave_out), repair)
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return kept[1]
        asked = [c for c in rubric.criteria if c.check is None and c.id not in key[1]]
        prepared = self._prepare(rubric, asked, repair)
        self._keep(key, rubric, prepared)
        return prepared

    def _keep(self, key: _Key, rubric: Rubric, prepared: tuple[Question, ...]) -> None:
        self._kept[key] = (rubric, prepared)
        self._count += max(1, len(prepared))
        while self._count > MAX_QUESTIONS and len(self._kept) > 1:
            _, (_, dropped) = self._kept.popitem(last=False)
            self._count -= max(1, len(dropped))

    def _prepare(
        self, rubric: Rubric, asked: Sequence[Criterion], repair: bool
    ) -> tuple[Question, ...]:
        if not asked:
            return ()
        if self._config is None:
            raise InputError(
                f"criterion {asked[0].criterion!r:.60} needs a judge, and none is configured",
                where=f"prompt {rubric.prompt_id}",
                hint="name an endpoint and a model",
            )
        size = self._config.criteria_per_call or len(asked)
        return tuple(
            Question(self._config, rubric, asked[start : start + size], self._secret, repair=repair)
            for start in range(0, len(asked), size)
        )
