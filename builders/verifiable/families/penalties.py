"""Makers of penalties: what the prompt says not to do, checked by its being done."""

from __future__ import annotations

from functools import partial

from rubricbench.builders.verifiable.constraint import Constraint, made
from rubricbench.builders.verifiable.families.registry import maker
from rubricbench.builders.verifiable.phrasing import phrase, quoted
from rubricbench.builders.verifiable.scene import Scene
from rubricbench.draws import Draws

# penalty -> (family of which one occurrence is too many, what it takes up in the plan)
_NOT_ONE = {
    "emoji": ("emoji_count", "emoji"),
    "bullets": ("bullet_count", "bullets"),
    "numbers": ("numbered_list", "numbers"),
    "highlights": ("highlight_count", "emphasis"),
    "capitals": ("capital_word_frequency", "capitals"),
    "placeholder": ("placeholder_count", "placeholders"),
}


def _not_one(family: str, claim: str, scene: Scene, draws: Draws) -> Constraint | None:
    return made(family, phrase(draws, family, "forbidden"), "penalty", claim, minimum=1)


for _name, (_family, _claim) in _NOT_ONE.items():
    maker(f"not:{_name}")(partial(_not_one, _family, _claim))


@maker("not:word")
def word(scene: Scene, draws: Draws) -> Constraint | None:
    """A word that answers are full of."""
    banned = draws.pick(scene.harmless("banned_words"))
    text = phrase(draws, "keyword_frequency", "forbidden", quoted=quoted([banned]))
    return made("keyword_frequency", text, "penalty", "banned words", keyword=banned, minimum=1)


@maker("not:lemma")
def lemma(scene: Scene, draws: Draws) -> Constraint | None:
    """A common verb in any form."""
    banned = draws.pick(scene.harmless("banned_lemmas"))
    text = phrase(draws, "lemma_include", "forbidden", quoted=quoted([banned]))
    return made("lemma_include", text, "penalty", "banned lemmas", lemmas=[banned])


@maker("not:question")
def question(scene: Scene, draws: Draws) -> Constraint | None:
    """Questions to the reader."""
    if any("?" in one for one in scene.people.get("headings", "").split("|")):
        return None
    text = phrase(draws, "question_count", "forbidden")
    return made("question_count", text, "penalty", "questions", minimum=1)


@maker("not:opening")
def opening(scene: Scene, draws: Draws) -> Constraint | None:
    """A chatty opening."""
    banned = draws.pick(scene.pool("banned_openings"))
    text = phrase(draws, "starts_with", "forbidden", quoted=quoted([banned]))
    return made("starts_with", text, "penalty", "opening", phrase=banned)


@maker("not:closing")
def closing(scene: Scene, draws: Draws) -> Constraint | None:
    """A stock ending."""
    banned = draws.pick(scene.pool("banned_closings"))
    text = phrase(draws, "end_phrase", "forbidden", quoted=quoted([banned]))
    return made("end_phrase", text, "penalty", "ending", phrase=banned)


@maker("not:length")
def length(scene: Scene, draws: Draws) -> Constraint | None:
    """Going on for too long."""
    size = scene.size
    planned = max(size.words, size.items * (size.item_words + 2))
    limit = max(40, int(planned * 1.3 / 10 + 1) * 10)
    text = phrase(draws, "word_count", "forbidden", limit=limit)
    return made("word_count", text, "penalty", "size", minimum=limit + 1)


@maker("not:link")
def link(scene: Scene, draws: Draws) -> Constraint | None:
    """Web addresses."""
    text = phrase(draws, "citation_count", "forbidden")
    return made("citation_count", text, "penalty", "links", style="url", minimum=1)
