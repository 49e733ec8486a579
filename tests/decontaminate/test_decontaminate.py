"""What stands in another dataset is found; what is merely alike is not."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from rubricbench.cli.data import command
from rubricbench.decontaminate import RUN, Shingles
from rubricbench.decontaminate.shingles import SHINGLE, normalised
from rubricbench.errors import InputError

LONG = "The quick brown fox jumps over the lazy dog while seven wizards brew strong tea at dawn"
WORDS = st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), max_size=25)


def test_a_copy_is_found_whatever_its_case_and_punctuation() -> None:
    (found,) = Shingles(["other text entirely", LONG]).overlaps(LONG.upper().replace(" ", ",  "))
    assert (found.reference, found.containment) == (1, 1.0)
    assert found.run == LONG.lower()


def test_a_run_of_eight_words_is_enough_and_seven_are_not() -> None:
    eight, seven = (" ".join(LONG.split()[:n]) for n in (8, 7))
    around = "Completely unrelated words stand before {} and a good many more of them come after it"
    index = Shingles([LONG])
    (found,) = index.overlaps(around.format(eight))
    assert found.run == eight.lower()
    assert index.overlaps(around.format(seven)) == []


def test_an_edited_copy_is_a_near_duplicate() -> None:
    text = " ".join(LONG.split()[:15])
    (found,) = Shingles([text]).overlaps(text.replace("lazy", "sleepy"))
    # The changed word is the eighth of 15: of 12 runs of four, the 4 that hold it are lost.
    assert (found.containment, found.run) == (pytest.approx(8 / 12), "")


def test_texts_on_one_subject_are_not_copies() -> None:
    assert (
        Shingles(["How do I treat a burn on my hand?"]).overlaps(
            "How long does a burn take to heal?"
        )
        == []
    )


@given(WORDS, st.lists(WORDS, max_size=5))
@settings(max_examples=200, deadline=None)
def test_every_shared_run_is_found(text: list[str], references: list[list[str]]) -> None:
    found = {o.reference: o for o in Shingles(map(" ".join, references)).overlaps(" ".join(text))}

    def runs(words: list[str], size: int) -> set[tuple[str, ...]]:
        return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)}

    for i, reference in enumerate(references):
        shares = bool(runs(text, RUN) & runs(reference, RUN))
        assert not shares or i in found
        own = runs(text, SHINGLE)
        if own and len(own & runs(reference, SHINGLE)) / len(own) >= 0.5:
            assert i in found


def test_the_longest_run_is_reported() -> None:
    words = normalised(LONG)
    (found,) = Shingles([LONG]).overlaps(
        "xx " + " ".join(words[2:13]) + " yy " + " ".join(words[:8])
    )
    assert found.run == " ".join(words[2:13])


def run(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(command, ["decontaminate", *map(str, words)], standalone_mode=False)
    if result.exception:
        raise result.exception
    return result.return_value, result.output


def rubrics(path: Path, *prompts: str) -> Path:
    listed = [{"criterion": "c", "weight": 1}]
    path.write_text("\n".join(json.dumps({"prompt": p, "rubrics": listed}) for p in prompts))
    return path


def test_the_command_names_prompt_and_row(tmp_path: Path) -> None:
    source = rubrics(
        tmp_path / "r.jsonl", LONG, "Something of our own that nobody else has written"
    )
    other = tmp_path / "other.csv"
    other.write_text(f'instruction,x\n"nothing of the kind",1\n"{LONG}",2\n')
    code, text = run(source, "--against", other)
    assert code == 1
    assert f"100% in {other}, row 3" in text or f"100% in {other}, row 2" in text
    assert "1 of 2 prompts stand in one of 2 texts" in text
    assert run(source, "--against", f"{other}:x")[0] == 0
    with pytest.raises(InputError, match="no column 'y'"):
        run(source, "--against", f"{other}:y")


def test_chat_messages_are_read_by_their_user_turns(tmp_path: Path) -> None:
    other = tmp_path / "o.jsonl"
    turns = [{"role": "assistant", "content": LONG}, {"role": "user", "content": "hello there"}]
    other.write_text(json.dumps({"messages": turns}))
    assert run(rubrics(tmp_path / "r.jsonl", LONG), "--against", other)[0] == 0


@pytest.mark.shared
def test_authored_prompts_are_not_of_alpaca_eval(tmp_path: Path) -> None:
    from rubricbench.builders.authored.entry import all_entries
    from rubricbench.decontaminate.run import asked, references

    path = Path(__file__).parents[2].parent / "shared/data/alpaca_eval/responses.parquet"
    if not path.exists():
        pytest.skip("the AlpacaEval responses are not beside the checkout")
    texts = list(dict.fromkeys(text for _, text in references(f"{path}:prompt")))
    index = Shingles(texts)
    found = [e.key for e in all_entries() if index.overlaps(asked(e.to_rubric()))]
    assert found == []
    assert all(a != b for a, b in pairwise(sorted(texts)))
