"""What an endpoint passes over in silence, found out from its answers.

Some servers answer 200 to a request for a JSON schema or for log-probabilities and do neither. No
error tells; the answers do: one that breaks the schema cannot have been held to it, and a readable
verdict without a probability came without log-probabilities, or with such as do not fit the text.
"""

from __future__ import annotations

from collections.abc import Sequence

from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.formats import get_format
from rubricbench.judging.parse import parse
from rubricbench.judging.reasoning import split_reasoning
from rubricbench.schema import Cause, Status, Verdict
from rubricbench.store import Completion

MAX_LOOKED_AT = 1_000  # answers; what an endpoint does it does from the beginning
ENOUGH = 3  # answers that show it, where others do not
# Such an answer was cut off or withheld; a schema does not prevent that.
_ENDED_EARLY = frozenset({"length", "content_filter", "refusal"})
_BROKEN = frozenset(
    {
        Cause.UNPARSABLE,
        Cause.REFUSAL,
        Cause.MISSING_ID,
        Cause.DUPLICATE_ID,
        Cause.UNEXPECTED_ID,
    }
)


class Observer:
    """Looks at a judge's answers for what was asked and not done.

    Args:
        config: the judge: what was asked.
    """

    def __init__(self, config: JudgeConfig) -> None:
        self._judge = f"the endpoint of {config.name}"
        self._format = config.format
        self._schema = config.response_format and get_format(config.format).is_json
        self._logprobs = config.logprobs > 0
        self._looked_at = 0
        self._shaped = _Count()
        self._weighed = _Count()
        self._told: set[int] = set()

    def saw(self, completion: Completion, criterion_ids: Sequence[str]) -> None:
        """Look at an answer, if it is among the first `MAX_LOOKED_AT`.

        Args:
            completion: the answer.
            criterion_ids: what was asked about, in the order asked.
        """
        if not (self._schema or self._logprobs) or self._looked_at >= MAX_LOOKED_AT:
            return
        self._looked_at += 1
        verdicts = parse(completion, criterion_ids, self._format)
        if self._schema and completion.finish_reason not in _ENDED_EARLY:
            self._look_at_shape(completion, verdicts)
        known = [verdict for verdict in verdicts if verdict.status is not Status.UNKNOWN]
        if self._logprobs and known:
            self._weighed.add(all(verdict.p_met is None for verdict in known))

    def _look_at_shape(self, completion: Completion, verdicts: Sequence[Verdict]) -> None:
        text = split_reasoning(completion.text).answer.strip()
        if text:
            unfit = any(verdict.cause in _BROKEN for verdict in verdicts)
            self._shaped.add(unfit or not text.startswith("{"))

    def news(self) -> list[str]:
        """Return what was found out since it was asked for last."""
        if all(i in self._told or not c.tells for i, c in enumerate((self._shaped, self._weighed))):
            return []
        found = self._found()
        new = [remark for kind, remark in found.items() if kind not in self._told]
        self._told |= found.keys()
        return new

    def remarks(self) -> list[str]:
        """Return all that was found out, a line each."""
        return list(self._found().values())

    def _found(self) -> dict[int, str]:
        found = {}
        if self._shaped.tells:
            found[0] = (
                f"{self._judge} does not enforce the JSON schema it is asked for: {self._shaped} "
                "break it; the parser reads what it can"
            )
        if self._weighed.tells:
            found[1] = (
                f"{self._judge} does not send the log-probabilities it is asked for, or such as do "
                f"not fit its answers: {self._weighed} have none; their verdicts are hard"
            )
        return found


class _Count:
    """Answers that show something, among those that could."""

    def __init__(self) -> None:
        self._all = self._showing = 0

    def add(self, shows: bool) -> None:
        self._all += 1
        self._showing += shows

    @property
    def tells(self) -> bool:
        return self._showing >= ENOUGH or 0 < self._showing == self._all

    def __str__(self) -> str:
        return f"{self._showing:,} of {self._all:,} answers looked at"
