"""One limiter for each endpoint and key of this process."""

from __future__ import annotations

import hashlib
import os
import threading

from rubricbench.judging.pace.limiter import Limiter

MAX_KEPT = 256

_limiters: dict[str, Limiter] = {}
_lock = threading.Lock()


def shared_limiter(url: str, key: str) -> Limiter:
    """Return the limiter of an endpoint and key, the same one to all who ask.

    It is kept when nobody uses it: the next run begins with what the last one learnt. A process
    that was forked begins anew.

    Args:
        url: where requests go.
        key: the API key; the registry holds a digest of it.
    """
    name = hashlib.sha256(f"{url}\x00{key}".encode()).hexdigest()
    with _lock:
        limiter = _limiters.pop(name, None) or Limiter()
        _limiters[name] = limiter  # the last one used stands last
        idle = [kept for kept, other in _limiters.items() if not other.members]
        for kept in idle[: max(0, len(_limiters) - MAX_KEPT)]:
            if kept != name:
                del _limiters[kept]
        return limiter


def _forget() -> None:
    """Begin anew, with a lock that no other thread can have held at the fork."""
    global _lock
    _lock = threading.Lock()
    _limiters.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
