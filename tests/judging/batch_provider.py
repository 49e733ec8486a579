"""A provider of batches: reads a batch file as OpenAI's does, and writes what comes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from simserver.answers import values, written
from simserver.asked import read_question
from simserver.latent import truth
from simserver.replies import answer


def requests(folder: Path) -> list[dict[str, Any]]:
    """The requests of all batch files of a folder, in order."""
    return [
        json.loads(line)
        for path in sorted(folder.glob("*.jsonl"))
        for line in path.read_bytes().splitlines()
    ]


def completion(request: dict[str, Any], text: str | None = None) -> dict[str, Any]:
    """The body of the honest answer to a request, or of another text."""
    question = read_question(request["body"]["messages"])
    assert question is not None
    verdicts = [truth(criterion, question.response) for _, criterion in question.criteria]
    said = written(question.form, values(question, verdicts)) if text is None else text
    body: dict[str, Any] = json.loads(answer(said))
    return body


def done(request: dict[str, Any], text: str | None = None) -> dict[str, Any]:
    """An output line with an answer."""
    return replied(request, 200, completion(request, text))


def replied(request: dict[str, Any], status: int, body: Any) -> dict[str, Any]:
    """An output line with any response."""
    response = {"status_code": status, "request_id": "r", "body": body}
    return {"id": "b", "custom_id": request["custom_id"], "response": response, "error": None}


def failed(request: dict[str, Any], code: str, message: str = "") -> dict[str, Any]:
    """A line of the error file: the request was not run."""
    error = {"code": code, "message": message}
    return {"id": "b", "custom_id": request["custom_id"], "response": None, "error": error}


def write(path: Path, *lines: dict[str, Any] | bytes) -> Path:
    """Write an output file; bytes are lines as they are."""
    data = [x if isinstance(x, bytes) else json.dumps(x).encode() for x in lines]
    path.write_bytes(b"\n".join(data) + b"\n")
    return path
