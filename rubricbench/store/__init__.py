"""The completion store: every paid call, once, under the hash of what was asked.

    with Store.open("store.sqlite") as store:
        key, request = request_key({"messages": [...], "model": "judge-1", "sampling": {...}})
        found = store.get_many([key])
        if key not in found:
            store.put(Completion(key=key, request=request, text=ask_the_model()))
        store.flush()          # returns once it is on disk

Append-only: the first answer under a key stays. `Store.put` takes microseconds; a thread commits in
groups about every 20 ms, and what is on its way to the disk is found already. Several threads and
several processes may use one store. A process killed at any moment loses at most what it had not
flushed, and the file opens again as it is. `Store.verify` finds damage, `Store.export` and
`Store.import_` carry a store to parquet and back.
"""

from rubricbench.store.audit import StoreStats, VerifyReport
from rubricbench.store.completion import Completion, request_key
from rubricbench.store.store import Store

__all__ = ["Completion", "Store", "StoreStats", "VerifyReport", "request_key"]
