"""Makers about the outer form: openings, endings, headings, marks, the rule of the genre."""

from __future__ import annotations

from rubricbench.builders.verifiable.constraint import Constraint, made
from rubricbench.builders.verifiable.families.registry import maker
from rubricbench.builders.verifiable.phrasing import phrase, quoted, span
from rubricbench.builders.verifiable.scene import Scene
from rubricbench.checks.language import language_name
from rubricbench.draws import Draws


def _plain(scene: Scene, draws: Draws, name: str, *claims: str, kind: str = "form") -> Constraint:
    """Return a constraint of a family without parameters."""
    return made(name, phrase(draws, name, "default"), kind, *claims)


@maker("starts_with")
def starts_with(scene: Scene, draws: Draws) -> Constraint | None:
    """A fixed opening."""
    pool = "story_openings" if scene.skeleton.mode == "story" else "opening_phrases"
    opening = draws.pick(scene.pool(pool)).format(**scene.people)
    text = phrase(draws, "starts_with", "default", quoted=quoted([opening]))
    return made("starts_with", text, "form", "opening", phrase=opening)


@maker("end_phrase")
def end_phrase(scene: Scene, draws: Draws) -> Constraint | None:
    """A fixed ending."""
    closing = draws.pick(scene.pool("closing_phrases"))
    text = phrase(draws, "end_phrase", "default", quoted=quoted([closing]))
    return made("end_phrase", text, "form", "ending", phrase=closing)


@maker("closing_question")
def closing_question(scene: Scene, draws: Draws) -> Constraint | None:
    """The text ends with a question."""
    return _plain(scene, draws, "closing_question", "ending", "questions")


@maker("postscript")
def postscript(scene: Scene, draws: Draws) -> Constraint | None:
    """A postscript."""
    marker = draws.pick(["P.S.", "PS:"])
    text = phrase(draws, "postscript", "default", marker=marker)
    return made("postscript", text, "form", "ending", "capitals", marker=marker)


@maker("title")
def title(scene: Scene, draws: Draws) -> Constraint | None:
    """A title in double angle brackets."""
    return _plain(scene, draws, "title", "opening", "paragraphs", "paragraph words", "lines",
                  "sentences")  # fmt: skip


@maker("no_commas")
def no_commas(scene: Scene, draws: Draws) -> Constraint | None:
    """No commas."""
    return _plain(scene, draws, "no_commas", "commas", kind="style")


@maker("no_markdown")
def no_markdown(scene: Scene, draws: Draws) -> Constraint | None:
    """Plain text."""
    return _plain(scene, draws, "no_markdown", "emphasis", "bullets", "links")


@maker("quotation")
def quotation(scene: Scene, draws: Draws) -> Constraint | None:
    """All of it in double quotation marks."""
    return _plain(scene, draws, "quotation", "opening", "ending")


@maker("two_responses")
def two_responses(scene: Scene, draws: Draws) -> Constraint | None:
    """Two versions."""
    return _plain(scene, draws, "two_responses", "paragraphs")


@maker("alphabetical_list")
def alphabetical_list(scene: Scene, draws: Draws) -> Constraint | None:
    """Sorted entries."""
    return _plain(scene, draws, "alphabetical_list", "order")


@maker("all_uppercase")
def all_uppercase(scene: Scene, draws: Draws) -> Constraint | None:
    """Capitals only."""
    english = draws.chance(40)
    text = phrase(draws, "all_uppercase", "english" if english else "default")
    return made("all_uppercase", text, "form", "case", language="en" if english else None)


@maker("all_lowercase")
def all_lowercase(scene: Scene, draws: Draws) -> Constraint | None:
    """Small letters only."""
    english = draws.chance(40)
    text = phrase(draws, "all_lowercase", "english" if english else "default")
    return made("all_lowercase", text, "form", "case", language="en" if english else None)


@maker("language")
def language(scene: Scene, draws: Draws) -> Constraint | None:
    """The language of the answer."""
    text = phrase(draws, "language", "default", language=language_name(scene.language))
    return made("language", text, "form", "language", code=scene.language)


@maker("constrained_response")
def constrained_response(scene: Scene, draws: Draws) -> Constraint | None:
    """One of a few answers, word for word."""
    rating = scene.skeleton.id == "rating"
    options = draws.pick(scene.pool("rating_sets" if rating else "option_sets"))
    text = phrase(draws, "constrained_response", "default", quoted_or=quoted(options, "or"))
    return made("constrained_response", text, "form", "options", options=list(options))


@maker("repeat_prompt")
def repeat_prompt(scene: Scene, draws: Draws) -> Constraint | None:
    """The request is repeated before it is answered."""
    question = scene.people["question"]
    text = phrase(draws, "repeat_prompt", "default", prompt=question)
    return made("repeat_prompt", text, "form", "opening", prompt=question)


