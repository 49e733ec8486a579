"""The simulator as a process of its own, so that it costs the client's interpreter nothing."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, Self

SERVER = Path(__file__).with_name("server.py")


class SimProcess:
    """``python tests/simserver/server.py``, started and ended; a context manager.

    Args:
        options: of its command line, such as ``--latency 0.05``.
    """

    def __init__(self, *options: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._address = f"http://127.0.0.1:{free.getsockname()[1]}"
        port = self._address.rpartition(":")[2]
        self._arguments = [sys.executable, str(SERVER), "--port", port, *options]

    @property
    def base_url(self) -> str:
        return f"{self._address}/v1"

    def log(self) -> dict[str, Any]:
        """What it was asked so far (`SimServer.log`)."""
        with urllib.request.urlopen(f"{self._address}/log", timeout=10) as reply:
            return json.load(reply)

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._arguments, stdout=subprocess.DEVNULL)
        for _ in range(1200):  # a minute: machines can be busy
            try:
                self.log()
                return self
            except OSError:
                if self._process.poll() is not None:
                    raise RuntimeError("the simulator ended at once") from None
                time.sleep(0.05)
        self._process.kill()
        raise TimeoutError("the simulator did not start")

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        self._process.wait()
