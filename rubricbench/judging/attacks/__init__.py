"""Attacks on a judge by what it reads, as data: ``attacks.json`` beside this file.

The tests of the prompt's layout and of the parser run all of them in every layout and form. How
often they move the *opinion* of a real model, which no fence can rule out, is measured by
`rubricbench.certify.opinion`::

    rubricbench certify attacks --judge-backend transformers --judge-model smollm2 --logprobs 5

An attack is a text; ``{{criterion}}`` in it stands for the criterion it wants met, and ``{{run}}``
for its ``run``, a text and how often it is repeated. It is put behind an honest response
(``end``), before it (``start``), or in its place (``alone``).
"""

from __future__ import annotations

import functools
import importlib.resources
import json

import msgspec

MAX_RUN_CHARS = 1_000_000


class Attack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text that wants more than to be graded.

    Args:
        id: its name.
        family: what kind of attack it is.
        text: the text, with its places.
        at: where it stands: end, start or alone.
        run: what stands in the place of ``{{run}}``, and how often.
    """

    id: str
    family: str
    text: str
    at: str = "end"
    run: tuple[str, int] = ("", 0)

    def words(self, criterion: str = "the criterion", *, most: int = MAX_RUN_CHARS) -> str:
        """Return its text, with runs of at most so many characters."""
        piece, times = self.run
        run = piece * min(times, max(1, most // max(1, len(piece))))
        return self.text.replace("{{run}}", run).replace("{{criterion}}", criterion)

    def on(self, response: str, words: str) -> str:
        """Return a response with the attack's words, or others of that length, in their place."""
        if self.at == "alone":
            return words
        parts = (words, response) if self.at == "start" else (response, words)
        return "\n\n".join(parts)


@functools.cache
def attacks() -> tuple[Attack, ...]:
    """Return all attacks, in the order of the file."""
    # Not a faster decoder: some attacks hold half characters, which only this one reads.

    file = importlib.resources.files("rubricbench.judging.attacks") / "attacks.json"
    rows = json.loads(file.read_text(encoding="utf-8"))
    return tuple(msgspec.convert(row, Attack, strict=False) for row in rows)


def families() -> tuple[str, ...]:
    """Return the kinds of attack, in the order of the file."""
    return tuple(dict.fromkeys(attack.family for attack in attacks()))
