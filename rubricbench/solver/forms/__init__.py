"""The outer forms of a response, and how they are put together from the wishes."""

from __future__ import annotations

from rubricbench.solver.document import Document, Fixed, Slot
from rubricbench.solver.forms.acrostic import acrostic
from rubricbench.solver.forms.code import code_answer
from rubricbench.solver.forms.grids import card, csv_text, table_answer
from rubricbench.solver.forms.json_record import json_text
from rubricbench.solver.forms.lists import glossary, list_answer, nested
from rubricbench.solver.forms.sections import headed, numbered
from rubricbench.solver.forms.text import divided, lines, pair, prose
from rubricbench.solver.frames import capitalized
from rubricbench.solver.pattern import sample
from rubricbench.solver.sentence import Sentence
from rubricbench.solver.wishes import Wishes
from rubricbench.solver.writer import Writer

Parts = list[Fixed | Slot]


def compose(writer: Writer) -> Document:
    """Lay out the response and write the sentences that carry what is asked for."""
    wishes = writer.wishes
    document = Document(line_limit=wishes.line_limit, case=wishes.case, quoted=wishes.quotation)
    if wishes.whole_pattern:
        document.parts = [Fixed(sample(wishes.whole_pattern) or "")]
    elif wishes.schema is not None or wishes.json:
        document.parts = [Fixed(json_text(writer))]
    elif wishes.csv is not None:
        document.parts = [Fixed(csv_text(writer))]
    else:
        front, body = _front(writer), _body(writer)
        if wishes.title and _counts_paragraphs(wishes):
            body[0].gap = "\n"  # a title line of its own would be one more paragraph
        document.parts = [*front, *body, *_back(writer)]
    return document


def _counts_paragraphs(wishes: Wishes) -> bool:
    return wishes.span("paragraphs").bounded or wishes.span("paragraph words").bounded


def _front(writer: Writer) -> Parts:
    wishes = writer.wishes
    parts: Parts = []
    if wishes.echo:
        writer.adopt(Sentence(wishes.echo))
        parts.append(Fixed(wishes.echo))
    if wishes.title:
        title = " ".join(
            word if len(word) < 3 else capitalized(word) for word in writer.material.topic.split()
        )
        writer.adopt(Sentence(title))
        parts.append(Fixed(f"<<{capitalized(title)}>>"))
    return parts


def _body(writer: Writer) -> Parts:
    wishes = writer.wishes
    if wishes.acrostic:
        return acrostic(writer)
    if wishes.keys:
        return card(writer)
    if wishes.table is not None:
        return table_answer(writer)
    if wishes.code:
        return code_answer(writer)
    sectioned = wishes.headings or wishes.in_section or wishes.section_words
    if sectioned or wishes.span("headings").low:
        return headed(writer)
    if wishes.splitter and wishes.span("sections").low:
        return numbered(writer)
    if wishes.alphabetical:
        return glossary(writer)
    if wishes.depth > 1:
        return nested(writer)
    if _is_list(wishes):
        return list_answer(writer)
    return _text(writer)


def _is_list(wishes: Wishes) -> bool:
    named = ("bullets", "numbers")
    return (
        any(wishes.span(n).low for n in named)
        or wishes.span("item words").bounded
        or (wishes.depth == 1)
    )


def _text(writer: Writer) -> Parts:
    wishes = writer.wishes
    if wishes.pair:
        return pair(writer)
    if wishes.span("pieces").low > 1:
        return divided(writer)
    if wishes.span("lines").bounded:
        return lines(writer)
    return prose(writer)


def _back(writer: Writer) -> Parts:
    wishes = writer.wishes
    parts: Parts = []
    if wishes.postscript:
        sentence = writer.sentence(("closer",), 6)
        text = sentence.base if sentence else "More soon."
        parts.append(Fixed(f"{wishes.postscript} {text}"))
    if wishes.span("hashtags").low:
        named = [writer.material.topic, *writer.vocabulary, "learning", "everyday", "ideas", "tips"]
        tags = ["#" + "".join(filter(str.isalnum, name.title())) for name in named]
        tags = [tag for tag in dict.fromkeys(tags) if writer.accepts(tag, frozenset({"hashtags"}))]
        parts.append(Fixed(" ".join(tags[: wishes.span("hashtags").low])))
    return parts
