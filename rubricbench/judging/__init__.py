"""Grading responses against rubrics with a judge model (tutorial: `rubricbench.judging.judge`).

::

    from rubricbench.judging import Item, Judge, JudgeConfig

The rooms of this package, in the order a grading passes through them: `config`, `templates`,
`formats`, `labels`, `fence` and `render` make the prompt; `request` keys it; `engine` joins the
store with the endpoint (`client`, `faults`, `retry`, `breaker`, `wire`, `usage`); `reasoning` and
`parse` read the answer; `judge` scores it; `files` does so for files of responses.
"""

from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.items import Item, Source
from rubricbench.judging.judge import Judge, Judged
from rubricbench.judging.templates import template_hash

__all__ = ["Item", "Judge", "JudgeConfig", "Judged", "Source", "template_hash"]
