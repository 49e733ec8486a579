"""What installs: one top-level name, with data files, importable away from the checkout."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("builders", "tasks", "baselines")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    source = tmp_path_factory.mktemp("source") / "rubricbench"
    # Only what git knows: a file forgotten in a commit must be missing here too.
    subprocess.run(
        ["git", "clone", "-q", "--depth", "1", f"file://{ROOT}", str(source)], check=True
    )
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "-w", str(out), str(source)], check=True)
    (made,) = out.glob("rubricbench-*.whl")
    return made


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


@pytest.mark.slow
def test_wheel_puts_one_name_at_the_top(wheel):
    names = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == {"rubricbench"}


@pytest.mark.slow
def test_wheel_carries_every_file_of_the_packages(wheel):
    tracked = subprocess.run(
        ["git", "ls-tree", "-r", "--name-only", "HEAD", "rubricbench", *ROOMS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    expected = {
        path if path.startswith("rubricbench/") else f"rubricbench/{path}"
        for path in tracked
        if path and not path.endswith(".md")
    }
    assert expected - set(zipfile.ZipFile(wheel).namelist()) == set()


@pytest.mark.slow
def test_wheel_works_away_from_the_checkout(installed, tmp_path):
    code = (
        "import rubricbench, rubricbench.tasks, rubricbench.builders, rubricbench.baselines;"
        "print(rubricbench.__file__);"
        "rows = rubricbench.load('verifiable', split='test');"
        "print(len(rows), rubricbench.tasks.task_path())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()[-2:]
    assert first.startswith(str(installed))
    assert second.startswith("500 ")
    assert str(installed) in second


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _reaches(path: Path, rooms: tuple[str, ...]) -> list[str]:
    prefixes = tuple(f"rubricbench.{room}" for room in rooms)
    return [name for name in _imports(path) if name.startswith(prefixes)]


# The command line is the one place that may name a room: it loads subcommands on demand.
LIBRARY = [p for p in (ROOT / "rubricbench").rglob("*.py") if "cli" not in p.parts]


@pytest.mark.parametrize("path", LIBRARY, ids=lambda p: str(p.relative_to(ROOT)))
def test_library_never_imports_the_rooms_above_it(path):
    assert _reaches(path, ROOMS) == []


@pytest.mark.parametrize(
    ("room", "forbidden"),
    [("builders", ("tasks", "baselines")), ("tasks", ("builders", "baselines"))],
)
def test_rooms_do_not_import_sideways(room, forbidden):
    for path in (ROOT / room).rglob("*.py"):
        assert _reaches(path, forbidden) == [], path


def test_every_tested_dependency_has_an_exact_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"]]
    for extra in ("local", "eval", "train", "plots", "dev"):
        wanted += extras[extra]
    names = {_name(requirement) for requirement in wanted} - {"rubricbench"}
    assert names - pins == set()


def _name(requirement: str) -> str:
    from packaging.requirements import Requirement

    return Requirement(requirement).name.lower().replace("_", "-")
