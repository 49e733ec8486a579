"""Provider batch files: the cheap way where nobody waits for the answers.

    rubricbench judge … --batch-export DIR       # the calls the store has no answer to, as files
    # give each file to the provider; fetch what comes back
    rubricbench judge … --batch-import FILE …    # into the store, by the same keys

The files are JSONL of OpenAI's Batch API, which vLLM's ``run-batch`` and others read too. The
``custom_id`` of a request says which it is and of which run (`ids`): what comes back belongs into
the run directory that exported it. It goes the way of every answer: canonical labels, store,
parser. Export again for what is left: repairs, errors, lines that are missing.
"""

from rubricbench.judging.batch.export import BatchExport, BatchLimits, export_batch
from rubricbench.judging.batch.importing import BatchImport, Importer
from rubricbench.judging.batch.index import OutputIndex

__all__ = [
    "BatchExport",
    "BatchImport",
    "BatchLimits",
    "Importer",
    "OutputIndex",
    "export_batch",
]