@maker("acrostic")
def acrostic(scene: Scene, draws: Draws) -> Constraint | None:
    """Lines or paragraphs whose initials spell a word of the topic."""
    by_line = scene.skeleton.layout == "acrostic_lines"
    fits = [
        t
        for t in scene.terms
        if t.isalpha() and (4 if by_line else 3) <= len(t) <= (8 if by_line else 5)
    ]
    word = fits[0] if fits else draws.pick(["start", "learn"])
    scene.terms = [term for term in scene.terms if term != word]
    unit = "line" if by_line else "paragraph"
    text = phrase(draws, "acrostic", unit, letters=word.upper())
    return made(
        "acrostic", text, "form", "opening", "ending", "paragraphs", letters=word, unit=unit
    )


@maker("list_nesting")
def list_nesting(scene: Scene, draws: Draws) -> Constraint | None:
    """Two levels, sometimes three."""
    depth = 2 if draws.chance(75) else 3
    text = phrase(draws, "list_nesting", "default", depth=depth)
    return made("list_nesting", text, "form", "nesting", minimum_depth=depth)


@maker("section_count")
def section_count(scene: Scene, draws: Draws) -> Constraint | None:
    """Three to five numbered sections."""
    count, splitter = draws.between(3, 5), scene.skeleton.splitter
    text = phrase(
        draws, "section_count", "exact", minimum=count, splitter=splitter, quoted=quoted([splitter])
    )
    return made(
        "section_count", text, "form", "sections", splitter=splitter, minimum=count, maximum=count
    )


@maker("ordered_headings")
def ordered_headings(scene: Scene, draws: Draws) -> Constraint | None:
    """The row's headings."""
    headings = scene.people["headings"].split("|")
    text = phrase(draws, "ordered_headings", "default", quoted=quoted(headings))
    return made("ordered_headings", text, "form", "headings", headings=headings)


@maker("heading_count")
def heading_count(scene: Scene, draws: Draws) -> Constraint | None:
    """No headings beside those asked for."""
    count = len(scene.people["headings"].split("|"))
    text = phrase(draws, "heading_count", "exact", minimum=count)
    return made("heading_count", text, "form", "heading count", minimum=count, maximum=count)


@maker("placeholder_count")
def placeholder_count(scene: Scene, draws: Draws) -> Constraint | None:
    """Blanks to fill in."""
    count = draws.between(3, 5) if scene.skeleton.layout == "template" else draws.between(1, 3)
    exact = draws.chance(30)
    text = phrase(draws, "placeholder_count", span(count, count if exact else None), minimum=count)
    return made(
        "placeholder_count",
        text,
        "form",
        "placeholders",
        minimum=count,
        maximum=count if exact else None,
    )


@maker("highlight_count")
def highlight_count(scene: Scene, draws: Draws) -> Constraint | None:
    """Emphasised passages."""
    count = draws.between(2, 3)
    exact = draws.chance(40)
    text = phrase(draws, "highlight_count", span(count, count if exact else None), minimum=count)
    return made(
        "highlight_count",
        text,
        "form",
        "emphasis",
        minimum=count,
        maximum=count if exact else None,
    )


_STYLES = ("numeric", "author_year", "markdown_link", "url", "footnote")
_CITATION_CLAIMS = {
    "author_year": ("commas", "parentheses"),
    "markdown_link": ("links", "parentheses", "emphasis"),
    "url": ("links",),
}


@maker("citation_count")
def citation_count(scene: Scene, draws: Draws) -> Constraint | None:
    """Sources in one of the usual styles."""
    style, count = draws.pick(_STYLES), draws.between(2, 3)
    distinct = scene.skeleton.layout == "cited" and style != "footnote" and draws.chance(50)
    text = phrase(draws, "citation_count", style, minimum=count)
    if distinct:
        text += " " + phrase(draws, "citation_count", "distinct", minimum=count)
    claims = ("citations", *_CITATION_CLAIMS.get(style, ()))
    return made(
        "citation_count",
        text,
        "form",
        *claims,
        style=style,
        minimum=count,
        distinct=distinct or None,
    )


@maker("regex_match")
def regex_match(scene: Scene, draws: Draws) -> Constraint | None:
    """A reference, date, time, telephone number or price of a given form."""
    cased = {"uppercase": ("any", "upper"), "lowercase": ("any",)}
    allowed = cased.get(scene.skeleton.layout, ("any", "upper", "mixed"))
    chosen = draws.pick([one for one in scene.pool("patterns") if one["case"] in allowed])
    text = phrase(draws, "regex_match", "default", words=chosen["words"])
    claims = ("pattern", *(("capitals",) if chosen["case"] == "upper" else ()))
    return made("regex_match", text, "content", *claims, pattern=chosen["pattern"])


@maker("hashtag_count")
def hashtag_count(scene: Scene, draws: Draws) -> Constraint | None:
    """Hashtags."""
    count = draws.between(2, 4)
    low, high = (count, count) if draws.chance(60) else (count, count + 2)
    text = phrase(draws, "hashtag_count", span(low, high), minimum=low, maximum=high)
    return made("hashtag_count", text, "form", "hashtags", "ending", minimum=low, maximum=high)
