"""Statements that are alike, put together: hierarchical k-means, and a name for each group."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rubricbench.analyze.types.embed import vectorizer
from rubricbench.errors import MissingExtraError

TYPES = 20  # as in the paper
NAME_WORDS = 3
Floats = NDArray[np.float64]


def clusters(vectors: Floats, types: int = TYPES, *, seed: int = 0) -> NDArray[np.int64]:
    """Return the cluster of each vector, largest first from 0; shape ``(n,)``.

    Hierarchical k-means: the cluster of the largest inertia is split in two until there are enough
    (bisecting k-means, Steinbach, Karypis and Kumar 2000). There may be fewer than ``types``: equal
    vectors are never told apart.

    Args:
        vectors: shape ``(n, d)``, n at least 1.
        types: most clusters.
        seed: of the splits.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    try:
        from sklearn.cluster import BisectingKMeans
    except ImportError:
        raise MissingExtraError("scikit-learn", "analysis") from None
    # Splits must not depend on the order of rows, so equal rows are one and rows are sorted.
    distinct, of = np.unique(np.round(vectors, 9), axis=0, return_inverse=True)
    weights = np.bincount(of.ravel())
    most = min(types, len(distinct))
    if most < 2:
        return np.zeros(len(vectors), dtype=np.int64)
    fitted = BisectingKMeans(
        most, random_state=seed, n_init=5, bisecting_strategy="biggest_inertia"
    )
    labels = fitted.fit_predict(distinct, sample_weight=weights)[of.ravel()]
    sizes = np.bincount(labels, minlength=most)
    rank = np.empty(most, dtype=np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(most)
    return np.asarray(rank[labels])


def central(vectors: Floats, members: NDArray[np.int64], most: int) -> list[int]:
    """Return the members nearest to their mean, nearest first, no two of them equal vectors."""
    own = vectors[members]
    distance = ((own - own.mean(axis=0)) ** 2).sum(axis=1)
    chosen: list[int] = []
    for i in np.argsort(distance, kind="stable"):
        if not any(np.array_equal(own[i], vectors[j]) for j in chosen):
            chosen.append(int(members[i]))
        if len(chosen) == most:
            break
    return chosen


def word_names(texts: Sequence[str], labels: NDArray[np.int64]) -> list[str]:
    """Return for every cluster the words that mark it off: those of greatest mean tf-idf excess."""
    counter = vectorizer(len(texts))
    matrix = counter.fit_transform(texts)
    words = counter.get_feature_names_out()
    overall = np.asarray(matrix.mean(axis=0)).ravel()
    names = []
    for label in range(int(labels.max()) + 1):
        own = np.asarray(matrix[np.flatnonzero(labels == label)].mean(axis=0)).ravel()
        order = np.argsort(-(own - overall), kind="stable")[:NAME_WORDS]
        names.append(", ".join(words[i] for i in order if own[i] > 0) or "(no words)")
    return names
