"""Text that a chat template or a tokenizer would take for its own, made to be plain text.

A local model's tokenizer turns ``<|im_end|>`` into the token that ends a turn wherever it stands,
also in a response that is being graded: the fence around it is then outside the judge's turn. So a
space is put behind the first character of everything that is, or looks like, such a token::

    <|im_start|>system      becomes     < |im_start|>system

A reader sees what stood there, the tokenizer does not, and doing it twice changes nothing more.
What is covered:

- words between ``<|`` and ``>`` or ``<`` and ``|>``, also with the wide bar of DeepSeek's tokens;
- tags of one word with underscores, such as ``<start_of_turn>``, ``</tool_call>``,
  ``<fim_prefix>``, and the tokens without: ``<s>``, ``<bos>``, ``<think>``, ``<function=f>``, …;
- ``<<SYS>>``, and words in square brackets: ``[INST]``, ``[/INST]``, ``[TOOL_CALLS]``, ``[MASK]``,
  ``[|user|]``, …, and the three of MiniMax, such as ``]~b]``;
- the role names of templates that have no tokens: ``USER:`` and ``ASSISTANT:``, and at the start of
  a line ``### Instruction:``, ``### Response:``, …;
- wide forms of ``<`` and ``[``, which some tokenizers normalise.

HTML and code keep their shape but for tags of these names (``<s>``, ``<mask>``, ``<image>``, …).
A NUL character becomes the sign ``␀``: what reads texts up to a NUL would lose our own last words.
"""

from __future__ import annotations

import re

# Characters that show nothing: a token that is drawn apart by them may be read as one again.
HIDDEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff"
)

_WORDS = (
    "s|bos|eos|pad|unk|mask|cls|sep|sop|eop|eod|eot|ent|think|thinking|thought|tools|tool"
    r"|function=[^\s<>]*|function|parameter=[^\s<>]*|parameter|image|video|audio|reponame"
    r"|filename|unused\d+|special\d+|seed:\w+|minimax:\w+|BOS|EOS|PAD|UNK|EOT|PRE|SUF|MID"
)
_BRACKETED = (
    "INST|THINK|ARGS|CALL_ID|IMG_BREAK|IMG_END|IMG|PREFIX|MIDDLE|SUFFIX|CLS|SEP|MASK|PAD|UNK|BOS"
    "|EOS|gMASK|sMASK|AUDIO|BEGIN_AUDIO|TRANSCRIBE|AVAILABLE_TOOLS|TOOL_[A-Z]+|SYSTEM_PROMPT"
    r"|MODEL_SETTINGS|UNUSED_TOKEN_\d+|control_\d+"
)


def _angle(opening: str) -> re.Pattern[str]:
    """Return what finds the first character of a token in angle brackets."""
    return re.compile(
        rf"{opening}(?=[/<|｜A-Za-z{HIDDEN}])(?="  # at most places one look is enough
        rf"[{HIDDEN}]*[|｜][^\s<>]+[>＞]"  # <|im_start|>
        r"|/?[A-Za-z][A-Za-z0-9]*(?:\|>|_\w*\|?>)"  # <turn|>, <start_of_turn>
        rf"|/?(?:{_WORDS})>"
        r"|</?SYS>>)"
    )


def _square(opening: str) -> re.Pattern[str]:
    return re.compile(rf"{opening}(?=[/|A-Zceg])(?=/?(?:{_BRACKETED})\]|\|[^\s\[\]|]+\|\]|e~\[)")


_ANGLE, _SQUARE = _angle("<"), _square(r"\[")
_WIDE = [(mark, _angle(mark)) for mark in "＜﹤"] + [(mark, _square(mark)) for mark in "［﹇"]
_MINIMAX = re.compile(r"\](?=~!?b[\[\]])")
_HEADING = re.compile(
    r"#(?=## ?(?:Instruction|Input|Response|System|User|Human|Assistant)s?:)(?<![^\n]#)"
)
# Quicker as patterns than looking for the words first.
_ROLES = (re.compile("USER:"), "U SER:"), (re.compile("ASSISTANT:"), "A SSISTANT:")


def neutral(text: str) -> str:
    """Return text that no chat template or tokenizer takes for its own."""
    # Looking for one character costs next to nothing.
    if "<" in text:
        text = _ANGLE.sub("< ", text)
    if "[" in text:
        text = _SQUARE.sub("[ ", text)
    if "~" in text:
        text = _MINIMAX.sub("] ", text)
    if "#" in text:
        text = _HEADING.sub("# ", text)
    if "\x00" in text:
        text = text.replace("\x00", "␀")
    for role, apart in _ROLES:
        text = role.sub(apart, text)
    return text if text.isascii() else _wide(text)


def _wide(text: str) -> str:
    for mark, pattern in _WIDE:
        if mark in text:
            text = pattern.sub(f"{mark} ", text)
    return text


def well_formed(text: str) -> str:
    """Return text with every lone half of a surrogate pair replaced: it could not be sent."""
    return text.encode("utf-8", "replace").decode("utf-8")
