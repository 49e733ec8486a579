"""The constructive solver: from a rubric to a readable response that scores exactly 1.0.

    text = solve(rubric)

It proves that a rubric's exact criteria can be met together, serves as the upper bracket among the
trivial responders, and shows where a checker asks for something odd. It works from what a model
would see and be judged by (the criteria's checks and the prompt), not from how the row was made:

1. `reading` turns the checks into wishes, penalties into their opposite;
2. `material` takes subject, notes and register from the prompt;
3. `forms` lays out the document: paragraphs, list, table, record, …;
4. `writer` puts in the sentences that carry what is asked for;
5. `filling` adds, drops and swaps plain sentences until all counts are right;
6. the result is verified by `rubricbench.checks`; what is unmet is repaired, or tried again
   another way.
"""

from rubricbench.solver.errors import SolverError
from rubricbench.solver.solve import solve

__all__ = ["SolverError", "solve"]
