"""Memory of the device that models run on."""

from __future__ import annotations

import gc


def release_memory() -> None:
    """Give memory of what is no longer referenced back to the GPU."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
