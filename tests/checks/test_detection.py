"""Language detection: langdetect's answers, whatever the thread, order or size."""

from __future__ import annotations

import random
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import langdetect
import pytest

from rubricbench.checks.detection import _LOADED, detect_language
from rubricbench.checks.language import LANGUAGE_CHOICES

RESPONSES = Path(__file__).parents[3] / "shared" / "data" / "alpaca_eval" / "responses.parquet"

SENTENCES = {
    "en": "The children walked along the river until it grew dark.",
    "de": "Die Kinder gingen am Fluss entlang, bis es dunkel wurde.",
    "fr": "Les enfants ont marché le long de la rivière jusqu'à la nuit.",
    "es": "Los niños caminaron junto al río hasta que oscureció.",
    "it": "I bambini camminarono lungo il fiume finché non fece buio.",
    "pt": "As crianças caminharam ao longo do rio até escurecer.",
    "ru": "Дети шли вдоль реки, пока не стемнело.",
    "el": "Τα παιδιά περπάτησαν δίπλα στο ποτάμι μέχρι που νύχτωσε.",
    "ja": "子どもたちは暗くなるまで川沿いを歩きました。",
    "ko": "아이들은 어두워질 때까지 강을 따라 걸었다.",
    "zh-cn": "孩子们沿着河边走，一直走到天黑，然后才回家吃饭。",
    "ar": "سار الأطفال على طول النهر حتى حل الظلام.",
    "hi": "बच्चे अंधेरा होने तक नदी के किनारे चलते रहे।",
    "vi": "Bọn trẻ đi dọc theo bờ sông cho đến khi trời tối.",
    "fi": "Lapset kävelivät joen vartta, kunnes tuli pimeä.",
    "tr": "Çocuklar hava kararana kadar nehir boyunca yürüdüler.",
}


def reference(text: str) -> list:
    langdetect.DetectorFactory.seed = 0
    try:
        return langdetect.detect_langs(text)
    except langdetect.LangDetectException:
        return []


def assert_as_langdetect(text: str) -> None:
    expected, found = reference(text), detect_language(text)
    if not expected:
        assert found is None
    else:
        assert found is not None
        # Trials that split evenly tie; langdetect then goes by the order of files on the disk.
        tied = [one.lang for one in expected if one.prob > expected[0].prob - 1e-9]
        assert found.code == min(tied)
        # the sums differ in the last digits: the languages are added up in another order
        assert found.probability == pytest.approx(expected[0].prob, abs=1e-9)


@pytest.mark.parametrize(("code", "sentence"), SENTENCES.items())
def test_sentences_are_told_apart_as_langdetect_does(code, sentence):
    assert detect_language(sentence).code == code
    assert_as_langdetect(sentence)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12345 !!! 🎉",
        "A",
        "NASA ESA",
        "Hello WORLD and Ünïcödé",
        "mail me@example.org or see https://example.org/page now",
        "Chữ cái a\u0306\u0301 và e\u0302\u0323",
        "日本語 with quite a lot of English words around it",
        "один два three",
        "word " * 4000,
    ],
)
def test_odd_texts_are_read_as_langdetect_reads_them(text):
    assert_as_langdetect(text)


def test_mixtures_of_sentences_are_read_as_langdetect_reads_them():
    draw = random.Random(5)
    for _ in range(400):
        pieces = draw.sample(list(SENTENCES.values()), 3)
        text = " ".join(piece[: draw.randint(1, 40)] for piece in pieces)
        assert_as_langdetect(text.upper() if draw.random() < 0.2 else text)


@pytest.mark.shared
@pytest.mark.skipif(not RESPONSES.exists(), reason="no AlpacaEval responses")
def test_real_responses_are_read_as_langdetect_reads_them():
    import pyarrow.parquet as pq

    texts = pq.read_table(RESPONSES, columns=["response"])["response"].to_pylist()
    for text in sorted(set(texts))[::40]:
        assert_as_langdetect(text)


def test_threads_get_the_answers_of_one_thread():
    texts = [f"{sentence} {i}" for i in range(20) for sentence in SENTENCES.values()]
    alone = [detect_language(text) for text in texts]
    _LOADED.clear()
    start = threading.Barrier(8)

    def all_of_them(seed: int) -> list:
        start.wait()
        order = random.Random(seed).sample(range(len(texts)), len(texts))
        found = {i: detect_language.__wrapped__(texts[i]) for i in order}
        return [found[i] for i in range(len(texts))]

    with ThreadPoolExecutor(8) as pool:
        assert all(answers == alone for answers in pool.map(all_of_them, range(8)))
    assert len(_LOADED) == 1


def test_every_language_of_the_model_can_be_asked_for():
    detect_language("x")
    assert set(_LOADED[0].codes) | {"zh"} == set(LANGUAGE_CHOICES)


def test_the_detector_is_not_loaded_before_it_is_needed():
    import subprocess

    code = (
        "import sys, rubricbench.checks; print('langdetect' in sys.modules, 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
