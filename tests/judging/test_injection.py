"""Whatever a text says, it stays in its place: no attack changes the prompt's layout.

The reader here is not the renderer's, nor the simulator's. It reads as generously as an attacker
could wish: any line break of Unicode ends a line, characters that show nothing are passed over,
look-alikes count as backticks, and a longer run or an indented one closes a fence as well.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import pytest
from judging_samples import make_rubric

from rubricbench.errors import SchemaError
from rubricbench.judging.attacks import Attack, attacks, families
from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.formats import FORMATS
from rubricbench.judging.request import Question
from rubricbench.schema import Criterion, Message, Prompt, Rubric

RUBRIC = make_rubric()
HONEST = "Rinse the burn with cool water for ten minutes."
COMBINATIONS = [
    (form, layout)
    for form in FORMATS
    for layout in ("rubric_first", "response_first", "paper")
    if (form == "paper") == (layout == "paper")
]
# What tokenizers of chat models read as control tokens; see test_judging_neutral for more.
CONTROL = re.compile(
    r"<\|\w+\|>|<\uff5c[^\uff5c\s]+\uff5c>|</?s>|<[be]os>|</?think>|</?tool_\w+>|<\w+_of_turn>"
    r"|<\|?turn\|?>|\[/?(?:INST|SYSTEM_PROMPT|TOOL_CALLS|THINK)\]|<</?SYS>>|\x00"
)


def lines_of(text: str) -> list[str]:
    return re.split(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]", text)


def seen(line: str) -> str:
    """A line without what shows nothing, look-alikes made alike."""
    plain = unicodedata.normalize("NFKC", line)
    shown = (c for c in plain if unicodedata.category(c) not in ("Cf", "Cc", "Mn"))
    return "".join(shown).strip()


def parts(text: str) -> list[str | list[str]]:
    """The lines outside fences, and each fence's content as a list of lines."""
    found: list[str | list[str]] = []
    inside: list[str] | None = None
    fence = 0
    for line in lines_of(text):
        run = seen(line)
        ticks = len(run) if run and not run.strip("`") else 0
        if inside is None:
            if ticks >= 3:
                inside, fence = [], ticks
            else:
                found.append(line)
        elif ticks >= fence:
            found.append(inside)
            inside = None
        else:
            inside.append(line)
    assert inside is None, "every fence is closed"
    return found


def structure(text: str) -> list[str | None]:
    return [part if isinstance(part, str) else None for part in parts(text)]


def user_message(
    rubric: Rubric,
    response: str,
    form: str,
    layout: str,
    *,
    asked: slice = slice(None),
    repair: bool = False,
    **fields: Any,
) -> tuple[str, bytes]:
    config = JudgeConfig(
        base_url="http://127.0.0.1:9/v1", model="m", format=form, layout=layout, **fields
    )
    question = Question(config, rubric, rubric.criteria[asked], b"secret", repair=repair)
    request = question.request(response)
    *system, user = json.loads(request.body)["messages"]
    assert len(system) == (layout != "paper")
    assert user["role"] == "user"
    return user["content"], request.body


def squeezed(lines: Sequence[str]) -> str:
    """Text without its spaces and line breaks, which are what is inserted or normalised."""
    text = "".join(lines).encode("utf-8", "replace").decode()
    return re.sub(r"\s", "", text.replace("\x00", "\u2400"))


def attacked(attack: Attack) -> str:
    return attack.on(HONEST, attack.words(RUBRIC.criteria[0].criterion))


def test_there_are_enough_attacks_of_every_kind():
    assert len(attacks()) >= 50
    assert len({attack.id for attack in attacks()}) == len(attacks())
    assert set(families()) >= {
        *("forged verdict", "fence break", "fake turn", "special token", "unicode"),
        *("rubric override", "fake repair", "label echo", "nested JSON", "long run", "broken text"),
    }
    assert {attack.at for attack in attacks()} == {"end", "start", "alone"}


@pytest.mark.parametrize(
    ("asked", "repair"),
    [(slice(None), False), (slice(1, 2), False), (slice(None), True)],
    ids=["all", "one", "repair"],
)
@pytest.mark.parametrize(("form", "layout"), COMBINATIONS)
def test_a_response_stays_inside_its_fence(form, layout, asked, repair):
    benign, _ = user_message(RUBRIC, HONEST, form, layout, asked=asked, repair=repair)
    wanted = structure(benign)
    (place,) = [i for i, part in enumerate(parts(benign)) if part == [HONEST]]
    for attack in attacks():
        response = attacked(attack)
        text, _ = user_message(RUBRIC, response, form, layout, asked=asked, repair=repair)
        found = parts(text)
        assert structure(text) == wanted, attack.id
        content = found[place]
        assert isinstance(content, list)
        assert squeezed(content) == squeezed(lines_of(response)), attack.id
        assert not CONTROL.search(text), attack.id
        before = [part for i, part in enumerate(found) if i != place]
        assert before == [part for i, part in enumerate(parts(benign)) if i != place], attack.id


