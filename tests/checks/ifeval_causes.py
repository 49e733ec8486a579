"""Why our verdict and IFEval's differ: each cause is a repair, and is believed only if it works.

A cause explains a difference where IFEval's own rule, applied to the text (or the count) with the
fault repaired, comes to our verdict. Repairs of a family are tried one on top of the other, in
order; the first that brings the two together names the cause. What no repair explains is reported
as unexplained, and the tests fail on it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ifeval_settings import Setting

from rubricbench.checks.bounds import within
from rubricbench.checks.text import fences, headings, normalize, paragraphs, prose, sentences

Counts = Iterator[tuple[str, int]]
Explain = Callable[[Setting, str, bool], str | None]


def cause_of(setting: Setting, text: str, ours: bool) -> str | None:
    """Return the cause of a difference, None where no repair explains it."""
    counts = _COUNTS.get(setting.family)
    if counts is None:
        return _OTHERS[setting.family](setting, text, ours)
    limits = {"minimum": None, "maximum": None, **setting.params}
    for cause, count in counts(setting, normalize(text)):
        if within(count, limits) == ours:
            return cause
    return None


def _keyword(setting: Setting, text: str) -> Counts:
    keyword = re.escape(setting.params["keyword"])
    yield (
        "counted inside other words",
        len(re.findall(rf"\b{keyword}\b", text, re.IGNORECASE)),
    )


def _sentences(setting: Setting, text: str) -> Counts:
    from lm_eval.tasks.ifeval.instructions_util import count_sentences

    unnumbered = re.sub(r"(?m)^(\s*)\d+[.)]\s+", r"\1", text)
    yield "list numbers counted as sentences", count_sentences(unnumbered)
    titles = {line for h in headings(text) for line in (h.line, h.line + 1)}
    skipped = {i for i, row in enumerate(text.split("\n")) if row.lstrip().startswith("|")}
    rows = prose(unnumbered).split("\n")
    kept = "\n".join(
        "" if i in titles & _marked(rows) or i in skipped else row for i, row in enumerate(rows)
    )
    yield "headings, code or tables counted", count_sentences(kept)
    blocks = re.split(r"\n\s*\n|\n(?=\s*(?:[-*+•]|\d+[.)])\s)", kept)
    worded = [block for block in blocks if re.search(r"[^\W_]", block)]
    yield "paragraphs and list items run together", sum(map(count_sentences, worded))
    yield "quotes, emphasis and abbreviations inside a paragraph", len(sentences(text))


def _marked(rows: list[str]) -> set[int]:
    """Return the lines that are headings or their underlines."""
    under = {i for i, row in enumerate(rows) if re.fullmatch(r"\s*(=+|-+)\s*", row)}
    return (
        under
        | {i - 1 for i in under}
        | {i for i, row in enumerate(rows) if row.lstrip()[:1] == "#"}
    )


def _words(setting: Setting, text: str) -> Counts:
    steps = (
        ("contractions and possessives counted as two words", r"(?<=[^\W\d_])['’](?=[^\W\d_])", ""),
        ("numbers with points or commas counted as several", r"(?<=\d)[.,;'’](?=\d)", ""),
        (
            "abbreviations, names and addresses cut at full stops",
            r"(?<=[^\W\d_])[.·](?=[^\W\d_])",
            "",
        ),
        ("underscores counted as words", r"(?<!\w)_+(?!\w)", " "),
        (
            "letters cut off from their marks",
            r"[\u0300-\u036f\u0900-\u0dff\ufe0f\u20e3\u200c\u200d]",
            "x",
        ),
        (
            "Chinese and Japanese without spaces counted as one word",
            r"([\u3040-\u309f\u3400-\u9fff])",
            r" \1 ",
        ),
    )
    for cause, pattern, replacement in steps:
        text = re.sub(pattern, replacement, text)
        yield cause, len(re.findall(r"\w+", text))


def _placeholders(setting: Setting, text: str) -> Counts:
    steps = (
        ("brackets around brackets counted", r"\[(?=[^\[\]\n]*\[)"),
        ("links and images counted", r"\[[^\[\]\n]*\](?=\()"),
        ("indices in code counted", r"(?<=\w)\[[^\[\]\n]*\]|\[\^[^\[\]\n]*\]"),
        ("empty brackets, ticks and numbers counted", r"\[(?:[xX]|[\W\d_]*?)\]"),
    )
    for cause, pattern in steps:
        text = re.sub(pattern, " ", text)
        yield cause, len(re.findall(r"\[.*?\]", text))


def _bullets(setting: Setting, text: str) -> Counts:
    steps = (
        ("code counted", None, ""),
        ("horizontal rules and underlines counted", r"(?m)^[ \t]*([-*])(?:[ \t]*\1)+[ \t]*$", ""),
        ("lines that start with a hyphen and no space counted", r"(?m)^\s*-(?=\S)", ""),
        ("lines that start with emphasis counted", r"(?m)^\s*\*(?=\S)", ""),
        ("markers without text counted", r"(?m)^[ \t]*[-*][ \t]*$", ""),
        (
            "other bullet signs not counted",
            r"(?m)^([ \t]*)(?:\+[ \t]+|[•◦▪‣●○][ \t]*)(?=\S)",
            r"\1- ",
        ),
    )
    for cause, pattern, replacement in steps:
        text = prose(text) if pattern is None else re.sub(pattern, replacement, text)
        yield cause, _ifeval_bullets(text)


def _ifeval_bullets(text: str) -> int:
    return len(re.findall(r"(?m)^\s*\*[^\*].*$", text)) + len(re.findall(r"(?m)^\s*-.*$", text))


def _highlights(setting: Setting, text: str) -> Counts:
    bare = re.sub(r"(?m)^(\s*)\*\s", r"\1", text)
    yield "the asterisk of a bullet taken as an opening one", _ifeval_highlights(bare)
    bare = prose(bare)
    yield "code counted", _ifeval_highlights(bare)
    once = re.sub(r"\*\*\*([^*\n]+)\*\*\*", r"**\1**", bare)
    yield "bold italics counted twice", _ifeval_highlights(once)
    spans = re.findall(r"(?<!\*)(\*{1,3})(?![\s*])[^*\n]+(?<!\s)\1(?!\*)", once)
    yield "asterisks with a space inside or without a partner counted", len(spans)


def _ifeval_highlights(text: str) -> int:
    single = [m for m in re.findall(r"\*[^\n\*]*\*", text) if m.strip("*").strip()]
    double = [m for m in re.findall(r"\*\*[^\n\*]*\*\*", text) if m[2:-2].strip()]
    return len(single) + len(double)


def _section_lines(setting: Setting, text: str) -> Counts:
    splitter = re.escape(setting.params["splitter"])
    at_start = rf"(?m)^[ \t>#*_+-]*{splitter}[ \t]?\d"
    yield "counted in the middle of a line", len(re.findall(at_start, text))


def _asterisks(setting: Setting, text: str) -> Counts:
    inline = re.sub(r"(?m)(?<=[^\s*])[ \t]*\*{3,}|\*{3,}[ \t]*(?=[^\s*])", " ", text)
    parts = re.split(r"(?m)^[ \t]*\*{3,}[ \t]*$", inline)
    yield "three asterisks inside a line counted", sum(1 for part in parts if part.strip())


def _capitals(setting: Setting, text: str) -> Counts:
    from nltk.tokenize import word_tokenize

    def several(tokens: list[str]) -> int:
        return sum(t.isupper() and sum(map(str.isalpha, t)) > 1 for t in tokens)

    yield "single letters counted (I, A)", several(word_tokenize(text))
    pieces = re.split(r"[\s|/–—…]+", re.sub(r"['’]s\b", "", text))
    stripped = [piece.strip("\"'“”‘’«»()[]{}<>*_`~#.,;:!?-") for piece in pieces]
    yield "words cut or joined at other signs (slashes, bars, quotes, brackets)", several(stripped)


_COUNTS: dict[str, Callable[[Setting, str], Counts]] = {
    "keyword_frequency": _keyword,
    "sentence_count": _sentences,
    "word_count": _words,
    "placeholder_count": _placeholders,
    "bullet_count": _bullets,
    "highlight_count": _highlights,
    "section_count": _section_lines,
    "paragraph_count": _asterisks,
    "capital_word_frequency": _capitals,
}


def _all_keywords(setting: Setting, text: str, ours: bool) -> str | None:
    whole = all(
        re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE)
        for word in setting.params["keywords"]
    )
    return "found inside other words" if whole == ours else None


def _no_language(setting: Setting, text: str, ours: bool) -> str | None:
    letters = any(map(str.isalpha, text))
    return None if letters or ours else "no letters: IFEval counts any language as met"


def _first_word(setting: Setting, text: str, ours: bool) -> str | None:
    count, nth, word = (setting.params[k] for k in ("paragraphs", "nth", "first_word"))
    blocks = paragraphs(normalize(text))
    theirs = [part for part in text.split("\n\n") if part.strip()]
    if len(blocks) != len(theirs):
        return (
            None
            if (len(blocks) == count) != ours and ours
            else "blank lines with spaces, in code, or around rules"
        )
    if len(text.split("\n\n")) != len(theirs):
        return "empty paragraphs shift the numbering"
    opening = blocks[nth - 1].split()[0]
    if re.match(rf"(?i){re.escape(word)}['’-]", opening) and not ours:
        return "a contraction cut at its apostrophe"
    bare = re.sub(r"^\W+|\W+$", "", opening).lower()
    return "marks around the word" if (bare == word.lower()) == ours else None


def _title(setting: Setting, text: str, ours: bool) -> str | None:
    outside = prose(normalize(text))
    if not re.search(r"<<[^\n]+>>", outside) and fences(normalize(text)):
        return "shift operators in code"
    return (
        "brackets of several pairs" if not ours and re.search(r"<<\s*>>|<<.*<<", outside) else None
    )


def _nothing_after(setting: Setting, text: str, ours: bool) -> str | None:
    rest = text.strip()[len(setting.params["prompt"].strip()) :]
    return None if ours or any(map(str.isalnum, rest)) else "no answer after the repeated request"


def _foreign_comma(setting: Setting, text: str, ours: bool) -> str | None:
    return "commas of other scripts" if not ours and re.search("[，、،]", text) else None


def _capital_language(setting: Setting, text: str, ours: bool) -> str | None:
    from langdetect import detect

    if (
        text.isupper()
        and detect(text) != detect(text.lower())
        and ours == (detect(text.lower()) == "en")
    ):
        return "langdetect, trained on mixed case, judges capitals otherwise"
    return None


_OTHERS: dict[str, Explain] = {
    "keywords_include": _all_keywords,
    "language": _no_language,
    "nth_paragraph_first_word": _first_word,
    "title": _title,
    "repeat_prompt": _nothing_after,
    "no_commas": _foreign_comma,
    "all_uppercase": _capital_language,
}


def _never(setting: Setting, text: str, ours: bool) -> str | None:
    return None


for _family in (
    "keywords_exclude",
    "letter_frequency",
    "constrained_response",
    "json_format",
    "two_responses",
    "postscript",
    "end_phrase",
    "quotation",
    "all_lowercase",
):
    _OTHERS[_family] = _never
