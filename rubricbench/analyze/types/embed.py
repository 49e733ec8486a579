"""Statements as vectors: by a small local model, or by their words where none is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rubricbench.errors import InputError, MissingExtraError
from rubricbench.judging.backends.local_model import find, require_packages

TFIDF = "tfidf"
_BATCH = 32
_MOST_TOKENS = 128
_COMPONENTS = 100
Floats = NDArray[np.float64]


def embed(texts: Sequence[str], by: str = TFIDF) -> Floats:
    """Return one unit vector a text, shape ``(texts, dimensions)``.

    Args:
        texts: at least one.
        by: ``tfidf`` (words and word pairs, reduced by latent semantic analysis: it knows words,
            not meanings), or a folder or catalogue name of a transformers model, whose last hidden
            states are averaged over the tokens.

    Raises:
        InputError: the model cannot be loaded.
        MissingExtraError: scikit-learn, or torch and transformers, are not installed.
    """
    vectors = _by_words(texts) if by == TFIDF else _by_model(texts, by)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1.0))


def _by_words(texts: Sequence[str]) -> Floats:
    try:
        from sklearn.decomposition import TruncatedSVD
    except ImportError:
        raise MissingExtraError("scikit-learn", "analysis") from None
    matrix = vectorizer(len(texts)).fit_transform(texts)
    if min(matrix.shape) <= 2:
        return np.asarray(matrix.toarray())
    size = min(_COMPONENTS, min(matrix.shape) - 1)
    with np.errstate(invalid="ignore"):  # its share of a variance of zero, which nobody reads
        return np.asarray(TruncatedSVD(size, random_state=0).fit_transform(matrix))


def vectorizer(texts: int) -> Any:
    """Return the words of statements, as counted for vectors and for names.

    Args:
        texts: how many statements there are: of many, a word in more than half tells nothing.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer
    except ImportError:
        raise MissingExtraError("scikit-learn", "analysis") from None
    return TfidfVectorizer(
        ngram_range=(1, 2),
        sublinear_tf=True,
        stop_words="english",
        token_pattern=r"(?u)\b\w+\b",
        max_df=0.5 if texts >= 20 else 1.0,
    )


def _by_model(texts: Sequence[str], name: str) -> Floats:
    require_packages("torch", "transformers")
    import torch
    import transformers

    try:
        model = transformers.AutoModel.from_pretrained(find(name), trust_remote_code=False).eval()
        tokenizer = transformers.AutoTokenizer.from_pretrained(find(name), trust_remote_code=False)
    except (OSError, ValueError) as error:
        what = " ".join(str(error).split())[:200]
        raise InputError(f"not a model that can embed: {what}", where=name) from None
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    found = []
    with torch.inference_mode():
        for start in range(0, len(texts), _BATCH):
            batch = tokenizer(
                list(texts[start : start + _BATCH]),
                padding=True,
                truncation=True,
                max_length=_MOST_TOKENS,
                return_tensors="pt",
            )
            states = model(**batch).last_hidden_state.float()
            mask = batch["attention_mask"].unsqueeze(-1)
            found.append((states * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1))
    vectors = torch.cat(found).double().numpy()
    if not np.isfinite(vectors).all():
        raise InputError("the model gives vectors that are not finite", where=name)
    return np.asarray(vectors)
