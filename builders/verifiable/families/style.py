"""Makers about how it is said: words to avoid, variety, case, marks, questions."""

from __future__ import annotations

from rubricbench.builders.verifiable.constraint import Constraint, made
from rubricbench.builders.verifiable.families.registry import maker
from rubricbench.builders.verifiable.phrasing import phrase, quoted, span
from rubricbench.builders.verifiable.scene import Scene
from rubricbench.draws import Draws


@maker("keywords_exclude")
def keywords_exclude(scene: Scene, draws: Draws) -> Constraint | None:
    """Two or three words or phrases that answers are full of."""
    words = draws.sample(scene.harmless("banned_words"), draws.between(1, 2))
    words.append(draws.pick(scene.harmless("banned_phrases")))
    text = phrase(
        draws,
        "keywords_exclude",
        "default",
        quoted=quoted(words),
        quoted_or=quoted(words, "or"),
    )
    return made("keywords_exclude", text, "style", "banned words", keywords=words)


@maker("lemma_exclude")
def lemma_exclude(scene: Scene, draws: Draws) -> Constraint | None:
    """Two common verbs in any form."""
    lemmas = draws.sample(scene.harmless("banned_lemmas"), 2)
    text = phrase(draws, "lemma_exclude", "default", quoted_or=quoted(lemmas, "or"))
    return made("lemma_exclude", text, "style", "banned lemmas", lemmas=lemmas)


@maker("letter_frequency")
def letter_frequency(scene: Scene, draws: Draws) -> Constraint | None:
    """A rare letter that must occur, or one that must be rare."""
    if draws.chance(50):
        letter, count = draws.pick("vkwz"), draws.between(3, 6)
        text = phrase(draws, "letter_frequency", "minimum", quoted=quoted([letter]), minimum=count)
        return made("letter_frequency", text, "style", "letters", letter=letter, minimum=count)
    required = " ".join([scene.topic.name, *scene.topic.terms]).lower()
    letter = draws.pick("jqz")
    count = required.count(letter) * 2 + draws.between(1, 2)
    variant = "once" if count == 1 else "maximum"
    text = phrase(draws, "letter_frequency", variant, quoted=quoted([letter]), maximum=count)
    return made("letter_frequency", text, "style", "letters", letter=letter, maximum=count)


@maker("capital_word_frequency")
def capital_word_frequency(scene: Scene, draws: Draws) -> Constraint | None:
    """A few words in capitals."""
    count = draws.between(1, 3)
    exact = count > 1 and draws.chance(40)
    variant = "one" if count == 1 else span(count, count if exact else None)
    text = phrase(draws, "capital_word_frequency", variant, minimum=count)
    return made(
        "capital_word_frequency",
        text,
        "style",
        "capitals",
        minimum=count,
        maximum=count if exact else None,
    )


@maker("no_first_person")
def no_first_person(scene: Scene, draws: Draws) -> Constraint | None:
    """No first person, where the form does not live on it."""
    if scene.skeleton.mode in ("diary", "story", "review", "speech", "advice"):
        return None
    return made("no_first_person", phrase(draws, "no_first_person", "default"), "style", "person")


@maker("first_word_variety")
def first_word_variety(scene: Scene, draws: Draws) -> Constraint | None:
    """Sentences that begin differently."""
    limit = draws.between(1, 2)
    variant = "one" if limit == 1 else "default"
    text = phrase(draws, "first_word_variety", variant, maximum=limit)
    return made("first_word_variety", text, "style", "first words", maximum_repeats=limit)


@maker("distinct_words_ratio")
def distinct_words_ratio(scene: Scene, draws: Draws) -> Constraint | None:
    """Variety that a text of this length can have: the longer, the lower."""
    words = scene.size.words if not scene.size.items else scene.size.items * scene.size.item_words
    top = 72 if words <= 60 else 66 if words <= 100 else 60 if words <= 150 else 54
    percent = top - draws.below(4)
    text = phrase(draws, "distinct_words_ratio", "default", percent=percent)
    return made("distinct_words_ratio", text, "style", "frequency", minimum=percent / 100)


@maker("no_repetition")
def no_repetition(scene: Scene, draws: Draws) -> Constraint | None:
    """No run of words twice."""
    words = draws.between(4, 6)
    text = phrase(draws, "no_repetition", "default", words=words)
    return made("no_repetition", text, "style", "repetition", words=words)


@maker("reading_grade")
def reading_grade(scene: Scene, draws: Draws) -> Constraint | None:
    """Easy reading."""
    grade = draws.between(8, 10)
    text = phrase(draws, "reading_grade", "maximum", maximum=grade)
    return made("reading_grade", text, "style", "reading", maximum=grade)


@maker("emoji_count")
def emoji_count(scene: Scene, draws: Draws) -> Constraint | None:
    """Some emoji."""
    count = draws.between(1, 4)
    low, high = draws.pick([(count, None), (count, count), (count, count + 2)])
    text = phrase(draws, "emoji_count", span(low, high), minimum=low, maximum=high)
    return made("emoji_count", text, "style", "emoji", minimum=low, maximum=high)


@maker("question_count")
def question_count(scene: Scene, draws: Draws) -> Constraint | None:
    """A question or two; in a list of questions, as many as there are items."""
    if scene.skeleton.layout == "numbered_questions":
        count = scene.size.items - 1
        text = phrase(draws, "question_count", "minimum", minimum=count)
        return made("question_count", text, "form", "questions", minimum=count)
    if any("?" in one for one in scene.people.get("headings", "").split("|")):
        return None
    count = draws.between(1, 2)
    variant = "one" if count == 1 else "exact"
    text = phrase(draws, "question_count", variant, minimum=count)
    return made("question_count", text, "style", "questions", minimum=count, maximum=count)


# variant: symbols, minimum, maximum, what it claims
_SYMBOLS: dict[str, tuple[list[str], int | None, int | None, str]] = {
    "exclaim_exact": (["!"], 1, 1, "exclamation"),
    "exclaim_none": (["!"], None, 0, "exclamation"),
    "semicolon": ([";"], 1, None, "semicolon"),
    "colon": ([":"], 1, None, "colon"),
    "no_dash": (["—", "–"], None, 0, "dashes"),
    "no_parentheses": (["(", ")"], None, 0, "parentheses"),
}


@maker("symbol_count")
def symbol_count(scene: Scene, draws: Draws) -> Constraint | None:
    """A mark that must or must not be used."""
    variant = draws.pick(sorted(_SYMBOLS))
    symbols, low, high, claim = _SYMBOLS[variant]
    text = phrase(draws, "symbol_count", variant)
    return made("symbol_count", text, "style", claim, symbols=symbols, minimum=low, maximum=high)
