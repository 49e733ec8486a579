"""Choosing the constraints of a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from rubricbench.builders.verifiable.constraint import Constraint
from rubricbench.builders.verifiable.families import MAKERS
from rubricbench.builders.verifiable.load import fits
from rubricbench.builders.verifiable.scene import Scene
from rubricbench.builders.verifiable.texts import layouts, skeletons
from rubricbench.draws import Draws

MOST = 10
_SIZES = (3, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 10)
_WEIGHTS = {
    "content": (1, 2, 2, 3),
    "form": (2, 2, 3),
    "style": (1, 1, 2),
    "penalty": (-1, -1, -2, -2, -3),
}

# What shuffled words do not meet.
ARRANGED = frozenset(
    {
        "acrostic",
        "alphabetical_list",
        "bullet_count",
        "closing_question",
        "code_block",
        "constrained_response",
        "csv_shape",
        "end_phrase",
        "json_schema",
        "key_value_lines",
        "keyword_in_section",
        "keyword_in_sentence",
        "list_nesting",
        "nth_paragraph_first_word",
        "numbered_list",
        "ordered_headings",
        "ordered_mentions",
        "paragraph_count",
        "postscript",
        "quotation",
        "repeat_prompt",
        "section_count",
        "starts_with",
        "states_number",
        "table_shape",
    }
)


def choose(scene: Scene) -> list[Constraint]:
    """Return the constraints of a row: the core, what ties it to the topic, some more, penalties.

    A constraint that claims what another one has claimed, or repeats its check, is left out. At
    least one depends on how the words are arranged, so that a bag of the right words is not enough.
    """
    draws = scene.draws("choice")
    wanted = draws.pick(_SIZES)
    penalties = draws.pick((0, 0, 1, 1, 1, 2))
    kept: list[Constraint] = []
    _add(scene, kept, scene.layout.core, len(scene.layout.core))
    _add(scene, kept, _by_rarity(scene.layout.anchors, draws), 1 if draws.chance(60) else 2)
    _add(scene, kept, _by_rarity(scene.layout.optional, draws), wanted - penalties - len(kept))
    if not any(one.family in ARRANGED for one in kept):
        suited = [n for n in (*scene.layout.anchors, *scene.layout.optional) if n in ARRANGED]
        _add(scene, kept, _by_rarity(tuple(suited), draws), 1)
    names = [f"not:{name}" for name in scene.layout.penalties]
    _add(scene, kept, draws.shuffled(names), min(penalties, MOST - len(kept)))
    return [_weighted(scene, constraint) for constraint in kept]


def _add(scene: Scene, kept: list[Constraint], names: Iterable[str], wanted: int) -> None:
    """Make constraints in the order of the names until so many have been added."""
    for name in names:
        if wanted <= 0:
            return
        terms = list(scene.terms)
        made = MAKERS[name](scene, scene.draws(name))
        if made is None or _clashes(made, kept) or not fits(scene, made, kept):
            scene.terms = terms
            continue
        kept.append(made)
        wanted -= 1


def _clashes(made: Constraint, kept: Iterable[Constraint]) -> bool:
    return any(made.claims & other.claims or made.check == other.check for other in kept)


def _weighted(scene: Scene, constraint: Constraint) -> Constraint:
    draws = scene.draws(f"weight:{constraint.family}:{constraint.kind}")
    return replace(constraint, weight=draws.pick(_WEIGHTS[constraint.kind]))


def _by_rarity(names: tuple[str, ...], draws: Draws) -> list[str]:
    """Return the families in random order, those that few skeletons offer more often first."""
    return draws.weighted_order(names, [1 / _offers()[name] for name in names])


@lru_cache(maxsize=1)
def _offers() -> Counter[str]:
    """Count for each family the skeletons that offer it."""
    offers: Counter[str] = Counter()
    for skeleton in skeletons():
        layout = layouts()[skeleton.layout]
        offers.update({*layout.core, *layout.anchors, *layout.optional})
    return offers
