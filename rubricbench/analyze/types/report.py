"""Types with their shares: of all statements, and of each arm's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from rubricbench.analyze.types.cluster import central, clusters, word_names
from rubricbench.analyze.types.embed import TFIDF, embed
from rubricbench.analyze.types.statements import Statement
from rubricbench.errors import InputError
from rubricbench.metrics import Bootstrap, Method, Replicates, Result

EXAMPLES = 5
Floats = NDArray[np.float64]
Namer = Callable[[Sequence[Sequence[str]]], list[str]]


class Type(msgspec.Struct, frozen=True, kw_only=True):
    """Statements that are alike.

    Args:
        name: of the type.
        share: its share of all statements.
        by_arm: of its statements, the share that each arm has, the arms' totals being made equal:
            one half of two arms where neither does it more often. Empty with a single arm.
        count: statements.
        examples: those nearest to its middle.
    """

    name: str
    share: Result
    by_arm: dict[str, Result]
    count: int
    examples: tuple[str, ...]


class TypeReport(msgspec.Struct, frozen=True, kw_only=True):
    """The types found.

    Args:
        kind: ``refinements`` or ``capabilities``.
        statements_by: who made the statements: a model's name, or ``edits`` or ``criteria`` for the
            bare texts.
        embedded_by: how they became vectors.
        named_by: who named the types: a model's name, or ``words``.
        arms: the sets of rubrics, with the number of statements of each.
        prompts: prompts behind them.
        without_answer: prompts (of some arm) for which the model gave no readable answer; they are
            left out.
        types: largest first.
    """

    kind: str
    statements_by: str
    embedded_by: str
    named_by: str
    arms: dict[str, int]
    prompts: int
    without_answer: int
    types: tuple[Type, ...]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How types are found.

    Args:
        types: most types.
        embedding: as `rubricbench.analyze.types.embed.embed` takes it.
        seed: of clustering and resampling.
        resamples: bootstrap draws.
    """

    types: int = 20
    embedding: str = TFIDF
    seed: int = 0
    resamples: int = 2000


def find_types(
    statements: Sequence[Statement], settings: Settings, name: Namer | None = None
) -> tuple[Type, ...]:
    """Cluster statements and measure the shares, with intervals over prompts.

    Args:
        statements: in any order; the result does not depend on it.
        settings: how.
        name: gives names to lists of examples; by default the words that mark a type off.

    Raises:
        InputError: there is no statement, or the embedding model cannot be used.
        MissingExtraError: scikit-learn is not installed.
    """
    if not statements:
        raise InputError("no statement to put into types", hint="the rubrics may be all equal")
    ordered = sorted(statements, key=lambda s: (s.arm, s.prompt_id, s.text))
    texts = [s.text for s in ordered]
    vectors = embed(texts, settings.embedding)
    labels = clusters(vectors, settings.types, seed=settings.seed)
    found = range(int(labels.max()) + 1)
    examples = [
        [texts[i] for i in central(vectors, np.flatnonzero(labels == label), EXAMPLES)]
        for label in found
    ]
    names = name(examples) if name else word_names(texts, labels)
    arms = sorted({s.arm for s in ordered})
    counts = _counts(ordered, labels, arms)
    boot = Bootstrap(
        sorted({s.prompt_id for s in ordered}), seed=settings.seed, resamples=settings.resamples
    )
    draws = boot.means(counts.reshape(len(counts), -1))
    size = counts.shape[1:]
    return tuple(
        Type(
            name=names[label],
            share=_share(draws, size, label, int((labels == label).sum())),
            by_arm=_by_arm(draws, size, label, arms) if len(arms) > 1 else {},
            count=int((labels == label).sum()),
            examples=tuple(examples[label]),
        )
        for label in found
    )


def _counts(
    statements: Sequence[Statement], labels: NDArray[np.int64], arms: Sequence[str]
) -> Floats:
    """Return how many statements of each arm and type each prompt has: (prompts, arms, types)."""
    prompts = {p: i for i, p in enumerate(sorted({s.prompt_id for s in statements}))}
    counts = np.zeros((len(prompts), len(arms), int(labels.max()) + 1))
    places = {arm: i for i, arm in enumerate(arms)}
    for statement, label in zip(statements, labels, strict=True):
        counts[prompts[statement.prompt_id], places[statement.arm], label] += 1
    return counts


def _share(draws: Replicates, size: tuple[int, ...], label: int, count: int) -> Result:
    def ratio(means: Floats) -> Floats:
        cube = means.reshape(-1, *size)
        return np.asarray(cube[:, :, label].sum(axis=1) / cube.sum(axis=(1, 2)))

    return draws.map(ratio).results(["share of statements"], items=count, method=Method.T)[0]


def _by_arm(
    draws: Replicates, size: tuple[int, ...], label: int, arms: Sequence[str]
) -> dict[str, Result]:
    def split(means: Floats) -> Floats:
        cube = means.reshape(-1, *size)
        rate = cube[:, :, label] / cube.sum(axis=2)
        return np.asarray(rate / rate.sum(axis=1, keepdims=True))

    why = "an arm without statements"
    found = draws.map(split).results(arms, method=Method.T, why=why)
    return dict(zip(arms, found, strict=True))
