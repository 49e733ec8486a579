from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "report"))

from rubricbench.cli import main


@pytest.fixture(autouse=True)
def no_key_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's own key must not leak into a test, nor decide one."""
    for name in ("RUBRICBENCH_JUDGE_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


class Command:
    """``rubricbench``, run in this process."""

    def __init__(self, capsys) -> None:
        self._capsys = capsys
        self.stdout = self.stderr = ""

    def __call__(self, *arguments: object) -> int:
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        self.stdout, self.stderr = self._capsys.readouterr()
        return end.value.code


@pytest.fixture
def command(capsys) -> Command:
    return Command(capsys)
