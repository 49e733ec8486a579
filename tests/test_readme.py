"""Every command of the README is run, in a folder of its own, as its reader would run it.

``make quickstart`` and ``make test`` are the two that cannot run inside ``make test``: of them it
is checked that they end in what the other tests run.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rubricbench.checks import registered

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
# Blocks that set up a machine or name an endpoint the reader has; what they show is run elsewhere.
NOT_RUN = "<!-- not run by the tests: "


def blocks(language: str) -> list[str]:
    pattern = rf"(?P<before>[^\n]*)\n```{language}\n(?P<code>.*?)```"
    return [
        m["code"] for m in re.finditer(pattern, README, re.DOTALL) if NOT_RUN not in m["before"]
    ]


def environment() -> dict[str, str]:
    bin_folder = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"}


def test_readme_has_blocks_to_run():
    assert len(blocks("bash")) >= 3
    assert len(blocks("python")) >= 1


@pytest.mark.slow
@pytest.mark.parametrize("code", blocks("bash"))
def test_bash_block_runs(code, tmp_path):
    subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code],
        cwd=tmp_path,
        env=environment(),
        check=True,
        timeout=600,
    )


@pytest.mark.parametrize("code", blocks("python"))
def test_python_block_runs(code, tmp_path):
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment(), check=True)


@pytest.mark.parametrize(("target", "ends_in"), [("quickstart", "quickstart"), ("test", "pytest")])
def test_make_target_of_the_readme_exists_and_runs_what_the_tests_run(target, ends_in):
    assert f"make {target}" in README
    dry = subprocess.run(
        ["make", "-n", "--no-print-directory", target],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ends_in in dry.stdout.splitlines()[-1]


def test_no_place_is_left_open_and_the_families_are_counted_right():
    assert "{{" not in README
    assert f"by {len(registered())} documented check families" in README


def test_local_links_of_the_readme_lead_somewhere():
    for link in re.findall(r"\]\((?!https?://|#)([^)#]+)", README):
        assert (ROOT / link).exists(), link
