"""The labels a judge sees instead of criterion ids, and the form they are stored in.

A label is a keyed hash of prompt and criterion: the same for all responses to a prompt, so that a
prefix cache keeps the rubric, but unknown to whoever wrote a response, so that a verdict forged in
it does not parse. The key is a run's secret. Store keys and stored answers must not depend on it,
or another run could not use them: both hold *canonical* labels, ``<criterion 1>`` and so on in the
order asked. A canonical label that a judge writes of its own accord is marked, so that it cannot
pass for one that was translated (`Labels.canonicalise`).
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
from collections.abc import Sequence
from typing import Self

import msgspec

from rubricbench.schema import Criterion, Rubric

LABEL_CHARS = 6  # 30 bits: one guess in a thousand million
_OPENING = "<criterion "
# A label that is part of one of these would be replaced inside them.
_RESERVED = (_OPENING, "evidence")


@functools.lru_cache(maxsize=1024)
def canonical_labels(count: int, *, hidden: bool) -> tuple[str, ...]:
    """Return the labels of stored requests and answers; ``c1, c2, …`` where none are hidden."""
    form = _OPENING + "{}>" if hidden else "c{}"
    return tuple(form.format(i) for i in range(1, count + 1))


class Labels(msgspec.Struct, frozen=True):
    """The labels of the criteria of one call, in the order asked.

    Args:
        shown: as the judge sees them.
        canonical: as they are stored.
    """

    shown: tuple[str, ...]
    canonical: tuple[str, ...]

    @classmethod
    def plain(cls, count: int) -> Self:
        """Return the published labels, ``c1, c2, …``."""
        labels = canonical_labels(count, hidden=False)
        return cls(labels, labels)

    @classmethod
    def keyed(cls, secret: bytes, rubric: Rubric, criteria: Sequence[Criterion]) -> Self:
        """Return labels that only the holder of the secret can compute."""
        shown: list[str] = []
        for criterion in criteria:
            shown.append(_label(secret, rubric.prompt_id, criterion.id, taken=shown))
        return cls(tuple(shown), canonical_labels(len(shown), hidden=True))

    def canonicalise(self, answer: str) -> str:
        """Return a judge's answer with the canonical labels in place of those shown."""
        if not answer or self.shown == self.canonical:
            return answer
        if _OPENING in answer:
            answer = answer.replace(_OPENING, "<" + _OPENING)
        for shown, canonical in zip(self.shown, self.canonical, strict=True):
            answer = answer.replace(shown, canonical)
        return answer


def _label(secret: bytes, prompt_id: str, criterion_id: str, taken: Sequence[str]) -> str:
    label, tries = "", 0
    while not label or label in taken or any(label in word for word in _RESERVED):
        text = f"{prompt_id}\x00{criterion_id}\x00{tries}"
        digest = hmac.digest(secret, text.encode("utf-8"), hashlib.sha256)
        label = base64.b32encode(digest)[:LABEL_CHARS].decode("ascii").lower()
        tries += 1
    return label
