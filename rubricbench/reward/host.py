"""A judge kept open on a thread of its own, for whoever asks again and again."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from rubricbench.errors import InputError
from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.judge import Judge
from rubricbench.judging.usage import Tally
from rubricbench.reward.batch import Batch, Row, grade_batch
from rubricbench.reward.memory import backend_of_rank
from rubricbench.reward.thread import LoopThread
from rubricbench.scoring import WEIGHTED_MEAN, Strategy
from rubricbench.store import Store

CLOSE_SECONDS = 10.0


class JudgeHost:
    """Opens a judge and its store when they are first needed, on a thread that outlives callers.

    It can be copied and pickled, and used after a fork: the copy opens its own.

    Args:
        judge: the judge's configuration, a judge that is not open (which a copy takes the
            configuration of), or None where every criterion has a check.
        store: the file of its store; ``{rank}`` stands for this process's rank.
        strategy: how verdicts become a score.

    Raises:
        InputError: no store is named where one is needed, or the judge is open already.
    """

    def __init__(
        self,
        judge: Judge | JudgeConfig | None,
        store: str | Path | None = None,
        *,
        strategy: Strategy = WEIGHTED_MEAN,
    ) -> None:
        self._given = judge if isinstance(judge, Judge) else None
        self.config = judge.config if isinstance(judge, Judge) else judge
        if isinstance(judge, Judge):
            if judge.opened is not None:
                raise InputError(
                    "this judge is open already", hint="pass it unopened; the reward opens it"
                )
            store, strategy = judge.store.path, judge.strategy
        if store is None and self.config is not None:
            raise InputError(
                "the reward has no store", hint="name its file, such as store='rewards.sqlite'"
            )
        self._store_path = store
        self.strategy = strategy
        self._forget()

    def __getstate__(self) -> dict[str, Any]:
        return {"judge": self.config, "store": self._store_path, "strategy": self.strategy}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["judge"], state["store"], strategy=state["strategy"])  # type: ignore[misc]

    @property
    def tally(self) -> Tally:
        """What was asked and served so far; a copy."""
        if self._judge is None:
            return Tally()
        tally = self._judge.tally
        return msgspec.structs.replace(tally, tokens=dict(tally.tokens))

    async def grade(self, rows: Sequence[Row], *, deadline: float, ask_again: bool) -> Batch:
        """Grade rows (`grade_batch`), from whatever event loop.

        Raises:
            RubricbenchError: as `grade_batch`; the store cannot be opened; a key is missing.
        """
        self._start()
        assert self._thread is not None
        return await self._thread.run(self._grade(rows, deadline, ask_again))

    async def release(self) -> None:
        """Give a local judge's memory back; the next batch loads it again."""
        if self._thread is not None and self._thread.alive and self._judge is not None:
            release = getattr(self._judge.opened, "release", None)
            if release is not None:
                await asyncio.to_thread(release)

    def close(self) -> None:
        """End what is open; used again, it opens anew."""
        thread, judge, store = self._thread, self._judge, self._store
        owned = self._given is None or judge is not self._given
        if thread is not None and thread.alive:
            if judge is not None:
                with contextlib.suppress(TimeoutError):
                    thread.run_blocking(judge.__aexit__(None, None, None), CLOSE_SECONDS)
            thread.stop()
            if store is not None and owned:
                store.close()
        self._forget()

    def _forget(self) -> None:
        self._thread: LoopThread | None = None
        self._judge: Judge | None = None
        self._store: Store | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._opening: asyncio.Lock | None = None

    def _start(self) -> None:
        """See to a living thread: at first, and again after a fork."""
        if self._thread is not None and not self._thread.alive:
            self._given = None  # its store is the parent's
            self._forget()
        if self._thread is None:
            self._thread = LoopThread("rubric-reward")
            atexit.register(_close, weakref.ref(self))

    async def _grade(self, rows: Sequence[Row], deadline: float, ask_again: bool) -> Batch:
        self._opening = self._opening or asyncio.Lock()
        async with self._opening:
            if self._judge is None:
                self._judge = await self._open()
        return await grade_batch(self._judge, rows, deadline=deadline, ask_again=ask_again)

    async def _open(self) -> Judge:
        judge = self._given
        if judge is None:
            self._store = Store.open(self._path())
            tally = Tally()
            backend = backend_of_rank(self.config, tally)
            judge = Judge(self.config, self._store, strategy=self.strategy, backend=backend)
            judge.tally = tally
        return await judge.__aenter__()

    def _path(self) -> Path:
        if self._store_path is None:  # checks alone: nothing will be put there
            self._folder = tempfile.TemporaryDirectory(prefix="rubricbench-")
            return Path(self._folder.name, "store.sqlite")
        return Path(str(self._store_path).replace("{rank}", str(rank())))


def rank() -> int:
    """Return this process's number among those that train together; 0 alone."""
    value = os.environ.get("RANK", "0")
    return int(value) if value.isdigit() else 0


def _close(reference: weakref.ref[JudgeHost]) -> None:
    host = reference()
    if host is not None:
        host.close()
