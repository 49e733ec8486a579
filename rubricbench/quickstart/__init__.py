"""The quickstart: a real small model scored on real rubrics through lm-eval, then one report.

    from rubricbench.quickstart import Settings, quickstart
    from rubricbench.tasks import task_path

    outcome = quickstart(Settings(out="quickstart"), task_path())
    print(outcome.report)

Beside the model, three responders that need none go through the same task: an empty response, the
prompt repeated, and a response built to meet every criterion. They bracket what its score means.
"""

from rubricbench.quickstart.outcome import Outcome, ResponderOutcome
from rubricbench.quickstart.settings import SMALL_LIMIT, SMALL_TOKENS, Settings
from rubricbench.quickstart.stages import quickstart

__all__ = [
    "SMALL_LIMIT",
    "SMALL_TOKENS",
    "Outcome",
    "ResponderOutcome",
    "Settings",
    "quickstart",
]
