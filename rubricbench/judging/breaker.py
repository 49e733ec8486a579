"""When to stop asking: an endpoint that has gone, or that refuses everything."""

from __future__ import annotations

from rubricbench.errors import EndpointError
from rubricbench.judging.faults import Failure
from rubricbench.schema import Cause

FIRST_REFUSALS = 3
LEAST_FAILURES_IN_A_ROW = 16


class Breaker:
    """Counts calls that failed for good, attempts and all, with no answer in between.

    Args:
        concurrency: calls in flight at once: so many may fail of one short outage.
        where: the endpoint, for the error message.
    """

    def __init__(self, concurrency: int, where: str) -> None:
        self._limit = max(LEAST_FAILURES_IN_A_ROW, 2 * concurrency)
        self._where = where
        self._in_a_row = 0
        self._ever_answered = False

    def answered(self) -> None:
        """Count an answer."""
        self._ever_answered = True
        self._in_a_row = 0

    def failed(self, failure: Failure) -> None:
        """Count a call without an answer.

        Raises:
            EndpointError: there is no point in going on.
        """
        if not failure.cause.is_infrastructure:
            return
        self._in_a_row += 1
        refused = failure.cause is Cause.REJECTED and not self._ever_answered
        if self._in_a_row >= (FIRST_REFUSALS if refused else self._limit):
            raise EndpointError(
                f"{self._in_a_row} calls in a row failed, the last with: {failure.detail}",
                where=self._where,
                hint="nothing finished is lost; mend the cause and run the same again",
            )
