"""How a reward server listens, and what it takes."""

from __future__ import annotations

import ipaddress
import os

import msgspec

from rubricbench.errors import InputError

TOKEN_VARIABLE = "RUBRICBENCH_REWARD_TOKEN"
LOST_POLICIES = ("refuse", "mean")

_RANGES = {
    "port": (0, 65_535),
    "max_body_bytes": (1_024, 1 << 32),
    "max_rows": (1, 1_000_000),
    "max_rows_at_once": (1, 10_000_000),
    "max_waiting": (0, 1_000_000),
    "stop_seconds": (0.0, 86_400.0),
}


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Address, limits and policy of a server.

    Args:
        host: address to listen on; another than this machine's own needs a token.
        port: 0 takes a free one.
        token: what callers must show; nothing where anyone on this machine may call.
        max_body_bytes: of a request.
        max_rows: of a request.
        max_rows_at_once: rows being graded; further requests wait for room.
        max_waiting: requests that wait; further ones are refused with 429.
        lost: what a form that cannot carry null does with a lost row: ``refuse`` the whole request
            with 503 (asked again, it pays for the missing rows alone), or give it the ``mean`` of
            the known rewards of its prompt, or else of the request, and say so.
        stop_seconds: that requests under way may take after a stop was asked for.

    Raises:
        InputError: a field is out of range, or strangers could call without a token.
    """

    host: str = "127.0.0.1"
    port: int = 8400
    token: str = ""
    max_body_bytes: int = 64 << 20
    max_rows: int = 8_192
    max_rows_at_once: int = 16_384
    max_waiting: int = 256
    lost: str = "refuse"
    stop_seconds: float = 30.0

    def __post_init__(self) -> None:
        for field, (low, high) in _RANGES.items():
            if not low <= getattr(self, field) <= high:
                raise InputError(
                    f"the server's {field} must be from {low:g} to {high:,g}, "
                    f"got {getattr(self, field)!r:.40}"
                )
        if self.lost not in LOST_POLICIES:
            raise InputError(
                f"unknown policy {self.lost!r:.40} for lost rows",
                hint="choose from " + ", ".join(LOST_POLICIES),
            )
        if not (self.token.isascii() and self.token.isprintable()):
            raise InputError(f"the token in {TOKEN_VARIABLE} holds characters that no token has")
        if not self.token and not self.is_local:
            raise InputError(
                f"anyone who reaches {self.host} could spend the judge's money",
                hint=f"put a token into the variable {TOKEN_VARIABLE}, or listen on 127.0.0.1",
            )

    @property
    def is_local(self) -> bool:
        """Whether only this machine can call."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine's own."""
    name = host.strip("[]").rstrip(".").lower()
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def token_from_environment() -> str:
    """Return the token that callers must show; nothing if none is set."""
    return os.environ.get(TOKEN_VARIABLE, "").strip()
