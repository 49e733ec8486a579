"""A loopback server that speaks OpenAI chat completions and answers from a table."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Turns = tuple[tuple[str, str], ...]


def turns(messages: list[dict[str, str]]) -> Turns:
    """Return messages as a key."""
    return tuple((m["role"], m["content"]) for m in messages)


@contextmanager
def chat_server(answers: Mapping[Turns, str]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Serve; yields the endpoint's URL and the list of payloads received."""
    received: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            received.append({**payload, "path": self.path})
            message = {"role": "assistant", "content": answers[turns(payload["messages"])]}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            body = json.dumps({"model": payload["model"], "choices": [choice]}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/chat/completions", received
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
