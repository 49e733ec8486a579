"""The settings in which our families are compared with IFEval's checkers, all made by rule.

Each setting pairs the parameters of one of our families with the instruction and arguments that ask
the same of IFEval. Keywords come from IFEval's own word list. Where no model was asked for a format
(nobody told them to write in capitals, or to add a postscript) every second response is put into it
by a fixed rule, so that both outcomes occur.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

Shape = Callable[[str, int], str]


@dataclass(frozen=True)
class Setting:
    """One family with parameters, and the same demand in IFEval's terms.

    Args:
        family: name of our family.
        params: its parameters.
        instruction: IFEval's instruction id.
        kwargs: arguments of its ``build_description``.
        shape: rewrites a response (text, running number) into the format asked for.
        telling: a pattern of responses in which the feature occurs at all; half are drawn there.
    """

    family: str
    params: dict[str, Any]
    instruction: str
    kwargs: dict[str, Any] = field(default_factory=dict)
    shape: Shape | None = None
    telling: str = ""


def relations(least: int) -> Iterator[tuple[str, int, dict[str, int]]]:
    """Yield IFEval's two relations for a threshold, with the bounds that say the same."""
    yield "at least", least, {"minimum": least}
    yield "less than", least, {"maximum": least - 1}


def all_settings(words: Sequence[str], prompts: Sequence[str]) -> list[Setting]:
    """Return the settings of all families.

    Args:
        words: keywords, most frequent first; at least 100.
        prompts: prompts to be repeated; at least 60.
    """
    return [
        *_keywords(words),
        *_letters(),
        *_languages(),
        *_lengths(),
        *_paragraphs(words),
        *_marks(),
        *_sections(),
        *_wholes(prompts),
        *_endings(),
        *_cases(),
    ]


def _keywords(words: Sequence[str]) -> Iterator[Setting]:
    for i in range(54):
        chosen = list(words[i : i + 1 + i % 3])
        params = {"keywords": chosen}
        yield Setting("keywords_include", params, "keywords:existence", params)
        yield Setting(
            "keywords_exclude", params, "keywords:forbidden_words", {"forbidden_words": chosen}
        )
    for i in range(30):
        for relation, count, limits in relations(1 + i % 5):
            yield Setting(
                "keyword_frequency",
                {"keyword": words[i], **limits},
                "keywords:frequency",
                {"keyword": words[i], "frequency": count, "relation": relation},
            )


def _letters() -> Iterator[Setting]:
    for i, letter in enumerate("abcdefghijklmnopqrstuvwxyz"):
        for relation, count, limits in relations(2 + 3 * (i % 9)):
            yield Setting(
                "letter_frequency",
                {"letter": letter, **limits},
                "keywords:letter_frequency",
                {"letter": letter, "let_frequency": count, "let_relation": relation},
            )


IFEVAL_LANGUAGES = (
    "en es pt ar hi fr ru de ja it bn uk th ur ta te bg ko pl he fa vi ne sw kn mr gu pa ml fi"
)


def _languages() -> Iterator[Setting]:
    telling = "[^\x00-\x7f‘’“”–—•…]{3}"
    for code in IFEVAL_LANGUAGES.split():
        yield Setting(
            "language",
            {"code": code},
            "language:response_language",
            {"language": code},
            telling=telling,
        )


def _lengths() -> Iterator[Setting]:
    for i in range(1, 29):
        for relation, count, limits in relations(i):
            yield Setting(
                "sentence_count",
                limits,
                "length_constraints:number_sentences",
                {"num_sentences": count, "relation": relation},
            )
        for relation, count, limits in relations(20 * i):
            yield Setting(
                "word_count",
                limits,
                "length_constraints:number_words",
                {"num_words": count, "relation": relation},
            )


def _starred(text: str, number: int) -> str:
    """Part a response with ``***`` lines, at every blank line or every second one."""
    blocks = [block for block in text.split("\n\n") if block.strip()]
    if number % 2:
        blocks = ["\n\n".join(blocks[i : i + 2]) for i in range(0, len(blocks), 2)]
    return "\n***\n".join(blocks)


def _paragraphs(words: Sequence[str]) -> Iterator[Setting]:
    for count in range(1, 51):
        yield Setting(
            "paragraph_count",
            {"minimum": count, "maximum": count, "separator": "***"},
            "length_constraints:number_paragraphs",
            {"num_paragraphs": count},
            shape=_starred,
            telling=r"\*\*\*",
        )
    openings = ["the", "i", "here", "sure", "in", "to", "this", "it", words[0], "as"]
    for count in range(1, 7):
        for i, word in enumerate(openings):
            nth = 1 + i % count
            yield Setting(
                "nth_paragraph_first_word",
                {"paragraphs": count, "nth": nth, "first_word": word},
                "length_constraints:nth_paragraph_first_word",
                {"num_paragraphs": count, "nth_paragraph": nth, "first_word": word},
                shape=_opened(nth, word),
                telling=rf"(?i)^\W*{word}\b",
            )


def _opened(nth: int, word: str) -> Shape:
    def shape(text: str, number: int) -> str:
        blocks = text.split("\n\n")
        if nth <= len(blocks):
            blocks[nth - 1] = f"{word.capitalize()}{', '[number % 2 :]}{blocks[nth - 1]}"
        return "\n\n".join(blocks)

    return shape


