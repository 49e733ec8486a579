"""The authored prompts keep to the rules they were written by."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from rubricbench.builders.authored.entry import Entry, all_entries, read_entries
from rubricbench.checks import complete
from rubricbench.errors import InputError
from rubricbench.lint import Severity, lint_rubric

ENTRIES = all_entries()


def test_no_prompt_is_there_twice() -> None:
    texts = Counter(" ".join(e.to_rubric().prompt.text.lower().split()) for e in ENTRIES)
    assert [text for text, count in texts.items() if count > 1] == []


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e.key)
def test_rubrics_aim_at_the_tail(entry: Entry) -> None:
    assert 6 <= len(entry.rubric) <= 15
    assert 1 <= sum(line.weight < 0 for line in entry.rubric) <= 3
    assert sum(line.tail for line in entry.rubric) >= 3
    assert entry.messages[-1]["role"] == "user"


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e.key)
def test_the_gates_find_no_error(entry: Entry) -> None:
    found = lint_rubric(entry.to_rubric())
    assert [f for f in found if f.severity is Severity.ERROR] == []


def test_every_check_is_one_there_is() -> None:
    for entry in ENTRIES:
        for line in entry.rubric:
            if line.check:
                complete(line.check)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1", "not a list of entries"),
        ("- key: health-1", r"entry 1 \(health-1\)"),
        ("- {key: health-1, split: dev}", "split"),
    ],
)
def test_a_bad_file_names_its_entry(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=told):
        list(read_entries(path))
