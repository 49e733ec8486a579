"""What is installed here, what each extra would enable, and whether an endpoint answers.

Nothing heavy is imported: versions come from package metadata, and devices from a child process
that imports torch only if torch is installed.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys

import msgspec

import rubricbench
from rubricbench.endpoints import Endpoint, ask

# extra -> (packages that tell whether it is installed, what it is for)
EXTRAS: dict[str, tuple[tuple[str, ...], str]] = {
    "local": (("torch", "transformers", "gguf"), "run a small model in this process"),
    "eval": (("lm_eval", "torch", "transformers"), "lm-eval tasks and the quickstart"),
    "train": (("trl", "peft", "accelerate"), "train baselines"),
    "vllm": (("vllm",), "generate and judge with vLLM in this process"),
    "ray": (("ray",), "scale builders out over many machines"),
    "plots": (("matplotlib",), "figures as PNG and SVG files"),
    "analysis": (("sklearn", "statsmodels"), "cluster types of criteria"),
    "dev": (("pytest", "ruff", "mypy"), "work on rubricbench itself"),
}
CORE = ("aiohttp", "datasets", "huggingface_hub", "msgspec", "numpy", "pandas", "pyarrow")
PROBE_SECONDS = 60.0


class Extra(msgspec.Struct, frozen=True):
    """One extra: what it is for, versions of what is there, names of what is missing."""

    name: str
    purpose: str
    installed: dict[str, str]
    missing: tuple[str, ...]


class Diagnosis(msgspec.Struct, frozen=True):
    """The whole answer of ``rubricbench doctor``."""

    rubricbench: str
    python: str
    platform: str
    cores: int
    core: dict[str, str]
    extras: tuple[Extra, ...]
    devices: tuple[str, ...]
    chromium: str
    endpoints: tuple[Endpoint, ...]

    @property
    def ok(self) -> bool:
        """True where the core is complete and every endpoint that was asked about answers."""
        return all(self.core.values()) and all(e.ok for e in self.endpoints)


def diagnose(endpoints: tuple[str, ...] = (), *, devices: bool = True) -> Diagnosis:
    """Look at this installation.

    Args:
        endpoints: base URLs (``http://host:port/v1``) to ask for their models.
        devices: whether to start a child process that imports torch to list devices.
    """
    return Diagnosis(
        rubricbench=rubricbench.__version__,
        python=platform.python_version(),
        platform=platform.platform(),
        cores=os.cpu_count() or 1,
        core={name: _version(name) for name in CORE},
        extras=tuple(_extra(name) for name in EXTRAS),
        devices=_devices() if devices else (),
        chromium=shutil.which("chromium") or shutil.which("google-chrome") or "",
        endpoints=tuple(ask(url) for url in endpoints),
    )


def _version(package: str) -> str:
    """Return the installed version, or an empty string."""
    if importlib.util.find_spec(package) is None:
        return ""
    try:
        return importlib.metadata.version(package.replace("_", "-"))
    except importlib.metadata.PackageNotFoundError:
        return "unknown version"


def _extra(name: str) -> Extra:
    packages, purpose = EXTRAS[name]
    versions = {package: _version(package) for package in packages}
    return Extra(
        name=name,
        purpose=purpose,
        installed={package: version for package, version in versions.items() if version},
        missing=tuple(package for package, version in versions.items() if not version),
    )


_DEVICE_PROBE = """
import json, torch
found = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
if torch.backends.mps.is_available():
    found.append("Apple MPS")
print(json.dumps(found))
"""


def _devices() -> tuple[str, ...]:
    if not _version("torch"):
        return ()
    try:
        probe = subprocess.run(
            [sys.executable, "-c", _DEVICE_PROBE],
            capture_output=True,
            text=True,
            timeout=PROBE_SECONDS,
            check=True,
        )
        return tuple(json.loads(probe.stdout.splitlines()[-1]))
    except (subprocess.SubprocessError, ValueError, IndexError):
        return ("torch is installed but cannot be imported",)
