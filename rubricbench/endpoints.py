"""Whether an OpenAI-compatible endpoint answers: its list of models, asked for without trust."""

from __future__ import annotations

import http.client
import json
import os
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

import msgspec

ENDPOINT_SECONDS = 5.0
MAX_ANSWER_BYTES = 4 << 20
MAX_SHOWN = 200
API_KEY_VARIABLES = ("RUBRICBENCH_JUDGE_API_KEY", "OPENAI_API_KEY")


class Endpoint(msgspec.Struct, frozen=True):
    """Whether an OpenAI-compatible endpoint lists its models."""

    url: str
    ok: bool
    detail: str


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer: followed, it would carry the API key to another host."""

    def redirect_request(self, *args: Any) -> None:
        """Follow none."""


def ask(url: str) -> Endpoint:
    """Ask an endpoint for its models.

    Args:
        url: base URL, ``http://host:port/v1``. The key of `API_KEY_VARIABLES` is sent to it alone,
            and never shown.
    """
    parts = _parts(url)
    if parts is None:
        return Endpoint(_shown(url), False, "not an http(s) URL")
    if "@" in parts.netloc:
        bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        return Endpoint(
            _shown(bare), False, f"the URL holds a password: use {API_KEY_VARIABLES[0]}"
        )
    key = next(
        (value for name in API_KEY_VARIABLES if (value := os.environ.get(name, "").strip())), ""
    )
    if not (key.isascii() and key.isprintable()):
        return Endpoint(_shown(url), False, "the API key has characters that no key has")
    try:
        return Endpoint(_shown(url), True, "models: " + _shown(_model_names(_answer(url, key))))
    except urllib.error.HTTPError as error:
        return Endpoint(_shown(url), False, _shown(f"HTTP {error.code}: {error.reason}"))
    except OSError as error:
        return Endpoint(_shown(url), False, _shown(f"no answer: {_reason(error)}"))
    except (http.client.HTTPException, ValueError, TypeError, KeyError, RecursionError):
        return Endpoint(_shown(url), False, "it answers, but with no list of models")


def _parts(url: str) -> Any:
    """Return the parts of a URL that can be asked, else None."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        return None
    clean = url.isascii() and url.isprintable() and " " not in url
    return parts if usable and clean else None


def _answer(url: str, key: str) -> Any:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    request = urllib.request.Request(f"{url.rstrip('/')}/models", headers=headers)
    opener = urllib.request.build_opener(_NoRedirect)
    with opener.open(request, timeout=ENDPOINT_SECONDS) as answer:
        return json.loads(answer.read(MAX_ANSWER_BYTES))


def _model_names(answer: Any) -> str:
    return ", ".join(str(model["id"]) for model in answer["data"][:5]) or "none"


def _reason(error: OSError) -> str:
    reason = getattr(error, "reason", error)
    return getattr(reason, "strerror", None) or str(reason)


def _shown(text: str) -> str:
    """Return one short line: what comes from outside may hold line breaks and terminal codes."""
    line = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(line.split())[:MAX_SHOWN]
