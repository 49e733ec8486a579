"""The datasets of the tasks, as lm-eval's ``custom_dataset`` hooks.

lm-eval calls a hook with the task's metadata, the model's arguments and ``--metadata`` all in one;
``source`` and ``dataset_revision`` among them choose the data, the rest is ignored::

    --metadata '{"source": "hub", "dataset_revision": "v1.0.0"}'
"""

from __future__ import annotations

from typing import Any

import rubricbench


def verifiable(
    *, source: str = "embedded", dataset_revision: str | None = None, **_: Any
) -> dict[str, Any]:
    """Return the test split of the exactly checkable prompts.

    Args:
        source: ``embedded`` (the copy in this package), ``hub``, or a path.
        dataset_revision: revision on the Hub.
    """
    rows = rubricbench.load("verifiable", split="test", source=source, revision=dataset_revision)
    return {"test": rows}
