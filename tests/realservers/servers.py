"""Real model servers on loopback, as processes of their own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextlib.contextmanager
def running(
    command: Sequence[str], health: str, log: Path, *, env: Mapping[str, str], patience: float
) -> Iterator[None]:
    """Run a server until the context ends; it and its children are gone then.

    Args:
        command: how to start it.
        health: address that answers 200 once it serves.
        log: file for its output.
        env: further environment variables.
        patience: seconds it may take to come up.
    """
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "HF_HUB_OFFLINE": "1", **env},
            start_new_session=True,
        )
    try:
        _await(server, health, log, time.monotonic() + patience)
        yield
    finally:
        _end(server)


def _await(server: subprocess.Popen[bytes], health: str, log: Path, until: float) -> None:
    while time.monotonic() < until:
        if server.poll() is not None:
            break
        if _is_up(health):
            return
        time.sleep(0.2)
    raise RuntimeError("the server does not come up:\n" + log.read_text(errors="replace")[-3000:])


def _is_up(health: str) -> bool:
    try:
        with urllib.request.urlopen(health, timeout=5) as reply:
            return reply.status == 200
    except OSError:  # refused, or an HTTP error
        return False


def _end(server: subprocess.Popen[bytes]) -> None:
    for how, patience in ((signal.SIGINT, 20), (signal.SIGKILL, 5)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(patience)
            break
    with contextlib.suppress(ProcessLookupError):  # workers that outlived it
        os.killpg(server.pid, signal.SIGKILL)
