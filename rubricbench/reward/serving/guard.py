"""Who may call: those who show the token; without one, programs of this machine, not its browser.

A page in a browser can send requests to 127.0.0.1, and each would spend the judge's money. It
cannot send JSON to another origin without asking first, nor hide the name it reached us by.
"""

from __future__ import annotations

import base64
import binascii
import hmac

from aiohttp import web

from rubricbench.reward.serving.settings import ServerSettings, is_loopback


class RefusedError(Exception):
    """A request that is not answered.

    Args:
        status: of HTTP.
        what: why, in a line.
    """

    def __init__(self, status: int, what: str) -> None:
        self.status = status
        super().__init__(what)


def require_permission(request: web.Request, settings: ServerSettings) -> None:
    """See that a request may be answered.

    Raises:
        RefusedError: the token is missing or wrong, or a browser may be behind it.
    """
    if settings.token:
        shown = _shown(request.headers.get("Authorization", ""))
        if not hmac.compare_digest(shown.encode(), settings.token.encode()):
            raise RefusedError(
                401, "the token is missing or wrong: send Authorization: Bearer TOKEN"
            )
    elif not is_loopback((request.host or "").rsplit(":", 1)[0]):
        raise RefusedError(403, f"the host {request.host!r:.80} is not this machine's own name")
    if request.method == "POST" and request.content_type != "application/json":
        raise RefusedError(415, "send JSON, with Content-Type: application/json")


def _shown(header: str) -> str:
    """Return the token of a header: bearer, or the password of a URL (``http://x:TOKEN@host``)."""
    kind, _, value = header.partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode("utf-8").partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""
