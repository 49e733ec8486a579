"""The manifest: what decides a run's results, written once and compared at every later start.

Compared: format, command, version of this package, ``config``, ``data`` (name -> revision or
hash), ``templates`` (name -> hash), ``seeds`` and ``versions`` (of the packages that shape the
results). Only recorded: ``created`` and ``environment``.

What changes how fast a run goes but not what comes out (concurrency, time-outs, retries, progress,
where the store lies, the URL of a judge that is named by model and revision) does not belong in
it: a run must be resumable with other values of those.
"""

from __future__ import annotations

import json
import math
import os
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import rubricbench
from rubricbench.errors import InputError, RunError
from rubricbench.runs.files import atomic_write, explained
from rubricbench.secret_names import is_secret_name

FORMAT = 1
MAX_SHOWN = 80
_RECORDED_ONLY = ("created", "environment")
_OURS = {"format", "command", "rubricbench", "config"}
_ABSENT = object()


def build(
    command: str,
    config: Mapping[str, Any],
    *,
    data: Mapping[str, str] | None = None,
    templates: Mapping[str, str] | None = None,
    seeds: Sequence[int] = (),
    versions: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return a manifest of plain JSON values.

    Raises:
        InputError: a value has no JSON form, or looks like a secret; its key is named.
    """
    sections = {
        "config": config,
        "data": data or {},
        "templates": templates or {},
        "seeds": seeds,
        "versions": versions or {},
    }
    return {
        "format": FORMAT,
        "command": command,
        "rubricbench": rubricbench.__version__,
        **{name: _section(value, name) for name, value in sections.items()},
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "environment": {"python": platform.python_version(), "platform": platform.platform()},
    }


def _section(value: Any, name: str) -> Any:
    try:
        plain = _plain(value, name)
        json.dumps(plain)
    except (RecursionError, ValueError):  # a value inside itself, an int of thousands of digits
        raise InputError("nested too deeply, or a number too long", where=name) from None
    return plain


def _plain(value: Any, key: str) -> Any:
    if isinstance(value, Mapping):
        return {_name(name, key): _plain(item, f"{key}.{name}") for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, f"{key}[{i}]") for i, item in enumerate(value)]
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, str):
        return _text(str(value), key)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise InputError(
        f"cannot be written into a manifest: {value!r:.60}",
        where=key,
        hint="use text, finite numbers, booleans, null, lists and mappings of them",
    )


def _name(name: Any, key: str) -> str:
    if not isinstance(name, str):
        raise InputError(f"the name {name!r:.60} is not text", where=key)
    if is_secret_name(name):
        raise InputError(
            f"{name!r:.60} may not be part of a run's configuration: it is written to disk",
            where=key,
            hint="leave it out; name the environment variable that holds it as …_env",
        )
    return _text(name, key)


def _text(text: str, key: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InputError("half of a surrogate pair: not valid Unicode", where=key) from None
    if "://" in text and _holds_secret(text):
        raise InputError("a URL with a password in it: it is written to disk", where=key)
    return text


def _holds_secret(url: str) -> bool:
    try:
        parts = urlsplit(url)
        names = [name for name, _ in parse_qsl(parts.query)]
        return parts.password is not None or any(map(is_secret_name, names))
    except ValueError:  # not a URL after all
        return False


def settle(path: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """Write the manifest if there is none; else compare, and return the one on disk.

    Raises:
        RunError: the one on disk differs (the keys are named), is damaged or not a run's.
    """
    if not path.exists():
        text = json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False)
        atomic_write(path, text.encode("utf-8") + b"\n")
        return manifest
    recorded = read(path)
    found = list(_differences(_compared(recorded), _compared(manifest)))
    if found:
        others = ", ".join(key for key, _, _ in found[1:4]) + (", …" if len(found) > 4 else "")
        raise RunError(
            _difference(*found[0]) + (f"; also different: {others}" if others else ""),
            where=str(path.parent),
            hint="use the same value, or name another folder",
        )
    return recorded


def read(path: Path) -> dict[str, Any]:
    """Return the manifest on disk.

    Raises:
        RunError: it cannot be read, is damaged, or is not a run's.
    """
    with explained(path, "read the manifest"):
        data = path.read_bytes()
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise RunError(
            "the manifest is damaged", where=str(path), hint="name another folder"
        ) from None
    if not isinstance(value, dict) or not _OURS.issubset(value):
        raise RunError(
            "this is not the manifest of a run", where=str(path), hint="name another folder"
        )
    return value


def _compared(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in manifest.items() if key not in _RECORDED_ONLY}


def _differences(old: Any, new: Any, key: str = "") -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in sorted({*old, *new}):
            inner = f"{key}.{name}" if key else name
            yield from _differences(old.get(name, _ABSENT), new.get(name, _ABSENT), inner)
    # In Python True == 1; in a configuration they are not the same.
    elif old != new or isinstance(old, bool) != isinstance(new, bool):
        yield key, old, new


def _difference(key: str, old: Any, new: Any) -> str:
    if old is _ABSENT:
        return f"this run was started without {key}, now it is {_shown(new)}"
    now = "it is not given" if new is _ABSENT else f"it is {_shown(new)}"
    return f"this run was started with {key} = {_shown(old)}, now {now}"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"
