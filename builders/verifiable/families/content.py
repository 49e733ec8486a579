"""Makers about what must be said: the topic's own words, in places and numbers asked for."""

from __future__ import annotations

from rubricbench.builders.verifiable.constraint import Constraint, made
from rubricbench.builders.verifiable.families.registry import maker
from rubricbench.builders.verifiable.phrasing import number, phrase, quoted, times
from rubricbench.builders.verifiable.scene import Scene
from rubricbench.draws import Draws


def _noun(terms: list[str]) -> str:
    noun = "phrase" if any(" " in term for term in terms) else "word"
    return noun + "s" * (len(terms) > 1)


@maker("keywords_include")
def keywords_include(scene: Scene, draws: Draws) -> Constraint | None:
    """Two or three terms, or one where few are left."""
    terms = scene.take(draws.between(2, 3)) or scene.take(2) or scene.take(1)
    if not terms:
        return None
    words = phrase(draws, "keywords_include", "default", noun=_noun(terms), quoted=quoted(terms))
    return made("keywords_include", words, "content", keywords=terms)


@maker("keyword_frequency")
def keyword_frequency(scene: Scene, draws: Draws) -> Constraint | None:
    """One term, so many times or at least so many times."""
    terms = scene.take(1)
    if not terms:
        return None
    count = draws.between(2, 4 if scene.size.sentences > 6 else 3)
    exact = draws.chance(50) and scene.skeleton.layout not in ("json", "csv", "code")
    words = phrase(
        draws,
        "keyword_frequency",
        "exact" if exact else "minimum",
        quoted=quoted(terms),
        minimum=count,
        times=times(count),
    )
    maximum = count if exact else None
    return made(
        "keyword_frequency",
        words,
        "content",
        "frequency",
        keyword=terms[0],
        minimum=count,
        maximum=maximum,
    )


@maker("lemma_include")
def lemma_include(scene: Scene, draws: Draws) -> Constraint | None:
    """Two nouns in whatever form."""
    lemmas = scene.take_lemmas(2)
    if not lemmas:
        return None
    words = phrase(
        draws,
        "lemma_include",
        "default",
        noun=_noun(lemmas),
        quoted=quoted(lemmas),
        quoted_each=" and of ".join(f'"{lemma}"' for lemma in lemmas),
    )
    return made("lemma_include", words, "content", lemmas=lemmas)


@maker("ordered_mentions")
def ordered_mentions(scene: Scene, draws: Draws) -> Constraint | None:
    """Three terms, first mentioned in a given order."""
    terms = scene.take(3)
    if not terms:
        return None
    words = phrase(draws, "ordered_mentions", "default", quoted=quoted(terms))
    return made("ordered_mentions", words, "content", "order", terms=terms)


@maker("bold_terms")
def bold_terms(scene: Scene, draws: Draws) -> Constraint | None:
    """Two terms in bold."""
    terms = scene.take(2)
    if not terms:
        return None
    words = phrase(draws, "bold_terms", "default", quoted=quoted(terms))
    return made("bold_terms", words, "content", "emphasis", terms=terms)


@maker("keyword_in_sentence")
def keyword_in_sentence(scene: Scene, draws: Draws) -> Constraint | None:
    """A term in the first or the last sentence (below a table or code: the last)."""
    terms = scene.take(1)
    if not terms:
        return None
    first = draws.chance(50) and scene.skeleton.layout not in ("table", "code")
    words = phrase(draws, "keyword_in_sentence", "first" if first else "last", quoted=quoted(terms))
    claims = ("opening",) if first else ("ending",)
    nth = 1 if first else -1
    return made("keyword_in_sentence", words, "content", *claims, keyword=terms[0], nth=nth)


@maker("nth_paragraph_first_word")
def nth_paragraph_first_word(scene: Scene, draws: Draws) -> Constraint | None:
    """A paragraph other than the first starts with a term."""
    paragraphs = max(2, scene.size.paragraphs)
    terms = scene.take_words(1)
    if not terms:
        return None
    nth = draws.between(2, paragraphs)
    word = terms[0].capitalize()
    words = phrase(
        draws,
        "nth_paragraph_first_word",
        "default",
        paragraphs=paragraphs,
        nth=nth,
        quoted=quoted([word]),
    )
    return made(
        "nth_paragraph_first_word",
        words,
        "content",
        "paragraphs",
        paragraphs=paragraphs,
        nth=nth,
        first_word=word,
    )


@maker("states_number")
def states_number(scene: Scene, draws: Draws) -> Constraint | None:
    """The topic's figure, or the total of the sum in the task."""
    if "total" in scene.people:
        value, unit = float(scene.people["total"]), scene.people["unit"]
        words = phrase(draws, "states_number", "total", unit=unit)
        return made("states_number", words, "content", value=_plain(value), unit=unit)
    figure = scene.topic.figure
    words = phrase(
        draws,
        "states_number",
        "figure",
        what=figure.what,
        value=number(figure.value),
        unit=figure.unit,
    )
    return made("states_number", words, "content", value=_plain(figure.value), unit=figure.unit)


def _plain(value: float) -> int | float:
    return int(value) if value == int(value) else value


@maker("keyword_in_section")
def keyword_in_section(scene: Scene, draws: Draws) -> Constraint | None:
    """A term below one of the row's headings."""
    terms = scene.take(1)
    if not terms:
        return None
    heading = draws.pick(scene.people["headings"].split("|"))
    words = phrase(
        draws, "keyword_in_section", "default", heading=f'"{heading}"', quoted=quoted(terms)
    )
    return made("keyword_in_section", words, "content", heading=heading, keyword=terms[0])
