"""Calls to the Hub, tried again where the fault may pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from rubricbench.errors import InputError, RubricbenchError

ATTEMPTS = 6
FIRST_WAIT = 0.5  # seconds, doubling
# 409 and 412: the branch moved between look and commit; the next attempt looks again.
_PASSING = frozenset({408, 409, 412, 425, 429, 500, 502, 503, 504})
Found = TypeVar("Found")


class PublishError(RubricbenchError):
    """The Hub did not take it; nothing, or all of it, is published."""


class Retrying:
    """Makes calls to the Hub.

    Args:
        repo: the repository, for messages.
        say: is told of each fault that may pass.
        sleep: waits, seconds.
    """

    def __init__(
        self, repo: str, say: Callable[[str], None], sleep: Callable[[float], None]
    ) -> None:
        self._repo, self._say, self._sleep = repo, say, sleep

    def __call__(self, doing: str, call: Callable[[], Found]) -> Found:
        """Return what a call returns, after as many attempts as it takes.

        Args:
            doing: what it does, for messages: "cannot …".
            call: the call; it may be made again after it succeeded and its answer was lost.

        Raises:
            InputError: the token is wrong or has no right.
            PublishError: the Hub refuses, or cannot be reached.
        """
        for number in range(ATTEMPTS):
            try:
                return call()
            except RubricbenchError:
                raise
            except Exception as error:
                why = _explained(error)
                if why is None:
                    raise
                if number == ATTEMPTS - 1 or not _may_pass(error):
                    raise self._refused(doing, error, why) from error
                wait = FIRST_WAIT * 2**number
                self._say(f"cannot {doing} yet ({why}); again in {wait:g} s")
                self._sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def _refused(self, doing: str, error: Exception, why: str) -> RubricbenchError:
        if _status(error) in (401, 403):
            hint = "log in with `hf auth login`, or set HF_TOKEN to a token that may write there"
            return InputError(f"cannot {doing}: {why}", where=self._repo, hint=hint)
        hint = "nothing is half published; run the same again"
        return PublishError(f"cannot {doing}: {why}", where=self._repo, hint=hint)


def _status(error: Exception) -> int:
    return int(getattr(getattr(error, "response", None), "status_code", 0) or 0)


def _may_pass(error: Exception) -> bool:
    return _status(error) in _PASSING or _status(error) == 0


def _explained(error: Exception) -> str | None:
    """Return what went wrong between us and the Hub; None where it is another kind of fault."""
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    if isinstance(error, HfHubHTTPError) and _status(error):
        return f"the Hub answers {_status(error)}"
    of_the_client = type(error).__module__.partition(".")[0] in ("httpx", "httpx2", "httpcore")
    if of_the_client or isinstance(error, HfHubHTTPError | LocalEntryNotFoundError | OSError):
        return "the Hub cannot be reached"
    return None
