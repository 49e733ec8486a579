"""The questions of the rubrics in use, each prepared once."""

from __future__ import annotations

from collections import OrderedDict

from rubricbench.errors import InputError
from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.request import Question
from rubricbench.schema import Rubric

MAX_QUESTIONS = 1_024  # at some 20 kB each


class QuestionBook:
    """Prepares the question of a rubric and keeps those last used.

    Args:
        config: the judge, or None where every criterion has a check.
        secret: key of the labels.
    """

    def __init__(self, config: JudgeConfig | None, secret: bytes) -> None:
        self._config = config
        self._secret = secret
        # By identity, with the rubric held so that its id is not given to another: hashing the
        # content would cost more than the rest of a look-up.
        self._kept: OrderedDict[int, tuple[Rubric, Question | None]] = OrderedDict()

    def question(self, rubric: Rubric) -> Question | None:
        """Return the question that a rubric's criteria without a check make; None without any.

        Raises:
            InputError: a judge is needed, and there is none.
        """
        kept = self._kept.get(id(rubric))
        if kept is None:
            kept = self._kept[id(rubric)] = (rubric, self._prepare(rubric))
            if len(self._kept) > MAX_QUESTIONS:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(id(rubric))
        return kept[1]

    def _prepare(self, rubric: Rubric) -> Question | None:
        asked = [criterion for criterion in rubric.criteria if criterion.check is None]
        if not asked:
            return None
        if self._config is None:
            raise InputError(
                f"criterion {asked[0].criterion!r:.60} needs a judge, and none is configured",
                where=f"prompt {rubric.prompt_id}",
                hint="name an endpoint and a model",
            )
        return Question(self._config, rubric, asked, self._secret)
