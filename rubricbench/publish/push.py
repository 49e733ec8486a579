"""One atomic commit, tried until it is there or cannot be, then read back and compared.

A version is never half visible: all files go into one commit, on top of the one they were compared
with. Where an answer is lost, the Hub is asked what it holds before anything is sent again, so a
commit that was made is not made twice.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rubricbench.errors import InputError
from rubricbench.publish.benchmark import eval_yaml
from rubricbench.publish.card import LICENSE, card
from rubricbench.publish.compare import Changes, State, compare, remote_state
from rubricbench.publish.package import Package
from rubricbench.publish.retry import PublishError, Retrying


@dataclass(frozen=True)
class Target:
    """Where to publish.

    Args:
        repo: ``ORG/NAME``.
        private: for a repository that is made.
        tag: of the new version; empty for none.
        pull_request: open one instead of committing to the main branch.
        license: SPDX identifier in lower case.
    """

    repo: str
    private: bool = False
    tag: str = ""
    pull_request: bool = False
    license: str = LICENSE

    def __post_init__(self) -> None:
        from huggingface_hub.errors import HFValidationError
        from huggingface_hub.utils._validators import validate_repo_id

        try:
            validate_repo_id(self.repo)
        except HFValidationError as error:
            raise InputError(
                f"repository {self.repo!r:.100}: {error}", hint="name it ORG/NAME"
            ) from None
        if "/" not in self.repo:
            raise InputError(f"repository {self.repo!r:.100}", hint="name it ORG/NAME")
        if self.tag and self.pull_request:
            raise InputError("a pull request has no tag", hint="tag once it is merged")


@dataclass(frozen=True)
class Published:
    """What came of it.

    Args:
        changes: what was, or would be, changed.
        commit: commit that holds the files; empty for a dry run.
        url: of the commit or pull request; empty where nothing was to do.
        verified: files downloaded and found equal.
    """

    changes: Changes
    commit: str = ""
    url: str = ""
    verified: int = 0


Agree = Callable[[Changes], bool]


def files(package: Package, target: Target) -> dict[str, bytes]:
    """Return every file of the repository that is ours, by path."""
    tables = {table.remote: table.path.read_bytes() for table in package.tables}
    readme = card(package, target.repo, tag=target.tag, license=target.license)
    return {
        **tables,
        "README.md": readme.encode("utf-8"),
        "eval.yaml": eval_yaml(package, target.repo).encode("utf-8"),
    }


def publish(
    package: Package,
    target: Target,
    *,
    dry_run: bool = False,
    agree: Agree = lambda changes: False,
    say: Callable[[str], None] = lambda text: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Published:
    """Publish a package, unless the Hub has it already.

    The token is that of the Hub's own login or environment; it is never an argument.

    Args:
        package: what.
        target: where.
        dry_run: only compare.
        agree: is asked before published splits change or go.
        say: is told what is happening.
        sleep: waits between attempts, seconds.

    Raises:
        InputError: the token is missing or has no right, a published split would change and nobody
            agrees, the tag is that of another version.
        PublishError: the Hub does not answer, or what it holds afterwards is not what was sent.
    """
    from huggingface_hub import HfApi

    hub = _Hub(HfApi(), target, Retrying(target.repo, say, sleep))
    local = files(package, target)
    before = hub.state()
    changes = compare(local, before)
    if dry_run:
        return Published(changes)
    if changes.published and not agree(changes):
        raise InputError(
            f"published splits would change: {', '.join(changes.published)}",
            where=target.repo,
            hint="publish under another name, or agree to it (--yes)",
        )
    commit, url = hub.commit(local, before, changes) if changes else (before.commit, "")
    if target.tag:
        hub.tag(commit)
    return Published(changes, commit, url, hub.verified(local, commit))


class _Hub:
    """The Hub as far as publishing needs it."""

    def __init__(self, api: Any, target: Target, tried: Retrying) -> None:
        self._api, self._target, self._tried = api, target, tried

    def state(self, revision: str = "main") -> State:
        """Return what a revision holds."""
        repo = self._target.repo
        return self._tried("read the repository", lambda: remote_state(self._api, repo, revision))

    def commit(
        self, local: Mapping[str, bytes], before: State, changes: Changes
    ) -> tuple[str, str]:
        """Make the commit, or the pull request; return its commit and address."""
        if not before.commit:
            self._tried("make the repository", self._create)
            before = self.state()
        if self._target.pull_request:
            return self._tried("open a pull request", lambda: self._pull_request(local, before))
        return self._tried("commit", lambda: self._committed(local, before, changes))

    def _committed(
        self, local: Mapping[str, bytes], before: State, changes: Changes
    ) -> tuple[str, str]:
        now = self.state()
        if not compare(local, now):  # an earlier attempt did it, and its answer was lost
            return now.commit, f"{self._address()}/commit/{now.commit}"
        if now.commit != before.commit and compare(local, now) != changes:
            what = "somebody else committed meanwhile"
            raise PublishError(what, where=self._target.repo, hint="look at it, and publish again")
        info = self._send(local, now)
        return info.oid, info.commit_url

    def _pull_request(self, local: Mapping[str, bytes], before: State) -> tuple[str, str]:
        refs = self._api.list_repo_refs(
            self._target.repo, repo_type="dataset", include_pull_requests=True
        )
        for ref in refs.pull_requests or ():
            there = remote_state(self._api, self._target.repo, ref.ref)
            if not compare(local, there):
                number = ref.ref.rpartition("/")[2]
                return there.commit, f"{self._address()}/discussions/{number}"
        info = self._send(local, before)
        return info.oid, str(info.pr_url)

    def _create(self) -> None:
        self._api.create_repo(
            self._target.repo, repo_type="dataset", private=self._target.private, exist_ok=True
        )

    def _send(self, local: Mapping[str, bytes], now: State) -> Any:
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        changes = compare(local, now)
        return self._api.create_commit(
            self._target.repo,
            [
                *(CommitOperationAdd(p, local[p]) for p in (*changes.added, *changes.changed)),
                *(CommitOperationDelete(path) for path in changes.removed),
            ],
            commit_message=_message(changes, self._target.tag),
            repo_type="dataset",
            parent_commit=now.commit,
            create_pr=self._target.pull_request,
        )

    def tag(self, commit: str) -> None:
        """Tag a commit; a tag that is there already must be on it."""
        self._tried(f"tag {self._target.tag}", lambda: self._tagged(commit))

    def _tagged(self, commit: str) -> None:
        repo, name = self._target.repo, self._target.tag
        refs = self._api.list_repo_refs(repo, repo_type="dataset")
        there = {ref.name: ref.target_commit for ref in refs.tags}
        if name not in there:
            self._api.create_tag(repo, tag=name, revision=commit, repo_type="dataset")
        elif there[name] != commit:
            raise InputError(
                f"tag {name} is on another version ({there[name][:8]})",
                where=repo,
                hint="a published version stays as it is: choose the next number",
            )

    def verified(self, local: Mapping[str, bytes], commit: str) -> int:
        """Download every file of a commit anew and compare it; return how many."""
        for path, data in local.items():
            fetch = partial(self._downloaded, path, commit)
            if self._tried(f"download {path}", fetch) != data:
                where = f"{self._target.repo}@{commit[:8]}"
                raise PublishError(f"{path} came back with another content", where=where)
        return len(local)

    def _downloaded(self, path: str, commit: str) -> bytes:
        # A cache of its own: one that holds the file already would prove nothing.
        with tempfile.TemporaryDirectory() as cache:
            found = self._api.hf_hub_download(
                self._target.repo, path, repo_type="dataset", revision=commit, cache_dir=cache
            )
            return Path(found).read_bytes()

    def _address(self) -> str:
        return f"{self._api.endpoint}/datasets/{self._target.repo}"


def _message(changes: Changes, tag: str) -> str:
    counted = (("add", changes.added), ("change", changes.changed), ("remove", changes.removed))
    what = ", ".join(f"{verb} {len(paths)}" for verb, paths in counted if paths)
    return f"{tag or 'Publish'}: {what} files"
