"""A Python function as a reward: ``function(prompts, responses) -> list[float]``."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

from rubricbench.audit.pool import Pool
from rubricbench.audit.rewards import Keep, RewardSpec, Scored, Setting
from rubricbench.errors import InputError
from rubricbench.foreign import load, printing_to_stderr
from rubricbench.progress import progress

Function = Callable[[list[str], list[str]], Any]


class PythonReward:
    """A function of prompts and responses, plain or asynchronous.

    It is called in batches of ``setting.batch`` rows, as ``function(prompts, responses)``, both
    lists of texts; prompts are empty where the pool does not say what was asked. It returns one
    number a response, or None where there is no reward. Scores are kept under its source's hash.
    What it prints goes to standard error.

    Args:
        spec: its name; the target is ``MODULE:FUNCTION``, found as Python does, the working
            directory included.
        setting: how it is called.

    Raises:
        InputError: there is no such module or function.
    """

    def __init__(self, spec: RewardSpec, setting: Setting) -> None:
        self.name = spec.name
        self.remarks: list[str] = []
        self._target, self._setting = spec.target, setting
        self._function = load(spec.target, "reward")
        self.identity: dict[str, Any] = {
            "kind": "python",
            "function": spec.target,
            "source": _source_hash(self._function),
        }

    def score(self, pool: Pool, rows: Sequence[int], keep: Keep) -> None:
        """Call the function on the rows.

        Raises:
            InputError: it raises, or does not return a number for each response.
        """
        prompts, size = pool.prompts, max(1, self._setting.batch)
        with progress(len(rows), f"scoring {self.name}", quiet=self._setting.quiet) as bar:
            for start in range(0, len(rows), size):
                batch = list(rows[start : start + size])
                found = self._call([prompts[i] for i in batch], [pool.texts[i] for i in batch])
                keep({i: self._scored(value) for i, value in zip(batch, found, strict=True)})
                bar.advance(len(batch))

    def _call(self, prompts: list[str], responses: list[str]) -> list[Any]:
        try:
            with printing_to_stderr():
                found = self._function(prompts, responses)
                if inspect.isawaitable(found):
                    found = asyncio.run(_awaited(found))
                values = list(found)
        except (Exception, SystemExit) as error:
            raise InputError(
                f"the function failed: {type(error).__name__}: {error}", where=self._target
            ) from error
        if len(values) != len(responses):
            raise InputError(
                f"the function returned {len(values)} numbers for {len(responses)} responses",
                where=self._target,
            )
        return values

    def _scored(self, value: Any) -> Scored:
        if value is None:
            return Scored(None, "the function returned None")
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            raise InputError(
                f"the function returned {value!r:.40}, not a finite number",
                where=self._target,
                hint="None says that there is no reward",
            )
        return Scored(number)


async def _awaited(value: Any) -> Any:
    return await value


def _source_hash(function: Function) -> str:
    """Return the hash of the module that a function stands in; empty where there is no source."""
    try:
        source = inspect.getsource(inspect.getmodule(function) or function)
    except (OSError, TypeError):
        return ""
    return hashlib.sha256(source.encode("utf-8", "replace")).hexdigest()
