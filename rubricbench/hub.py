"""Loading the datasets: the embedded copy, the Hub, or a folder of your own.

    rows = load("verifiable", split="test")                      # the copy in this package
    rows = load("health", split="test", source="hub")            # RUBRICBENCH_REPO on the Hub
    rows = load("mine", split="train", source="path/to/folder")  # folder/mine/train.parquet

The source is chosen, never guessed: what is not in the one you named is an error, not looked for
elsewhere.
"""

from __future__ import annotations

import importlib.resources
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rubricbench.errors import InputError

if TYPE_CHECKING:
    import datasets

DOMAINS = ("health", "generalist", "finance", "verifiable")
SPLITS = ("train", "test")
REPO_VARIABLE = "RUBRICBENCH_REPO"

# Marks benchmark rows, so that a training corpus can find and drop them.
CANARY = (
    "rubricbench canary: benchmark data must not appear in training corpora "
    "5f0d2c1e-8b57-4a39-9d6e-2c7a41f0b3e8"
)


def embedded(name: str | None = None) -> Path:
    """Return the folder of the embedded datasets, or of one of them."""
    folder = Path(str(importlib.resources.files("rubricbench"))) / "data"
    return folder / name if name else folder


def available() -> list[str]:
    """Return the names of the embedded datasets."""
    return sorted(f.name for f in embedded().iterdir() if (f / "test.parquet").is_file())


def load(
    name: str,
    *,
    split: str | None = None,
    revision: str | None = None,
    source: str | Path = "embedded",
    streaming: bool = False,
) -> datasets.Dataset | datasets.DatasetDict | Any:
    """Load a dataset of rubrics; each row reads with `Rubric.from_row`.

    Args:
        name: ``verifiable``, ``health``, ``generalist``, ``finance``, or a folder of your own.
        split: ``train`` or ``test``; None for all of them, by name.
        revision: tag, branch or commit; on the Hub only.
        source: ``embedded``, ``hub`` (the repository named by ``RUBRICBENCH_REPO``), or a folder
            that holds ``name/split.parquet``.
        streaming: yield rows without loading all of them.

    Raises:
        InputError: no such dataset, split or source.
    """
    if split is not None and split not in SPLITS:
        raise InputError(f"no split {split!r:.40}", hint="choose from " + ", ".join(SPLITS))
    if source == "hub":
        return _from_hub(name, split, revision, streaming)
    if revision is not None:
        raise InputError("only the Hub has revisions", hint="use source='hub', or leave it out")
    if source == "embedded":
        _require_embedded(name)
        return _from_folder(embedded(name), split, streaming)
    folder = Path(source) / name
    if not folder.is_dir():
        raise InputError("no such folder", where=str(folder), hint="source is the folder above it")
    return _from_folder(folder, split, streaming)


def _require_embedded(name: str) -> None:
    if name in available():
        return
    known = "is not embedded in this version" if name in DOMAINS else "does not exist"
    raise InputError(
        f"dataset {name!r:.60} {known}",
        hint=f"embedded: {', '.join(available())}; or name a source: 'hub', or a folder",
    )


def _from_folder(folder: Path, split: str | None, streaming: bool) -> Any:
    files = {s: folder / f"{s}.parquet" for s in ([split] if split else SPLITS)}
    present = {s: str(path) for s, path in files.items() if path.is_file()}
    if not present or (split and split not in present):
        raise InputError(f"no {split or 'train or test'}.parquet", where=str(folder))
    import datasets

    if streaming:
        return datasets.load_dataset("parquet", data_files=present, split=split, streaming=True)
    # Read directly: no second copy in a cache folder, and no progress bar for a megabyte.
    loaded = {s: _read(Path(path), s) for s, path in present.items()}
    return loaded[split] if split else datasets.DatasetDict(loaded)


def _read(path: Path, split: str) -> datasets.Dataset:
    import datasets
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return datasets.Dataset(pq.read_table(path), split=datasets.NamedSplit(split))
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"not a readable parquet file: {error}", where=str(path)) from None


def _from_hub(name: str, split: str | None, revision: str | None, streaming: bool) -> Any:
    repo = os.environ.get(REPO_VARIABLE, "")
    if not repo:
        raise InputError(
            f"{REPO_VARIABLE} is not set",
            hint="it names the dataset repository on the Hub, such as ORG/rubricbench",
        )
    import datasets
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return datasets.load_dataset(
            repo, name, split=split, revision=revision, streaming=streaming
        )
    except (ValueError, FileNotFoundError, ConnectionError, HfHubHTTPError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"cannot load {name!r} from the Hub: {reason}", where=repo) from error
