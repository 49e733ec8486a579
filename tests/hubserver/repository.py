"""A dataset repository as the Hub holds one: commits of whole trees, branches, tags, pulls."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Blob:
    """A file's content.

    Args:
        data: its bytes.
        lfs: whether it went through LFS: it is then named by sha256, else by git's blob sha1.
    """

    data: bytes
    lfs: bool = False

    @property
    def sha1(self) -> str:
        return hashlib.sha1(b"blob %d\0" % len(self.data) + self.data).hexdigest()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def oid(self) -> str:
        return self.sha256 if self.lfs else self.sha1


@dataclass(frozen=True)
class Commit:
    """A tree at one moment."""

    sha: str
    parent: str
    files: Mapping[str, Blob]
    message: str


class StaleParentError(Exception):
    """The branch has moved since the client looked."""


@dataclass
class Repository:
    """One repository; every change of a branch is one commit."""

    id: str
    private: bool = False
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    pulls: dict[str, str] = field(default_factory=dict)
    uploads: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._add("main", {}, "initial commit", parent="")

    def resolve(self, revision: str) -> Commit | None:
        """Return the commit of a branch, tag, pull request or sha."""
        sha = revision
        for names in (self.branches, self.tags, self.pulls):
            sha = names.get(revision, sha)
        return self.commits.get(sha)

    def commit(
        self,
        revision: str,
        changes: Mapping[str, Blob | None],
        message: str,
        *,
        parent: str | None = None,
        pull_request: bool = False,
    ) -> tuple[Commit, int | None]:
        """Apply changes (None deletes) as one commit; return it, and the pull request's number."""
        base = self.resolve(revision)
        assert base is not None
        if parent and parent != base.sha:
            raise StaleParentError
        files = {**base.files, **{p: b for p, b in changes.items() if b is not None}}
        for path in (p for p, b in changes.items() if b is None):
            files.pop(path, None)
        if not pull_request:
            return self._add(revision, files, message, parent=base.sha), None
        number = len(self.pulls) + 1
        made = self._made(files, message, base.sha)
        self.pulls[f"refs/pr/{number}"] = made.sha
        return made, number

    def _add(self, branch: str, files: Mapping[str, Blob], message: str, parent: str) -> Commit:
        made = self._made(files, message, parent)
        self.branches[branch] = made.sha
        return made

    def _made(self, files: Mapping[str, Blob], message: str, parent: str) -> Commit:
        listed = "".join(f"{path} {blob.oid}\n" for path, blob in sorted(files.items()))
        named = f"{self.id}\n{len(self.commits)}\n{parent}\n{message}\n{listed}"
        made = Commit(hashlib.sha1(named.encode()).hexdigest(), parent, dict(files), message)
        self.commits[made.sha] = made
        return made
