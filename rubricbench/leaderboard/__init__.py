"""The leaderboard: what a result row says (`rubricbench.leaderboard.schema`)."""

from rubricbench.leaderboard.metrics import METRICS
from rubricbench.leaderboard.schema import (
    Cost,
    DatasetIdentity,
    JudgeIdentity,
    LeaderboardRow,
    Metric,
    from_json,
    json_schema,
    to_json,
)

__all__ = [
    "METRICS",
    "Cost",
    "DatasetIdentity",
    "JudgeIdentity",
    "LeaderboardRow",
    "Metric",
    "from_json",
    "json_schema",
    "to_json",
]
