"""Grading files: responses and rubrics in, verdicts and scores out, in one resumable run.

Three passes over the responses. The first reads everything before anything is paid for, so that a
broken last line costs nothing (`inputs`). The second sees to it that the store has every answer, in
whatever order they come. The third writes the tables from the store, in the order of the input, so
that the bytes do not depend on what came when, or on how often the run was killed (`run`).
"""

from rubricbench.judging.files.job import Graded, Job
from rubricbench.judging.files.run import grade_files

__all__ = ["Graded", "Job", "grade_files"]
