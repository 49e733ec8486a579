"""What publishing would change: local files against those of a revision on the Hub."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class RemoteFile:
    """A file on the Hub: git's sha1 of it, or its sha256 where it is in LFS."""

    size: int
    sha1: str
    sha256: str


@dataclass(frozen=True)
class State:
    """A revision on the Hub.

    Args:
        commit: its commit; empty where the repository is not there.
        files: its files by path.
    """

    commit: str
    files: Mapping[str, RemoteFile]


@dataclass(frozen=True)
class Changes:
    """What a commit would do.

    Args:
        added: new files.
        changed: files with another content.
        removed: files of ours that are no longer there.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    @property
    def published(self) -> tuple[str, ...]:
        """Published splits that would change or go: others may depend on them."""
        return tuple(p for p in (*self.changed, *self.removed) if p.endswith(".parquet"))

    def text(self) -> str:
        """Return one line a file, for people."""
        signs = (("+", self.added), ("~", self.changed), ("-", self.removed))
        return "\n".join(f"  {sign} {path}" for sign, paths in signs for path in paths)


def remote_state(api: Any, repo: str, revision: str) -> State:
    """Return what a revision holds; an empty state where the repository is not there.

    Raises:
        HfHubHTTPError: the Hub cannot be asked.
    """
    from huggingface_hub.errors import RepositoryNotFoundError
    from huggingface_hub.hf_api import RepoFile

    try:
        commit = api.repo_info(repo, repo_type="dataset", revision=revision).sha
        listed = api.list_repo_tree(repo, repo_type="dataset", revision=commit, recursive=True)
        files = {
            f.path: RemoteFile(f.size, f.blob_id, f.lfs.sha256 if f.lfs else "")
            for f in listed
            if isinstance(f, RepoFile)
        }
    except RepositoryNotFoundError:
        return State("", {})
    return State(commit, files)


def compare(local: Mapping[str, bytes], remote: State) -> Changes:
    """Return what would change. Files that are not tables of ours are never removed.

    Args:
        local: content by path.
        remote: what is there.
    """
    added = sorted(path for path in local if path not in remote.files)
    changed = sorted(
        path
        for path, data in local.items()
        if path in remote.files and not _same(data, remote.files[path])
    )
    removed = sorted(p for p in remote.files if p.endswith(".parquet") and p not in local)
    return Changes(tuple(added), tuple(changed), tuple(removed))


def _same(data: bytes, file: RemoteFile) -> bool:
    if len(data) != file.size:
        return False
    if file.sha256:
        return hashlib.sha256(data).hexdigest() == file.sha256
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest() == file.sha1
