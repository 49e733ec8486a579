"""An OpenAI-compatible endpoint on loopback that answers as a function says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]


class Endpoint:
    """What was asked, and where to ask."""

    def __init__(self) -> None:
        self.base_url = ""
        self.bodies: list[Body] = []


@contextmanager
def endpoint(answer: Callable[[Body], str | int]) -> Iterator[Endpoint]:
    """Serve: ``answer`` returns the text of the answer, or an HTTP status to refuse with."""
    found = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found.bodies.append(body)
            said = answer(body)
            if isinstance(said, int):
                self.reply(said, {"error": {"message": f"status {said}"}})
                return
            message = {"role": "assistant", "content": said}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            usage = {"prompt_tokens": 7, "completion_tokens": 3}
            self.reply(200, {"model": body["model"], "choices": [choice], "usage": usage})

        def reply(self, status: int, document: Body) -> None:
            data = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    found.base_url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
