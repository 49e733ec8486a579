"""An OpenAI-compatible server for protocol, load and fault tests; never for claims about judges.

In a test, on a thread of its own::

    with SimServer(latency=0.05, fault=lambda call: "500" if call.attempt == 1 else "") as server:
        config = JudgeConfig(base_url=server.base_url, model="m")

As a process, whose log is at ``/log``::

    python tests/simserver/server.py --port 8000 --latency 0.05 --fault 500 --share 0.2

Every request is counted under the question it asks, whatever labels it uses.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import msgspec
from aiohttp import web

sys.path.insert(0, str(Path(__file__).parents[1]))

from simserver.faults import FAULTS, answer, error, ok
from simserver.latent import Question, content, read_question
from simserver.limits import Guard, read_limit


@dataclass(frozen=True)
class Call:
    """A request: its number, its question's key, and how often that was asked, this time included.

    Numbers and attempts start at 1.
    """

    number: int
    key: str
    attempt: int


Fault = Callable[[Call], str]


def always(name: str) -> Fault:
    """Every call meets the fault."""
    return lambda call: name


def at_first(name: str, attempts: int = 1) -> Fault:
    """The first attempts at each question meet the fault."""
    return lambda call: name if call.attempt <= attempts else ""


def mixed(names: list[str], share: float) -> Fault:
    """A share of the calls meets one of the faults, both drawn by question and attempt."""

    def draw(call: Call) -> str:
        digest = hashlib.sha256(f"{call.key} {call.attempt}".encode()).digest()
        hit = int.from_bytes(digest[:4], "big") < share * 2**32
        return names[digest[4] % len(names)] if hit else ""

    return draw


class SimServer:
    """The simulator; as a context manager it serves on a thread of its own.

    Args:
        latency: seconds before every reply.
        fault: call -> name of one of `FAULTS`, or "".
        api_key: the key it wants, if any.
        models: the only models it serves, if given.
        keep: whether to keep bodies and headers of all requests.
        limit: what it permits; the rest is refused at once, with 429.
    """

    def __init__(
        self,
        *,
        latency: float = 0.0,
        fault: Fault = lambda call: "",
        api_key: str = "",
        models: list[str] | None = None,
        keep: bool = True,
        port: int = 0,
        limit: Guard | None = None,
    ) -> None:
        self.latency, self.fault, self.api_key, self.models = latency, fault, api_key, models
        self.port, self._keep, self.limit = port, keep, limit
        self.requests = self.answered = self.in_flight = self.most_in_flight = 0
        self.asked: Counter[str] = Counter()
        self.replies: Counter[str] = Counter()
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def log(self) -> dict[str, Any]:
        """What was asked so far; ``repeated`` are requests for a question asked before."""
        return {
            "requests": self.requests,
            "answered": self.answered,
            "questions": len(self.asked),
            "repeated": self.requests - len(self.asked),
            "most_in_flight": self.most_in_flight,
            "replies": dict(self.replies),
            "limit": self.limit.log() if self.limit else None,
        }

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/v1/chat/completions" and request.method == "POST":
            return await self._complete(request)
        if request.path == "/log":
            return web.json_response(self.log())
        if request.path == "/v1/models":
            served = [{"id": name, "object": "model"} for name in self.models or []]
            return web.json_response({"object": "list", "data": served})
        return web.Response(status=404, text="404: Not Found")

    async def _complete(self, request: web.BaseRequest) -> web.StreamResponse:
        body = msgspec.json.decode(await request.read())
        question = read_question(body["messages"])
        call = self._counted(question.key if question else json.dumps(body["messages"]))
        if self._keep:
            self.bodies.append(body)
            self.headers.append(dict(request.headers))
        if self.limit is None:
            return await self._reply_in_time(request, body, question, call)
        passes, headers = self.limit.enter()
        if not passes:
            self.replies["limited"] += 1
            return error(429, "Rate limit reached", code="rate_limit_exceeded", **headers)
        try:
            reply = await self._reply_in_time(request, body, question, call)
        finally:
            self.limit.leave()
        reply.headers.update(headers)
        return reply

    async def _reply_in_time(
        self,
        request: web.BaseRequest,
        body: dict[str, Any],
        question: Question | None,
        call: Call,
    ) -> web.StreamResponse:
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if self.latency:
                await asyncio.sleep(self.latency)
            return self._refusal(request, body) or await self._reply(request, question, call)
        finally:
            self.in_flight -= 1

    def _counted(self, key: str) -> Call:
        self.requests += 1
        self.asked[key] += 1
        return Call(self.requests, key, self.asked[key])

    def _refusal(self, request: web.BaseRequest, body: dict[str, Any]) -> web.Response | None:
        given = request.headers.get("Authorization", "")
        if self.api_key and given != f"Bearer {self.api_key}":
            return error(401, f"Incorrect API key provided: {given}", code="invalid_api_key")
        if self.models is not None and body["model"] not in self.models:
            message = f"The model `{body['model']}` does not exist"
            return error(404, message, code="model_not_found")
        return None

    async def _reply(
        self, request: web.BaseRequest, question: Question | None, call: Call
    ) -> web.StreamResponse:
        name = self.fault(call)
        self.replies[name or "good"] += 1
        if name:
            return await FAULTS[name](request, question or Question((), "", "json"))
        self.answered += 1
        return ok(answer(content(question)))

    async def serve(self) -> None:
        """Listen; returns at once."""
        # The bare server: routing and application signals would take a third of its speed.
        server = web.Server(self.handle, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, backlog=4096)
        await site.start()
        self.port = self._runner.addresses[0][1]

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._loop.run_until_complete(self.serve())
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)
        self._loop.close()

    async def _close(self) -> None:
        await self._runner.cleanup()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


def main() -> None:
    import uvloop

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before every reply")
    parser.add_argument("--fault", action="append", choices=list(FAULTS), default=[])
    parser.add_argument("--share", type=float, default=1.0, help="share of calls that meet a fault")
    parser.add_argument("--limit", type=read_limit, help="such as 'in flight 40' (limits.py)")
    parser.add_argument("--tell", nargs="*", default=[], help="headers of the limit (limits.told)")
    options = parser.parse_args()
    fault = mixed(options.fault, options.share) if options.fault else always("")
    limit = Guard(options.limit, options.tell) if options.limit else None
    server = SimServer(
        latency=options.latency, fault=fault, keep=False, port=options.port, limit=limit
    )

    async def forever() -> None:
        await server.serve()
        print(f"listening on {server.base_url}", flush=True)
        await asyncio.Event().wait()

    uvloop.run(forever())


if __name__ == "__main__":
    main()
