"""A rubric and a response to the messages a judge reads.

The order is the layout's (`rubricbench.judging.layouts`); a short trailer of ours closes the
message, so that the response never has the last word. Text that is not ours stands in fences.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from rubricbench.judging.fence import fenced
from rubricbench.judging.formats import Format
from rubricbench.judging.layouts import LAYOUTS
from rubricbench.judging.neutral import neutral
from rubricbench.judging.templates import REPAIR, fill, split, template
from rubricbench.schema import Criterion, Message, Prompt


class Frame(msgspec.Struct, frozen=True):
    """Everything a judge reads about a rubric but the response itself.

    Args:
        system: the system message; empty where the format has none.
        before: the user message up to the fenced response.
        after: the user message behind it.
    """

    system: str
    before: str
    after: str

    def messages(self, response: str) -> list[dict[str, Any]]:
        """Return the messages for one response."""
        return self.around(fenced(response))

    def around(self, fenced_response: str) -> list[dict[str, Any]]:
        """Return the messages, with the text given in the place of the fenced response."""
        user = {"role": "user", "content": f"{self.before}{fenced_response}{self.after}"}
        return [{"role": "system", "content": self.system}, user] if self.system else [user]


def frame(
    prompt: Prompt,
    criteria: Sequence[Criterion],
    labels: Sequence[str],
    form: Format,
    layout: str = "rubric_first",
    *,
    repair: bool = False,
) -> Frame:
    """Return the frame that asks about criteria under the given labels.

    Args:
        prompt: the conversation, rendered whole; its last turn is the one the response answers.
        criteria: the criteria asked about.
        labels: one for each criterion.
        form: the answer format.
        layout: the order of the parts; not ``auto``.
        repair: whether an earlier answer could not be read; the judge is told.
    """
    values = {
        "conversation": "\n\n".join(_turn(message) for message in prompt.messages),
        "criteria": "\n".join(
            f"[{label}]{_statement(criterion)}"
            for label, criterion in zip(labels, criteria, strict=True)
        ),
        "answer": template(form.closing) if form.closing else "",
    }
    before, after = split(template(LAYOUTS[layout]), "response")
    note = f"\n\n{template(REPAIR)}" if repair else ""
    return Frame(_system(form), fill(before, values), fill(after, values) + note)


def _system(form: Format) -> str:
    if not form.system:
        return ""
    instructions, answer_form = form.system
    return fill(template(instructions), {"answer_form": template(answer_form)})


def _turn(message: Message) -> str:
    return f"{message.role.capitalize()}:\n{fenced(message.content)}"


def _statement(criterion: Criterion) -> str:
    # A line break would let a criterion pass for the next one.
    text = criterion.criterion
    return f" {neutral(text)}" if text.splitlines() == [text] else f"\n{fenced(text)}"
