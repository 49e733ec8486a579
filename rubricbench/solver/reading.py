"""Reading a rubric: each check family narrows the wishes; a penalty narrows them the other way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rubricbench.checks import complete
from rubricbench.schema import Check, Rubric
from rubricbench.solver.span import Span
from rubricbench.solver.wishes import Wishes

Reader = Callable[[Wishes, Mapping[str, Any]], None]

_READERS: dict[str, Reader] = {}
_OPPOSITES: dict[str, Reader] = {}


def read_wishes(rubric: Rubric) -> Wishes:
    """Gather the wishes of a rubric. Criteria without a check, and families that are not known
    here, leave no wish: what comes of them is seen when the response is verified.
    """
    wishes = Wishes()
    for criterion in rubric.criteria:
        if criterion.check is None:
            continue
        _, params = complete(criterion.check)
        reader = (_OPPOSITES if criterion.is_penalty else _READERS).get(criterion.check.name)
        if reader:
            reader(wishes, params)
        elif criterion.is_penalty:
            _opposite_of_count(wishes, criterion.check, params)
    return wishes


def _reads(name: str, readers: dict[str, Reader] = _READERS) -> Callable[[Reader], Reader]:
    def register(function: Reader) -> Reader:
        readers[name] = function
        return function

    return register


# Families that count: name of the count, and the check that finds a single one of what is counted.
_COUNTS: dict[str, tuple[str, dict[str, Any] | None]] = {
    "word_count": ("words", None),
    "character_count": ("characters", None),
    "sentence_count": ("sentences", None),
    "line_count": ("lines", None),
    "bullet_count": ("bullets", {"maximum": 0}),
    "numbered_list": ("numbers", {"maximum": 0}),
    "list_item_words": ("item words", None),
    "paragraph_word_range": ("paragraph words", None),
    "placeholder_count": ("placeholders", {"maximum": 0}),
    "highlight_count": ("highlights", {"maximum": 0}),
    "capital_word_frequency": ("capitals", {"maximum": 0}),
    "emoji_count": ("emoji", {"maximum": 0}),
    "question_count": ("questions", {"maximum": 0}),
    "hashtag_count": ("hashtags", {"maximum": 0}),
}


def _read_count(name: str) -> Reader:
    count, single = _COUNTS[name]

    def read(wishes: Wishes, p: Mapping[str, Any]) -> None:
        wishes.narrow(count, p["minimum"], p["maximum"])
        if single and p["maximum"] is not None:
            wishes.ban(name, count, **single)

    return read


_READERS.update({name: _read_count(name) for name in _COUNTS})


def _opposite_of_count(wishes: Wishes, check: Check, p: Mapping[str, Any]) -> None:
    """Stay below the minimum of a count that must not be reached, or above its maximum."""
    if check.name not in _COUNTS:
        return
    count, single = _COUNTS[check.name]
    if p["minimum"]:
        wishes.narrow(count, None, p["minimum"] - 1)
        if single:
            wishes.ban(check.name, count, **single)
    else:
        wishes.narrow(count, p["maximum"] + 1, None)


@_reads("keywords_include")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.include += p["keywords"]


@_reads("lemma_include")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.include += p["lemmas"]


@_reads("lemma_include", _OPPOSITES)
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.ban("lemma_exclude", lemmas=p["lemmas"][:1], language=p["language"])


@_reads("keywords_include", _OPPOSITES)
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.ban("keywords_exclude", keywords=p["keywords"][:1])


@_reads("keywords_exclude")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.ban("keywords_exclude", keywords=p["keywords"])


@_reads("lemma_exclude")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.ban("lemma_exclude", lemmas=p["lemmas"], language=p["language"])


@_reads("keywords_exclude", _OPPOSITES)
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.include.append(p["keywords"][0])


@_reads("keyword_frequency")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    word = p["keyword"]
    wishes.counted[word] = wishes.counted.get(word, Span()).meet(p["minimum"], p["maximum"])
    if p["maximum"] is not None:
        wishes.ban("keywords_exclude", f"keyword:{word}", keywords=[word])


@_reads("keyword_frequency", _OPPOSITES)
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    word, low = p["keyword"], p["minimum"]
    if low:
        wishes.counted[word] = wishes.counted.get(word, Span()).meet(None, low - 1)
        wishes.ban("keywords_exclude", f"keyword:{word}" if low > 1 else "", keywords=[word])
    else:
        wishes.counted[word] = wishes.counted.get(word, Span()).meet(p["maximum"] + 1, None)


@_reads("ordered_mentions")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.ordered.append(list(p["terms"]))


@_reads("bold_terms")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.bold += p["terms"]


@_reads("keyword_in_section")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.in_section.append((p["heading"], p["keyword"]))


@_reads("section_word_range")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    known = wishes.section_words.get(p["heading"], Span())
    wishes.section_words[p["heading"]] = known.meet(p["minimum"], p["maximum"])


@_reads("keyword_in_sentence")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.in_sentence[p["nth"]] = p["keyword"]


@_reads("nth_paragraph_first_word")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.narrow("paragraphs", p["paragraphs"], p["paragraphs"])
    wishes.paragraph_starts[p["nth"]] = p["first_word"]


@_reads("paragraph_count")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    count = "pieces" if p["separator"] == "***" else "paragraphs"
    wishes.narrow(count, p["minimum"], p["maximum"])


@_reads("ordered_headings")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.headings += [h for h in p["headings"] if h not in wishes.headings]


@_reads("heading_count")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.narrow("headings", p["minimum"], p["maximum"])


@_reads("section_count")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.splitter = p["splitter"]
    wishes.narrow("sections", p["minimum"], p["maximum"])


@_reads("table_shape")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.table = {**(wishes.table or {}), **{k: v for k, v in p.items() if v is not None}}


@_reads("csv_shape")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.csv = {**(wishes.csv or {}), **{k: v for k, v in p.items() if v is not None}}


@_reads("json_schema")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.schema = dict(p["schema"])


@_reads("json_format")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.json = True


@_reads("key_value_lines")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.keys += [key for key in p["keys"] if key not in wishes.keys]


@_reads("code_block")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.code.append((p["language"] or "text", p["minimum"]))


@_reads("starts_with")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.start = p["phrase"]


@_reads("end_phrase")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.end = p["phrase"]


@_reads("closing_question")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.closing_question = True


@_reads("postscript")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.postscript = p["marker"]


@_reads("title")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.title = True


@_reads("quotation")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.quotation = True


@_reads("two_responses")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.pair = True


@_reads("repeat_prompt")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.echo = p["prompt"]


@_reads("constrained_response")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.options = list(p["options"])
    wishes.ban("keywords_exclude", "option", keywords=p["options"])


@_reads("states_number")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.stated.append((p["value"], p["unit"] or ""))


@_reads("regex_match")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    if p["full"]:
        wishes.whole_pattern = p["pattern"]
    else:
        wishes.patterns.append(p["pattern"])


@_reads("citation_count")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    known = wishes.citations.get(p["style"], Span())
    wishes.citations[p["style"]] = known.meet(p["minimum"], p["maximum"])
    if p["maximum"] is not None:
        wishes.ban("citation_count", f"citation:{p['style']}", style=p["style"], maximum=0)


@_reads("citation_count", _OPPOSITES)
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    if p["minimum"] and p["minimum"] == 1:
        wishes.ban("citation_count", style=p["style"], maximum=0)


@_reads("letter_frequency")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    letter = p["letter"].lower()
    wishes.letters[letter] = wishes.letters.get(letter, Span()).meet(p["minimum"], p["maximum"])


@_reads("symbol_count")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    symbols = tuple(p["symbols"])
    wishes.symbols.append((symbols, Span().meet(p["minimum"], p["maximum"])))
    if p["maximum"] is not None:
        wishes.ban("symbol_count", f"symbol:{symbols[0]}", symbols=p["symbols"], maximum=0)


@_reads("language")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.language = p["code"]


@_reads("all_uppercase")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.case, wishes.language = "upper", p["language"] or wishes.language


@_reads("all_lowercase")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.case, wishes.language = "lower", p["language"] or wishes.language


@_reads("acrostic")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.acrostic = ("".join(p["letters"].split()).lower(), p["unit"])


@_reads("list_nesting")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.depth = max(wishes.depth, p["minimum_depth"])


@_reads("alphabetical_list")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.alphabetical = p["minimum"]


@_reads("sentence_word_limit")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    limits = [limit for limit in (wishes.sentence_limit, p["maximum"]) if limit]
    wishes.sentence_limit = min(limits)


@_reads("max_line_length")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    limits = [limit for limit in (wishes.line_limit, p["maximum"]) if limit]
    wishes.line_limit = min(limits)


@_reads("first_word_variety")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.variety = p["maximum_repeats"]


@_reads("no_repetition")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.repetition = p["words"]


@_reads("distinct_words_ratio")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.ratio = max(wishes.ratio, p["minimum"])


@_reads("reading_grade")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.grade = p["maximum"]


@_reads("no_markdown")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.ban("no_markdown")


@_reads("no_commas")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.ban("no_commas")


@_reads("no_first_person")
def _(wishes: Wishes, p: Mapping[str, Any]) -> None:
    wishes.ban("no_first_person")
