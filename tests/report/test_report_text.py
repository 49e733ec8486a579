from __future__ import annotations

import pytest

from rubricbench.report.text import Clipped, clip, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ttext\nnext", "plain\ttext\nnext"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("nul\x00", "nul\u2400"),
        ("\x1b[31mred", "\u241b[31mred"),
        ("form\x0cfeed", "form\u240cfeed"),
        ("del\x7f", "del\u2421"),
        ("next\x85line", "next⟨U+0085⟩line"),
        ("safe\u202egpj.exe", "safe⟨U+202E⟩gpj.exe"),
        ("\u2066isolated\u2069", "⟨U+2066⟩isolated⟨U+2069⟩"),
        ("half \ud83d pair", "half \ufffd pair"),
        ("nonchar \uffff", "nonchar \ufffd"),
        ("שלום\u200f 1", "שלום\u200f 1"),
        ("😀 e\u0301", "😀 e\u0301"),
    ],
)
def test_unfit_characters_become_visible(text: str, shown: str) -> None:
    assert visible(text) == shown
    visible(text).encode("utf-8")


def test_short_text_is_kept_whole() -> None:
    assert clip("abc", 3) == Clipped("abc")


def test_long_text_keeps_its_beginning_and_its_end() -> None:
    found = clip("a" * 70 + "b" * 1000 + "z" * 30, 100)
    assert (found.head, found.omitted, found.tail) == ("a" * 70 + "b" * 5, 1000, "z" * 25)


def test_no_tail_where_none_is_wanted() -> None:
    assert clip("abcdef", 3, tail_share=0) == Clipped("abc", 3, "")
