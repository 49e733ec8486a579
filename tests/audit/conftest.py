from __future__ import annotations

import sys
from pathlib import Path

import pytest

for folder in (".", "..", "../judging"):
    sys.path.insert(0, str((Path(__file__).parent / folder).resolve()))


@pytest.fixture(autouse=True)
def no_key_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's own key must not leak into a test, nor decide one."""
    for name in ("RUBRICBENCH_JUDGE_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