def _marks() -> Iterator[Setting]:
    for count in range(1, 51):
        yield Setting(
            "placeholder_count",
            {"minimum": count},
            "detectable_content:number_placeholders",
            {"num_placeholders": count},
            telling=r"\[[^\]\n]*\]",
        )
        yield Setting(
            "bullet_count",
            {"minimum": count, "maximum": count},
            "detectable_format:number_bullet_lists",
            {"num_bullets": count},
            telling=r"(?m)^\s*[-*]",
        )
        yield Setting(
            "highlight_count",
            {"minimum": count},
            "detectable_format:number_highlighted_sections",
            {"num_highlights": count},
            telling=r"\*[^*\n]+\*",
        )
    yield Setting("title", {}, "detectable_format:title", shape=_titled, telling="<<")


def _titled(text: str, number: int) -> str:
    return f"{'# ' * (number % 2)}<<On {text[:20].strip()}>>\n\n{text}"


def _sections() -> Iterator[Setting]:
    for splitter in ("Section", "SECTION", "Part", "Day", "Step", "Chapter"):
        for count in range(1, 10):
            yield Setting(
                "section_count",
                {"splitter": splitter, "minimum": count},
                "detectable_format:multiple_sections",
                {"section_spliter": splitter, "num_sections": count},
                shape=_sectioned(splitter),
                telling=rf"{splitter}\s?\d",
            )


def _sectioned(splitter: str) -> Shape:
    def shape(text: str, number: int) -> str:
        blocks = text.split("\n\n")
        return "\n\n".join(
            f"{'**' * (number % 2)}{splitter} {i}{'**' * (number % 2)}\n{block}"
            for i, block in enumerate(blocks, 1)
        )

    return shape


IFEVAL_OPTIONS = ["My answer is yes.", "My answer is no.", "My answer is maybe."]


def _wholes(prompts: Sequence[str]) -> Iterator[Setting]:
    yield Setting(
        "constrained_response",
        {"options": IFEVAL_OPTIONS},
        "detectable_format:constrained_response",
        shape=lambda text, number: f"{IFEVAL_OPTIONS[number % 3]} {text[: 80 * (number % 2)]}",
    )
    yield Setting(
        "json_format", {}, "detectable_format:json_format", shape=_as_json, telling=r"^\s*[\[{`]"
    )
    yield Setting("two_responses", {}, "combination:two_responses", shape=_twice)
    for prompt in prompts[:54]:
        yield Setting(
            "repeat_prompt",
            {"prompt": prompt},
            "combination:repeat_prompt",
            {"prompt_to_repeat": prompt},
            shape=_repeated(prompt),
        )


def _as_json(text: str, number: int) -> str:
    body = json.dumps({"answer": text}, indent=number % 3 or None, ensure_ascii=False)
    return [body, f"```json\n{body}\n```", f"```\n{body}\n```\n", f"Here: {body}"][number % 4]


def _twice(text: str, number: int) -> str:
    half = len(text) // 2
    return [
        f"{text[:half]}\n******\n{text[half:]}",
        f"{text}\n\n******\n\n{text}",
        f"******\n{text[:half]}\n******\n{text[half:]}\n******",
        f"{text[:half]}\n***\n{text[half:]}",
    ][number % 4]


def _repeated(prompt: str) -> Shape:
    return lambda text, number: f"{[prompt, prompt.upper(), f'Sure. {prompt}'][number % 3]}\n{text}"


IFEVAL_MARKERS = ("P.S.", "P.P.S")
_ENDINGS = (
    "Any other questions?",
    "Is there anything else I can help with?",
    "That is all.",
    "the end",
    "Good luck!",
)


def _endings() -> Iterator[Setting]:
    for marker in IFEVAL_MARKERS:
        yield Setting(
            "postscript",
            {"marker": marker},
            "detectable_content:postscript",
            {"postscript_marker": marker},
            shape=_with_postscript(marker),
            telling=r"(?i)p\.\s?s",
        )
    for i in range(50):
        phrase = _ENDINGS[i] if i < len(_ENDINGS) else f"That was point number {i}."
        yield Setting(
            "end_phrase",
            {"phrase": phrase},
            "startend:end_checker",
            {"end_phrase": phrase},
            shape=_ended(phrase),
        )
    yield Setting(
        "quotation",
        {},
        "startend:quotation",
        shape=lambda text, number: [f'"{text}"', f'"{text}', f'\n"{text}" '][number % 3],
        telling='^["“]',
    )
    yield Setting("no_commas", {}, "punctuation:no_comma", shape=_without_commas)


def _with_postscript(marker: str) -> Shape:
    def shape(text: str, number: int) -> str:
        spaced = marker.replace(".", ". ", 1) if number % 2 else marker
        return f"{text}\n\n{spaced} {text[:40]}"

    return shape


def _ended(phrase: str) -> Shape:
    return lambda text, number: [
        f"{text}\n{phrase}",
        f"{text} {phrase.upper()} ",
        f'"{text} {phrase}"',
    ][number % 3]


def _without_commas(text: str, number: int) -> str:
    return text.replace(",", "")


def _cases() -> Iterator[Setting]:
    yield Setting(
        "all_uppercase",
        {"language": "en"},
        "change_case:english_capital",
        shape=lambda text, number: text.upper(),
    )
    yield Setting(
        "all_lowercase",
        {"language": "en"},
        "change_case:english_lowercase",
        shape=lambda text, number: text.lower(),
    )
    for i in range(1, 27):
        for relation, count, limits in relations(i):
            yield Setting(
                "capital_word_frequency",
                limits,
                "change_case:capital_word_frequency",
                {"capital_frequency": count, "capital_relation": relation},
                telling=r"\b[A-Z]{2,}\b",
            )
