from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "judging")]


@pytest.fixture(autouse=True)
def no_key_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's own key or configuration must not leak into a test, nor decide one."""
    for name in ("RUBRICBENCH_JUDGE_API_KEY", "OPENAI_API_KEY", "RUBRICBENCH_REWARD_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("RANK", raising=False)
