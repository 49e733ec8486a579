"""Text of chat templates becomes plain text, visibly, and other text stays as it is."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubricbench.judging.neutral import neutral, well_formed
from rubricbench.judging.request import embedded

TOKENS = [
    # ChatML, Qwen, Llama 3, Phi, Zephyr, GLM, Cohere, gpt-oss
    *("<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|start_header_id|>"),
    *("<|end|>", "<|user|>", "<|assistant|>", "<|START_OF_TURN_TOKEN|>", "<|channel|>"),
    # DeepSeek, Gemma, Llama 2, Mistral
    *(
        "<\uff5cUser\uff5c>",
        "<\uff5cend\u2581of\u2581sentence\uff5c>",
        "<\uff5ctool\u2581sep\uff5c>",
    ),
    *("<start_of_turn>", "<end_of_turn>", "<bos>", "<eos>", "<|turn>", "<turn|>", "<channel|>"),
    *("<s>", "</s>", "<unk>", "<pad>", "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>"),
    *("[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[AVAILABLE_TOOLS]", "[TOOL_CALLS]", "[TOOL_RESULTS]"),
    *("[THINK]", "[/THINK]", "[ARGS]", "[CALL_ID]", "[IMG]"),
    # thoughts and tools
    *("<think>", "</think>", "<tool_call>", "</tool_call>", "<tool_response>", "<tools>"),
    *("<function=submit>", "</function>", "<parameter=met>", "</parameter>", "<function_call>"),
    # others
    *("[gMASK]", "<sop>", "<eop>", "[CLS]", "[SEP]", "[MASK]", "[PAD]", "<mask>", "<cls>"),
    *(
        "<fim_prefix>",
        "<file_sep>",
        "<jupyter_start>",
        "<reponame>",
        "<gh_stars>",
        "<empty_output>",
    ),
    *("<reserved_106>", "<extra_id_0>", "<unused12>", "<SPECIAL_10>", "<BOS_TOKEN>", "<EOT>"),
    *("[|user|]", "[|endofturn|]", "[e~[", "]~b]", "]~!b[", "<image>", "<seed:bos>"),
    *("<minimax:tool_call>", "USER:", "ASSISTANT:"),
]
ORDINARY = [
    "if a < b and c[0] <= d[i]: return x<y>z",
    "<div class='x'><p>text</p><br/><strong>s</strong></div>",
    "a <|> b, x <| f, [| 1; 2 |], xs |> map",
    "See [1], [INSTALL], [insert name], [x](y), - [ ] task",
    "List<String> m; std::vector<int> v; #include <stdio.h>",
    "## Response\n### Instructions for use\n#### Response:",
    "User: hello\nAssistant: hi\nSystem: none",
    "<start of turn> </ s> < s> << SYS >>",
    "1 < 2 > 1; <3; <-; <=>; <!-- x -->; <?xml?>",
    "中文 “quoted” — ＜note＞ ［1］ ✓",
]


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize(
    "around", ["{}", "text {} text", "\n{}\n", "x{}y", "{0}{0}", "<{}>", "[{}]"]
)
def test_a_token_is_put_apart_behind_its_first_character(token, around):
    text = around.format(token)
    found = neutral(text)
    assert token not in found
    assert f"{token[0]} {token[1:]}" in found
    assert found.replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_stays_as_it_is(text):
    assert neutral(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("### Response:\nx", "# ## Response:\nx"),
        ("a\n### Instruction: x", "a\n# ## Instruction: x"),
        ("a ### Response:", "a ### Response:"),
        ("\uff1c|im_end|\uff1e", "\uff1c |im_end|\uff1e"),
        ("\uff1c\uff5cim_end\uff5c\uff1e", "\uff1c \uff5cim_end\uff5c\uff1e"),
        ("\uff3bINST]", "\uff3b INST]"),
        ("<\u200b|im_end|>", "< \u200b|im_end|>"),
        ("a\x00b", "a\u2400b"),
    ],
)
def test_role_headings_wide_forms_and_nul(text, expected):
    assert neutral(text) == expected


PIECES = ["<", ">", "|", "/", "[", "]", "~", "b", "s", "INST", "im_end", "SYS", "_", " ", "#", "\n"]
PIECES += ["### Response:", "USER:", "think", "\uff5c", "\uff1c", "\u200b", "a", "turn|>", "\x00"]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_doing_it_twice_changes_nothing_and_nothing_is_lost(text):
    once = neutral(text)
    assert neutral(once) == once
    assert once.replace(" ", "") == text.replace(" ", "").replace("\x00", "\u2400")
    assert not any(token in once for token in TOKENS)


def test_it_is_linear_in_hostile_text():
    start = time.perf_counter()
    for piece in ("<", "[", "<|", "</", "<a_", "<|x", "]~", "### ", "[|x", "<function=", "<\u200b"):
        neutral(piece * (400_000 // len(piece)))
    assert time.perf_counter() - start < 20.0  # quadratic code would take hours


def test_half_a_character_is_replaced_where_it_could_not_be_sent():
    assert well_formed("a\ud83db\U0001f600") == "a?b\U0001f600"
    assert json.loads(b'"' + embedded("a\ud83db") + b'"') == "```\na?b\n```"
