"""Runs of words, hashed, with the references they stand in."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from rubricbench.checks.text.words import split_words

RUN = 8  # words running that two texts share by copying, hardly ever by chance
SHINGLE = 4
CONTAINED = 0.5  # share of a text's shingles in one reference that makes it a near-duplicate
_SHORT = 3  # of a text of few words: they are compared whole


class Overlap(msgspec.Struct, frozen=True, kw_only=True):
    """What a text shares with a reference.

    Args:
        reference: number of the reference, from 0.
        run: the longest run of words they share, as the text has it; empty below `RUN` words.
        containment: share of the text's shingles that the reference holds, 0 to 1.
    """

    reference: int
    run: str
    containment: float


class Shingles:
    """Texts to be compared with; memory grows with their words.

    Args:
        references: the texts.
        run: words of a run.
        contained: share that makes a near-duplicate.
    """

    def __init__(
        self, references: Iterable[str], *, run: int = RUN, contained: float = CONTAINED
    ) -> None:
        self._run, self._contained = run, contained
        self._runs: dict[int, array[int]] = {}
        self._shingles: dict[int, array[int]] = {}
        self.references = 0
        for text in references:
            words = normalised(text)
            self._add(self._runs, _hashes(words, run))
            self._add(self._shingles, _hashes(words, SHINGLE))
            self.references += 1

    def _add(self, index: dict[int, array[int]], hashes: Iterable[int]) -> None:
        for key in set(hashes):
            index.setdefault(key, array("l")).append(self.references)

    def overlaps(self, text: str) -> list[Overlap]:
        """Return every reference that a text shares a run with, or is nearly contained in.

        Those that share most come first.
        """
        words = normalised(text)
        runs = self._shared_runs(words)
        shares = self._containments(words)
        found = [
            Overlap(reference=i, run=runs.get(i, ""), containment=shares.get(i, 0.0))
            for i in runs.keys() | {i for i, share in shares.items() if share >= self._contained}
        ]
        return sorted(found, key=lambda o: (-o.containment, -len(o.run), o.reference))

    def _shared_runs(self, words: Sequence[str]) -> dict[int, str]:
        """Return the longest run shared with each reference.

        Runs that follow each other in the text are taken for one where the reference has them all.
        """
        longest: dict[int, tuple[int, int]] = {}
        going: dict[int, int] = {}  # reference -> where the run that has not ended began
        for start, key in enumerate(_hashes(words, self._run)):
            here = set(self._runs.get(key, ())) if len(words) >= self._run else set()
            going = {i: going.get(i, start) for i in here}
            for i, began in going.items():
                end = start + self._run
                if end - began > longest.get(i, (0, 0))[1] - longest.get(i, (0, 0))[0]:
                    longest[i] = (began, end)
        return {i: " ".join(words[a:b]) for i, (a, b) in longest.items()}

    def _containments(self, words: Sequence[str]) -> dict[int, float]:
        own = set(_hashes(words, SHINGLE))
        counts: Counter[int] = Counter()
        for key in own:
            counts.update(self._shingles.get(key, ()))
        return {i: count / len(own) for i, count in counts.items()}


def normalised(text: str) -> tuple[str, ...]:
    """Return the words of a text, case folded: punctuation and layout do not matter."""
    return split_words(text.casefold())


def _hashes(words: Sequence[str], size: int) -> Iterator[int]:
    """Yield a hash of every run of words; of a text shorter than a run, of all of it."""
    if len(words) < size:
        if len(words) >= _SHORT:
            yield _hash(words)
        return
    for start in range(len(words) - size + 1):
        yield _hash(words[start : start + size])


def _hash(words: Sequence[str]) -> int:
    digest = hashlib.blake2b("\x1f".join(words).encode("utf-8", "surrogatepass"), digest_size=8)
    return int.from_bytes(digest.digest(), "big", signed=True)
