"""The parts of the Hub's API that unmodified `huggingface_hub` and `datasets` clients use.

In a test, on a thread of its own; clients run in a process with ``HF_ENDPOINT`` set::

    with HubServer(fault=lambda call: "503" if call.kind == "commit" else "") as hub:
        subprocess.run([...], env={**os.environ, **hub.environment(tmp_path)})
        hub.repositories["org/name"].branches["main"]

Never imported by the product.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote

from aiohttp import web
from hubserver.repository import Blob, Commit, Repository, StaleParentError

LFS_FROM = 10_000_000  # bytes; smaller files go along with the commit, unless `lfs` says otherwise
_ID = r"(?P<id>[^/]+/[^/]+)"
_REV = r"(?P<rev>[^/]+)"


@dataclass(frozen=True)
class Call:
    """A request: its kind (the name of its handler), its path, and how often it was made."""

    kind: str
    path: str
    attempt: int


Fault = Callable[[Call], str]
Handler = Callable[["HubServer", web.Request, dict[str, str]], Awaitable[web.StreamResponse]]
_ROUTES: list[tuple[str, re.Pattern[str], str, Handler]] = []


def route(method: str, pattern: str) -> Callable[[Handler], Handler]:
    """Serve a raw path (still quoted: ``refs%2Fpr%2F1`` stays one segment)."""

    def add(handler: Handler) -> Handler:
        _ROUTES.append((method, re.compile(pattern), handler.__name__, handler))
        return handler

    return add


def problem(status: int, code: str, message: str) -> web.Response:
    """Return an error as clients read it: without its code a missing revision looks like a fault
    of the network."""
    headers = {"X-Error-Code": code, "X-Error-Message": message}
    return web.json_response({"error": message}, status=status, headers=headers)


class HubServer:
    """A Hub with nothing in it.

    Args:
        fault: call -> ``401 403 409 412 429 500 503`` (that answer, nothing done), ``drop``
            (connection cut, nothing done), ``done_then_drop`` (done, connection cut), ``slow``
            (a second's wait), or "".
        token: the token it wants for writing; empty wants none.
        lfs: whether files go through LFS; None by their size.
    """

    def __init__(
        self, *, fault: Fault = lambda call: "", token: str = "", lfs: bool | None = False
    ) -> None:
        self.fault, self.token, self.lfs = fault, token, lfs
        self.repositories: dict[str, Repository] = {}
        self.calls: Counter[str] = Counter()
        self.attempts: Counter[str] = Counter()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self, home: Path, token: str = "") -> dict[str, str]:
        """Return what a client's process needs to know, with a cache of its own."""
        return {
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(home),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_TOKEN": token or self.token or "hf_nobody",
        }

    def __enter__(self) -> Self:
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/{rest:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = request.rel_url.raw_path
        for method, pattern, kind, handler in _ROUTES:
            found = pattern.fullmatch(path)
            if found and request.method == method:
                return await self._handled(request, kind, handler, found.groupdict())
        return problem(404, "EntryNotFound", f"no such address: {request.method} {path}")

    async def _handled(
        self, request: web.Request, kind: str, handler: Handler, named: dict[str, str]
    ) -> web.StreamResponse:
        self.calls[kind] += 1
        path = request.rel_url.raw_path
        self.attempts[f"{kind} {path}"] += 1
        fault = self.fault(Call(kind, path, self.attempts[f"{kind} {path}"]))
        if fault == "slow":
            await asyncio.sleep(1)
        elif fault == "drop":
            return _cut(request)
        elif fault.isdigit():
            return problem(int(fault), "", f"a fault on purpose: {fault}")
        values = {name: unquote(value) for name, value in named.items() if value is not None}
        answer = await handler(self, request, values)
        return _cut(request) if fault == "done_then_drop" else answer

    def may_write(self, request: web.Request) -> bool:
        return not self.token or request.headers.get("Authorization") == f"Bearer {self.token}"

    def at(self, named: dict[str, str]) -> tuple[Repository, Commit] | web.Response:
        """Return the repository and commit of a request, or the answer that there is none."""
        repository = self.repositories.get(named["id"])
        if repository is None:
            return problem(404, "RepoNotFound", "Repository not found")
        revision = named.get("rev", "main")
        commit = repository.resolve(revision)
        if commit is None:
            return problem(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return repository, commit


def _cut(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@route("POST", "/api/repos/create")
async def create(hub: HubServer, request: web.Request, named: dict[str, str]) -> web.Response:
    asked = await request.json()
    if not hub.may_write(request):
        return problem(401, "", "Invalid credentials")
    name = f"{asked.get('organization') or 'me'}/{asked['name']}"
    url = f"{hub.url}/datasets/{name}"
    if name in hub.repositories:
        return web.json_response({"error": "You already created this", "url": url}, status=409)
    hub.repositories[name] = Repository(name, private=bool(asked.get("private")))
    return web.json_response({"url": url, "name": name})


@route("POST", "/api/validate-yaml")
async def validate(hub: HubServer, request: web.Request, named: dict[str, str]) -> web.Response:
    return web.json_response({"warnings": [], "errors": []})


@route("GET", "/api/whoami-v2")
async def whoami(hub: HubServer, request: web.Request, named: dict[str, str]) -> web.Response:
    if not hub.may_write(request):
        return problem(401, "", "Invalid credentials")
    return web.json_response({"name": "me", "type": "user", "orgs": [{"name": "org"}]})


@route("POST", f"/api/datasets/{_ID}/preupload/{_REV}")
async def preupload(hub: HubServer, request: web.Request, named: dict[str, str]) -> web.Response:
    found = hub.at(named)
    if isinstance(found, web.Response):
        return found
    if not hub.may_write(request):
        return problem(403, "", "You have no right to write here")
    _, commit = found
    files = []
    for asked in (await request.json())["files"]:
        large = asked["size"] >= LFS_FROM if hub.lfs is None else hub.lfs
        blob = commit.files.get(asked["path"])
        files.append(
            {
                "path": asked["path"],
                "uploadMode": "lfs" if large and asked["path"] != "README.md" else "regular",
                "shouldIgnore": False,
                "oid": blob.oid if blob else None,
            }
        )
    return web.json_response({"files": files})


@route("POST", f"/datasets/{_ID}\\.git/info/lfs/objects/batch")
async def lfs_batch(hub: HubServer, request: web.Request, named: dict[str, str]) -> web.Response:
    found = hub.at(named)
    if isinstance(found, web.Response):
        return found
    repository, _ = found
    objects = []
    for asked in (await request.json())["objects"]:
        entry: dict[str, Any] = {"oid": asked["oid"], "size": asked["size"]}
        if asked["oid"] not in repository.uploads:
            entry["actions"] = {"upload": {"href": f"{hub.url}/lfs/{named['id']}/{asked['oid']}"}}
        objects.append(entry)
    return web.json_response({"transfer": "basic", "objects": objects})


@route("PUT", f"/lfs/{_ID}/(?P<oid>[0-9a-f]+)")
async def lfs_put(hub: HubServer, request: web.Request, named: dict[str, str]) -> web.Response:
    data = await request.read()
    blob = Blob(data, lfs=True)
    if blob.sha256 != named["oid"]:
        return problem(400, "", "the content is not what was announced")
    hub.repositories[named["id"]].uploads[named["oid"]] = data
    return web.Response()


@route("POST", f"/api/datasets/{_ID}/commit/{_REV}")
async def commit(hub: HubServer, request: web.Request, named: dict[str, str]) -> web.Response:
    found = hub.at(named)
    if isinstance(found, web.Response):
        return found
    if not hub.may_write(request):
        return problem(403, "", "You have no right to write here")
    repository, _ = found
    lines = [json.loads(line) for line in (await request.read()).splitlines() if line.strip()]
    header = next(line["value"] for line in lines if line["key"] == "header")
    changes: dict[str, Blob | None] = {}
    for line in lines:
        value = line["value"]
        if line["key"] == "file":
            changes[value["path"]] = Blob(base64.b64decode(value["content"]))
        elif line["key"] == "lfsFile":
            if value["oid"] not in repository.uploads:
                return problem(400, "", f"{value['path']} was not uploaded")
            changes[value["path"]] = Blob(repository.uploads[value["oid"]], lfs=True)
        elif line["key"] == "deletedFile":
            changes[value["path"]] = None
    pull = request.query.get("create_pr") == "1"
    try:
        made, number = repository.commit(
            named["rev"],
            changes,
            header["summary"],
            parent=header.get("parentCommit"),
            pull_request=pull,
        )
    except StaleParentError:
        return problem(412, "", "A commit has happened since. Please refresh and try again.")
    url = f"{hub.url}/datasets/{named['id']}"
    answer = {"success": True, "commitOid": made.sha, "commitUrl": f"{url}/commit/{made.sha}"}
    if number is not None:
        answer["pullRequestUrl"] = f"{url}/discussions/{number}"
    return web.json_response(answer)


@route("POST", f"/api/datasets/{_ID}/tag/{_REV}")
async def tag(hub: HubServer, request: web.Request, named: dict[str, str]) -> web.Response:
    found = hub.at(named)
    if isinstance(found, web.Response):
        return found
    if not hub.may_write(request):
        return problem(403, "", "You have no right to write here")
    repository, at = found
    name = (await request.json())["tag"]
    if name in repository.tags:
        return problem(409, "", f"Tag {name} already exists")
    repository.tags[name] = at.sha
    return web.Response()


@route("DELETE", f"/api/datasets/{_ID}/tag/{_REV}")
async def untag(hub: HubServer, request: web.Request, named: dict[str, str]) -> web.Response:
    repository = hub.repositories[named["id"]]
    if repository.tags.pop(named["rev"], None) is None:
        return problem(404, "RevisionNotFound", "no such tag")
    return web.Response()


@route("GET", f"/api/datasets/{_ID}(?:/revision/{_REV})?")
async def info(hub: HubServer, request: web.Request, named: dict[str, str]) -> web.Response:
    found = hub.at(named)
    if isinstance(found, web.Response):
        return found
    repository, at = found
    siblings = [{"rfilename": path} for path in sorted(at.files)]
    return web.json_response(
        {
            "id": repository.id,
            "sha": at.sha,
            "private": repository.private,
            "disabled": False,
            "gated": False,
            "downloads": 0,
            "likes": 0,
            "tags": [],
            "lastModified": "2026-01-01T00:00:00.000Z",
            "siblings": siblings,
        }
    )


def _entry(path: str, blob: Blob) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "path": path, "oid": blob.sha1, "size": len(blob.data)}
    if blob.lfs:
        entry["lfs"] = {"oid": blob.sha256, "size": len(blob.data), "pointerSize": 130}
    return entry


def _folders(paths: list[str]) -> list[str]:
    found = {"/".join(p.split("/")[:i]) for p in paths for i in range(1, p.count("/") + 1)}
    return sorted(found)


@route("GET", f"/api/datasets/{_ID}/tree/{_REV}(?:/(?P<path>.*))?")
async def tree(hub: HubServer, request: web.Request, named: dict[str, str]) -> web.Response:
    found = hub.at(named)
    if isinstance(found, web.Response):
        return found
    _, at = found
    under = named.get("path", "").rstrip("/")
    deep = request.query.get("recursive", "").lower() in ("1", "true")
    prefix = f"{under}/" if under else ""

    def listed(path: str) -> bool:
        return path.startswith(prefix) and (deep or "/" not in path[len(prefix) :])

    folders = [f for f in _folders(list(at.files)) if listed(f) and f != under]
    files = [(p, b) for p, b in sorted(at.files.items()) if listed(p)]
    if under and not files and not folders:
        return problem(404, "EntryNotFound", f"{under} does not exist")
    entries = [{"type": "directory", "path": f, "oid": "0" * 40, "size": 0} for f in folders]
    return web.json_response([*entries, *(_entry(p, b) for p, b in files)])


@route("POST", f"/api/datasets/{_ID}/paths-info/{_REV}")
async def paths_info(hub: HubServer, request: web.Request, named: dict[str, str]) -> web.Response:
    found = hub.at(named)
    if isinstance(found, web.Response):
        return found
    _, at = found
    if request.content_type == "application/json":
        wanted = (await request.json())["paths"]
    else:
        wanted = (await request.post()).getall("paths")
    entries = [_entry(p, at.files[p]) for p in wanted if p in at.files]
    folders = set(_folders(list(at.files)))
    entries += [
        {"type": "directory", "path": p, "oid": "0" * 40, "size": 0} for p in wanted if p in folders
    ]
    return web.json_response(entries)


@route("GET", f"/api/datasets/{_ID}/refs")
async def refs(hub: HubServer, request: web.Request, named: dict[str, str]) -> web.Response:
    found = hub.at(named)
    if isinstance(found, web.Response):
        return found
    repository, _ = found

    def listed(names: dict[str, str], kind: str) -> list[dict[str, str]]:
        return [
            {"name": n, "ref": n if kind == "pr" else f"refs/{kind}/{n}", "targetCommit": sha}
            for n, sha in names.items()
        ]

    return web.json_response(
        {
            "branches": listed(repository.branches, "heads"),
            "tags": listed(repository.tags, "tags"),
            "converts": [],
            "pullRequests": listed(repository.pulls, "pr"),
        }
    )


@route("GET", f"/api/datasets/{_ID}/commits/{_REV}")
async def commits(hub: HubServer, request: web.Request, named: dict[str, str]) -> web.Response:
    found = hub.at(named)
    if isinstance(found, web.Response):
        return found
    repository, at = found
    listed = []
    here: Commit | None = at
    while here is not None:
        listed.append(
            {
                "id": here.sha,
                "title": here.message,
                "message": "",
                "date": "2026-01-01T00:00:00.000Z",
                "authors": [{"user": "me"}],
            }
        )
        here = repository.commits.get(here.parent)
    return web.json_response(listed)


async def _file(hub: HubServer, request: web.Request, named: dict[str, str]) -> web.Response:
    found = hub.at(named)
    if isinstance(found, web.Response):
        return found
    _, at = found
    blob = at.files.get(named["path"])
    if blob is None:
        return problem(404, "EntryNotFound", f"{named['path']} does not exist")
    headers = {"X-Repo-Commit": at.sha, "ETag": f'"{blob.oid}"', "Accept-Ranges": "bytes"}
    if blob.lfs:
        headers |= {"X-Linked-ETag": f'"{blob.oid}"', "X-Linked-Size": str(len(blob.data))}
    span = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range", ""))
    if span is None:
        return web.Response(body=blob.data, headers=headers)
    start, end = int(span[1]), int(span[2] or len(blob.data) - 1)
    if start >= len(blob.data):
        return web.Response(status=416)
    part = blob.data[start : end + 1]
    headers["Content-Range"] = f"bytes {start}-{start + len(part) - 1}/{len(blob.data)}"
    return web.Response(status=206, body=part, headers=headers)


@route("GET", f"/datasets/{_ID}/resolve/{_REV}/(?P<path>.+)")
async def download(hub: HubServer, request: web.Request, named: dict[str, str]) -> web.Response:
    return await _file(hub, request, named)


@route("HEAD", f"/datasets/{_ID}/resolve/{_REV}/(?P<path>.+)")
async def head(hub: HubServer, request: web.Request, named: dict[str, str]) -> web.Response:
    return await _file(hub, request, named)
