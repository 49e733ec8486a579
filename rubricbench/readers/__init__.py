"""Reading what people bring: responses and rubrics as parquet, JSONL or CSV.

    index = RubricIndex("rubrics.jsonl")          # or "verifiable:test"
    report = MatchReport()
    for row in read_responses("responses.parquet"):
        rubric = index.match(row, report)

Everything streams but the rubrics, which the index holds; every fault names its file and line.
"""

from rubricbench.readers.matching import MatchReport, RubricIndex
from rubricbench.readers.responses import ResponseRow, read_responses
from rubricbench.readers.rows import read_rows
from rubricbench.readers.rubrics import read_rubrics

__all__ = [
    "MatchReport",
    "ResponseRow",
    "RubricIndex",
    "read_responses",
    "read_rows",
    "read_rubrics",
]
