"""Which language a text is in, by langdetect: its profiles, its method, its seed, faster loops.

langdetect (a port of Nakatani Shuyo's language-detection) draws n-grams of the text at random and
updates a naive Bayes posterior over 55 languages until one holds .99999 of it; seven such trials
are averaged. Here every detection starts from seed 0 with a generator of its own, so that an answer
depends on nothing but the text: not on threads, order or earlier calls. The profiles are read in
order of their codes, so that ties break alike everywhere. Collecting n-grams word by word (words
repeat, so they are cached) and updating all languages at once makes it about five times as fast as
`langdetect.detect`, with the same answers (`tests/checks/test_detection.py`).
"""

from __future__ import annotations

import json
import random
import re
import threading
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

from rubricbench.checks.text.characters import CACHED_TEXTS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# Constants of langdetect's `Detector`.
_SEED = 0
_TRIALS = 7
_ALPHA = 0.5
_ALPHA_WIDTH = 0.05
_BASE_FREQUENCY = 10_000
_CONVERGED = 0.99999
_LAST_DRAW = 1_000
_DRAWS_PER_TEST = 5
_LEAST_PROBABILITY = 0.1
_ROUNDING = 1e-9
_MAX_CHARS = 10_000

_CACHED_WORD_CHARS = 32
_CACHED_WORDS = 1 << 15


class Detected(NamedTuple):
    """The most probable language of a text: its code in langdetect and its probability."""

    code: str
    probability: float


@lru_cache(maxsize=CACHED_TEXTS)
def detect_language(text: str) -> Detected | None:
    """Return the language of the first 10,000 characters; None where it has none to go by."""
    return _model().detect(text)


class _Model:
    """The profiles of all languages: for each n-gram of up to 3 characters, a row of shares."""

    def __init__(self) -> None:
        import numpy as np
        from langdetect.detector import Detector
        from langdetect.utils.ngram import NGram

        profiles = _profiles()
        self.codes = [profile["name"] for profile in profiles]
        self.row_of: dict[str, int] = {}
        for profile in profiles:
            for gram in profile["freq"]:
                self.row_of.setdefault(gram, len(self.row_of))
        shares = np.zeros((len(self.row_of), len(profiles)))
        for column, profile in enumerate(profiles):
            totals = profile["n_words"]
            for gram, count in profile["freq"].items():
                shares[self.row_of[gram], column] = count / totals[len(gram) - 1]
        self.shares: Floats = shares
        self.urls, self.mails = Detector.URL_RE, Detector.MAIL_RE
        self.compose_vietnamese = NGram.normalize_vi
        self.letters = _Letters(NGram.normalize)
        self.grams_of_word = lru_cache(maxsize=_CACHED_WORDS)(self._grams_of_word)

    def detect(self, text: str) -> Detected | None:
        """Return the most probable language, or None where the text decides for none."""
        grams = self._grams(self._cleaned(text))
        if not grams:
            return None
        posterior = self._posterior(grams)
        best = int((posterior >= posterior.max() - _ROUNDING).argmax())  # ties: the first code
        if posterior[best] <= _LEAST_PROBABILITY:
            return None
        return Detected(self.codes[best], float(posterior[best]))

    def _cleaned(self, text: str) -> str:
        """Return the text without addresses, and without Latin letters where they are a minority.

        Addresses are looked for in a prefix only, long enough for the characters that count.
        """
        text = self.mails.sub(" ", self.urls.sub(" ", text[: 4 * _MAX_CHARS]))
        text = self.compose_vietnamese(text)[:_MAX_CHARS]
        if text.isascii():
            return text
        latin = sum(map(len, _LATIN.findall(text)))
        if 2 * latin < sum(map(len, _NOT_LATIN.findall(text))):
            return _LATIN.sub("", text)
        return text

    def _grams(self, text: str) -> list[int]:
        """Return the row numbers of the text's n-grams, in the order langdetect lists them."""
        *tokens, last = text.translate(self.letters).split(" ")
        grams: list[int] = []
        for word in tokens:
            if word:
                cached = len(word) <= _CACHED_WORD_CHARS
                grams += (self.grams_of_word if cached else self._grams_of_word)(word)
        if last:
            grams += self._grams_of_word(last, closed=False)
        return grams

    def _grams_of_word(self, word: str, closed: bool = True) -> tuple[int, ...]:
        """Return the n-grams that end in each character of the word and in the space after it.

        Inside a run of capitals langdetect takes none: acronyms say little of the language.
        """
        padded = f" {word} " if closed else f" {word}"
        found: list[int] = []
        for end in range(2, len(padded) + 1):
            if padded[end - 1].isupper() and padded[end - 2].isupper():
                continue
            for size in (1, 2, 3) if end > 2 else (1, 2):
                row = self.row_of.get(padded[end - size : end])
                if row is not None and padded[end - size : end] != " ":
                    found.append(row)
        return tuple(found)

    def _posterior(self, grams: list[int]) -> Floats:
        """Return the probability of each language, averaged over the trials."""
        import numpy as np

        draw = random.Random(_SEED)
        total = np.zeros(len(self.codes))
        for _ in range(_TRIALS):
            alpha = _ALPHA + draw.gauss(0.0, 1.0) * _ALPHA_WIDTH
            total += self._trial(grams, alpha / _BASE_FREQUENCY, draw)
        return total / _TRIALS

    def _trial(self, grams: list[int], floor: float, draw: random.Random) -> Floats:
        """Update on one n-gram, then on five at a time, until one language is near certain."""
        import numpy as np

        beliefs: Floats = np.full(len(self.codes), 1 / len(self.codes))
        for size in (1, *[_DRAWS_PER_TEST] * (_LAST_DRAW // _DRAWS_PER_TEST)):
            drawn = self.shares.take([draw.choice(grams) for _ in range(size)], axis=0)
            drawn += floor
            beliefs *= np.multiply.reduce(drawn, axis=0)
            beliefs /= beliefs.sum()
            if beliefs.max() > _CONVERGED:
                break
        return beliefs


# What `Detector.cleaning_text` counts as Latin (the few signs between Z and a included) and not
# (the letters of Vietnamese included: its test of their block never holds).
_LATIN = re.compile("[A-z]+")
_NOT_LATIN = re.compile("[\u0300-\U0010ffff]+")


class _Letters(dict[int, str]):
    """A translation table that asks langdetect once for the letter it reads a character as."""

    def __init__(self, normalize: Any) -> None:
        super().__init__()
        self._normalize = normalize

    def __missing__(self, code: int) -> str:
        self[code] = letter = str(self._normalize(chr(code)))
        return letter


def _profiles() -> list[dict[str, Any]]:
    """Read langdetect's profiles, ordered by language code."""
    folder = files("langdetect") / "profiles"
    paths = sorted((path for path in folder.iterdir() if path.is_file()), key=lambda p: p.name)
    return [json.loads(path.read_bytes()) for path in paths if not path.name.startswith(".")]


_LOADING = threading.Lock()
_LOADED: list[_Model] = []


def _model() -> _Model:
    """Return the model, read from disk on first use (about a second), by one thread."""
    with _LOADING:
        if not _LOADED:
            _LOADED.append(_Model())
        return _LOADED[0]
