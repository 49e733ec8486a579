"""Scored samples, training trajectories and published points, read from files.

    samples = read_samples("scores.parquet", proxy="reward", gold="human")
    joined = join_samples("proxy/scores.parquet:value", "pool.parquet:gold")
    runs = read_trajectories(["runs/bt-0", "runs/rubric-0"])

The layouts are those of `metrics.tables`. A reward that is missing is unknown, not zero: it is
refused, or left out and counted. Nothing depends on the order of the rows.
"""

from rubricbench.metrics.points import Points, read_points
from rubricbench.metrics.run_files import read_trajectories, run_files
from rubricbench.metrics.sample_files import arms_of, join_samples, read_samples, sample_file

__all__ = [
    "Points",
    "arms_of",
    "join_samples",
    "read_points",
    "read_samples",
    "read_trajectories",
    "run_files",
    "sample_file",
]
