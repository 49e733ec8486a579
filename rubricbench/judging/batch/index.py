"""Where each request's lines stand in a batch's output files: 20 bytes a line, nothing of its text.

The files may hold their lines in any order, with lines that are damaged, repeated, or of other
batches; millions of lines are read twice, and never held.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np

from rubricbench.errors import InputError
from rubricbench.judging.batch.lines import NotAnOutputError, OutputLine, read_line
from rubricbench.readers.lines import MAX_LINE_BYTES

MAX_EXAMPLES = 5
OPEN_FILES = 64


class OutputIndex:
    """The lines of output files, found by request; a context manager.

    Args:
        paths: the files, output and error files alike.
        advance: called after each line.

    Raises:
        InputError: a file cannot be read, or no line of it is a batch's output.
    """

    def __init__(self, paths: Sequence[Path], advance: Callable[[], object] = lambda: None) -> None:
        self._paths = list(paths)
        self._files: OrderedDict[int, BinaryIO] = OrderedDict()
        self._advance = advance
        self.damaged = 0
        """Lines that could not be read."""
        self.examples: list[str] = []
        """Where the first few of those stand, and what is wrong with them."""
        hashes, numbers, offsets = array("q"), array("i"), array("q")
        for number, path in enumerate(self._paths):
            for offset, custom_id in self._scan(path):
                hashes.append(hash(custom_id))
                numbers.append(number)
                offsets.append(offset)
        self._sort(hashes, numbers, offsets)

    def __len__(self) -> int:
        return len(self._hashes)

    def _sort(self, hashes: array[int], numbers: array[int], offsets: array[int]) -> None:
        keys = np.frombuffer(hashes, dtype=np.int64) if hashes else np.empty(0, dtype=np.int64)
        order = np.argsort(keys, kind="stable")  # lines of one request stay in the order given
        self._hashes = keys[order]
        self._numbers = np.asarray(numbers, dtype=np.int32)[order]
        self._offsets = np.asarray(offsets, dtype=np.int64)[order]
        self._asked = np.zeros(len(order), dtype=bool)

    def _scan(self, path: Path) -> Iterator[tuple[int, str]]:
        found, line, offset = 0, 0, 0
        known = len(self.examples)
        with _opened(path) as file:
            while data := file.readline(MAX_LINE_BYTES + 1):
                line += 1
                if data.strip():
                    custom_id = self._custom_id(data, path, line)
                    self._advance()
                    if custom_id is not None:
                        found += 1
                        yield offset, custom_id
                offset += len(data)
        if not found:
            what = "no line of it is a batch's output" if line else "the file is empty"
            why = f" ({self.examples[known]})" if len(self.examples) > known else ""
            raise InputError(
                what + why, where=str(path), hint="give the output files of the batches"
            )

    def _custom_id(self, data: bytes, path: Path, line: int) -> str | None:
        try:
            return read_line(data).custom_id
        except NotAnOutputError:
            raise InputError(
                "this is a batch that was exported, not what came of it",
                where=f"{path}:{line}",
                hint="give the file that the provider made of it",
            ) from None
        except ValueError as error:
            self.damaged += 1
            if len(self.examples) < MAX_EXAMPLES:
                self.examples.append(f"{path}:{line}: {' '.join(str(error).split())[:200]}")
            return None

    def has(self, name: str) -> bool:
        """Return whether there is a line about a request; it is then no stranger's."""
        rows = self._rows(name)
        self._asked[rows] = True
        return bool(rows.stop > rows.start)

    def lines(self, name: str) -> Iterator[OutputLine]:
        """Yield the lines about a request, in the order of the files."""
        rows = self._rows(name)
        self._asked[rows] = True
        for row in range(rows.start, rows.stop):
            line = self._line(int(self._numbers[row]), int(self._offsets[row]))
            if line is not None and line.custom_id == name:
                yield line

    @property
    def strangers(self) -> int:
        """Lines about requests that nobody asked for so far."""
        return int(len(self._asked) - np.count_nonzero(self._asked))

    @property
    def repeated(self) -> int:
        """Lines about a request that an earlier line is about."""
        return len(self) - len(np.unique(self._hashes))

    def _rows(self, name: str) -> slice:
        value = np.int64(hash(name))
        left = int(np.searchsorted(self._hashes, value, side="left"))
        right = left
        while right < len(self._hashes) and self._hashes[right] == value:
            right += 1
        return slice(left, right)

    def _line(self, number: int, offset: int) -> OutputLine | None:
        file = self._files.get(number)
        if file is None:
            file = self._files[number] = _opened(self._paths[number])
            while len(self._files) > OPEN_FILES:
                self._files.popitem(last=False)[1].close()
        self._files.move_to_end(number)
        try:
            file.seek(offset)
            return read_line(file.readline(MAX_LINE_BYTES + 1))
        except (OSError, ValueError):  # it was read before: the file has changed since
            return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()


def _opened(path: Path) -> BinaryIO:
    if not path.is_file():
        there = "this is a folder" if path.is_dir() else "this is not a file"
        what = there if path.exists() else "no such file"
        raise InputError(what, where=str(path), hint="give the output files of the batches")
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", where=str(path)) from None