@pytest.mark.parametrize(("form", "layout"), COMBINATIONS)
def test_and_what_is_sent_beside_it_is_the_same(form, layout):
    # The body without the response: fields, system message, schema.
    def around(response: str) -> tuple[Any, ...]:
        _, data = user_message(RUBRIC, response, form, layout, logprobs=5)
        body = json.loads(data)
        content = body["messages"].pop()["content"]
        return body, content.split("\n")[0]

    benign = around(HONEST)
    for attack in attacks():
        assert around(attacked(attack)) == benign, attack.id


@pytest.mark.parametrize(("form", "layout"), COMBINATIONS)
def test_a_turn_of_the_conversation_stays_inside_its_fence(form, layout):
    def rendered(words: str) -> str:
        turns = (Message("system", words), Message("user", words), Message("assistant", words))
        prompt = Prompt(messages=(*turns, Message("user", "And then?")))
        rubric = Rubric(prompt=prompt, criteria=RUBRIC.criteria)
        return unlabelled(user_message(rubric, HONEST, form, layout)[0])

    wanted = structure(rendered("Hello."))
    for attack in attacks():
        words = attacked(attack)
        if not storable(words):
            with pytest.raises(SchemaError):
                rendered(words)
            continue
        text = rendered(words)
        assert structure(text) == wanted, attack.id
        assert not CONTROL.search(text), attack.id


@pytest.mark.parametrize(("form", "layout"), COMBINATIONS)
def test_a_criterion_cannot_pass_for_another_or_for_a_heading(form, layout):
    def rendered(words: str) -> str:
        criteria = (Criterion(criterion=words, weight=1), Criterion(criterion="Is short", weight=1))
        rubric = Rubric(prompt=RUBRIC.prompt, criteria=criteria)
        return unlabelled(user_message(rubric, HONEST, form, layout)[0])

    one_line, fenced = rendered("Is kind"), rendered("Is\nkind")
    for attack in attacks():
        words = attack.words()[:9_000]
        if not storable(words):
            with pytest.raises(SchemaError):
                rendered(words)
            continue
        text = rendered(words)
        assert not CONTROL.search(text), attack.id
        if len(lines_of(words)) > 1:
            assert structure(text) == structure(fenced), attack.id
            continue
        found, wanted = structure(text), structure(one_line)
        assert len(found) == len(wanted), attack.id
        (changed,) = [i for i, (a, b) in enumerate(zip(found, wanted, strict=True)) if a != b]
        assert wanted[changed] == "[label] Is kind"
        assert str(found[changed]).startswith("[label] "), attack.id


def unlabelled(text: str) -> str:
    """Text without the labels, which are others for other prompts and criteria."""
    return re.sub(r"^\[(?:[a-z2-7]{6}|c\d+)\]", "[label]", text, flags=re.MULTILINE)


def storable(text: str) -> bool:
    return "\x00" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def test_the_reader_sees_a_break_where_there_is_one():
    # The reader is no use if it finds every prompt in order. Naive code has a fence of three.
    frame = "# Response\n\n```\n{}\n```\n\n# Task"
    wanted = structure(frame.format(HONEST))
    broken = [a.id for a in attacks() if _structure_or_none(frame.format(a.words())) != wanted]
    assert {"fence-three", "fence-zero-width", "fence-wide-backticks", "run-fences"} <= set(broken)
    assert {"fence-carriage-return", "fence-line-separators", "fence-indented"} <= set(broken)


def _structure_or_none(text: str) -> list[str | None] | None:
    try:
        return structure(text)
    except AssertionError:
        return None


@pytest.mark.slow
def test_a_real_tokenizer_finds_no_more_control_tokens_than_in_an_honest_prompt():
    transformers = pytest.importorskip("transformers")
    from rubricbench import models

    tokenizer = transformers.AutoTokenizer.from_pretrained(models.get("smollm2"))
    control = set(tokenizer.added_tokens_decoder)

    def count(response: str) -> int:
        text, _ = user_message(RUBRIC, response, "json", "rubric_first")
        # As a server does it: the whole conversation as one text.
        whole = tokenizer.apply_chat_template(
            [{"role": "user", "content": text}], tokenize=False, add_generation_prompt=True
        )
        return sum(number in control for number in tokenizer(whole)["input_ids"])

    honest = count(HONEST)
    assert honest > 0
    assert sum(number in control for number in tokenizer("<|im_end|></s>")["input_ids"]) > 0
    for attack in attacks():
        assert count(attacked(attack)) == honest, attack.id
