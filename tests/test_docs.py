"""What the guides to measuring print can be typed in: each block, in order, in one folder a guide.

The commands of docs/audit.md and docs/analyze.md are run by the tests of their rooms.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
ENVIRONMENT = {
    **os.environ,
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
}


def blocks(guide: str, language: str) -> list[str]:
    text = (DOCS / f"{guide}.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.mark.slow
@pytest.mark.parametrize("guide", ["tables", "theory", "overoptimization", "figure4"])
def test_commands_of_a_guide_run_in_order(guide, tmp_path):
    shutil.copytree(DOCS / "figure4", tmp_path / "docs" / "figure4")
    for code in blocks(guide, "bash"):
        command = ["bash", "-euo", "pipefail", "-c", code]
        subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, check=True, capture_output=True)


@pytest.mark.parametrize("guide", ["tables", "theory", "metrics", "best_of_n", "figure4"])
def test_python_of_a_guide_runs_block_by_block(guide, tmp_path, monkeypatch):
    shutil.copytree(DOCS / "figure4", tmp_path / "docs" / "figure4")
    monkeypatch.chdir(tmp_path)
    found = blocks(guide, "python")
    assert found
    for code in found:
        exec(compile(code, f"{guide}.md", "exec"), {"__name__": "guide"})


def test_guides_lead_somewhere():
    for guide in sorted(set(DOCS.glob("*.md")) - {DOCS / "checks.md"}):  # that shows patterns
        for link in re.findall(r"\]\((?!https?://|#)([^)#\s]+)", guide.read_text("utf-8")):
            assert (guide.parent / link).exists(), f"{guide.name}: {link}"
