"""Run directories: a manifest, a lock, and stages that can each be run again alone.

    with RunDirectory("out", command="judge", config={...}) as run:
        if not run.done("judge"):
            with ParquetSink(run.path("verdicts.parquet"), schema("verdicts")) as sink:
                sink.append({...})
            run.mark_done("judge", ["verdicts.parquet"])

A folder holds one configuration. Files appear whole or not at all, so a run that was killed is
continued by starting it again; `redo` makes a finished stage run once more.
"""

from rubricbench.runs.directory import RunDirectory
from rubricbench.runs.files import ParquetSink, atomic_write, file_hash, write_parquet_atomic

__all__ = ["ParquetSink", "RunDirectory", "atomic_write", "file_hash", "write_parquet_atomic"]
