"""Token counts: the model's tokenizer where it is at hand, else an estimate that says so."""

from __future__ import annotations

import socket

import msgspec
import pytest
from judging_samples import make_rubric
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from rubricbench.errors import InputError
from rubricbench.judging import JudgeConfig
from rubricbench.judging.parse import parse
from rubricbench.judging.price.answers import expected_answer
from rubricbench.judging.price.prompt import EXACT_RESPONSES, PromptMeter
from rubricbench.judging.price.tokens import (
    ChatTokenizer,
    EstimatedCounter,
    TiktokenCounter,
    token_counter,
)
from rubricbench.judging.request import Question
from rubricbench.schema import Status
from rubricbench.store import Completion

TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if think is defined and not think %}<think></think>{% endif %}{% endif %}"
)


def tokenizer(template: str | None = TEMPLATE):
    """Byte-level tokens, pairs of letters merged: `th` and `he` are one token, `a` is one."""
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("t", "h"), ("i", "n"), ("e", "r")]
    vocabulary = {token: i for i, token in enumerate([*letters, *map("".join, merges)])}
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=made, additional_special_tokens=["<|im_start|>", "<|im_end|>"]
    )
    if template:
        fast.chat_template = template
    return fast


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """No cache has anything, and a connection fails the test."""

    def refuse(*args: object) -> None:
        raise AssertionError("it opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "tiktoken"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


def config(**fields):
    return JudgeConfig(base_url="http://127.0.0.1:1/v1", model="m", **fields)


@pytest.mark.parametrize("model", ["gpt-4.1-mini", "org/model", "m", "a b:c", "x" * 300])
def test_without_a_tokenizer_it_is_estimated_and_nothing_is_fetched(offline, model):
    counter = token_counter(model)
    assert (counter.exact, counter.name) == (False, "estimated at 4 bytes a token")
    # 8 bytes; 9; 4 characters of 3 bytes
    assert counter.count(["12345678", "123456789", "水水水水", ""]) == [2, 3, 3, 0]


def test_a_tokenizer_that_was_named_must_be_there(offline, tmp_path):
    (tmp_path / "folder").mkdir()
    for name in (str(tmp_path / "folder"), "org/none", "o200k_base"):
        with pytest.raises(InputError, match="there is no tokenizer"):
            token_counter("m", name)


def test_a_local_folder_counts_exactly(offline, tmp_path):
    tokenizer().save_pretrained(tmp_path / "model")
    counter = token_counter("m", str(tmp_path / "model"))
    assert counter.exact
    assert counter.count(["th", "then", "水", "\ud800"]) == [1, 3, 3, 1]  # th e n; 3 bytes; "?"
    assert token_counter(str(tmp_path / "model")).exact


def test_the_chat_template_is_counted_around_the_contents():
    counter = ChatTokenizer(tokenizer(), "t")
    # start s y s t e m newline; end newline start u s er newline; end newline start assistant
    # newline: "assistant" is nine letters
    assert counter.gaps(("system", "user"), {}) == (8, 7, 13)
    # and < th in k > < / th in k >, 11 tokens
    assert counter.gaps(("system", "user"), {"think": False}) == (8, 7, 24)


@pytest.mark.parametrize(
    "template",
    [None, "{{ raise_exception('no') }}", "nothing of it", "{{ messages[0].content * 2 }}", "{% x"],
)
def test_a_template_that_cannot_be_taken_apart_counts_as_openai_states(template):
    # 3 to open, then 4 a message, the last of which opens the answer: 11 for two messages
    assert ChatTokenizer(tokenizer(template), "t").gaps(("system", "user"), {}) == (3, 4, 4)


def test_pieces_of_a_prompt_are_what_the_whole_is_to_a_token_or_two_a_cut():
    made = tokenizer()
    meter = PromptMeter(ChatTokenizer(made, "t"), 1)
    question = Question(config(), make_rubric(), make_rubric().criteria, b"s")
    for text in ("Rinse it in cold water.", "", "a ```` b", "水 \n\n the", "in" * 500):
        [response] = meter.responses([text])
        body = question.request(text).body
        whole = made.apply_chat_template(
            msgspec.json.decode(body)["messages"], tokenize=False, add_generation_prompt=True
        )
        exact = len(made.encode(whole, add_special_tokens=False))
        assert abs(sum(p.tokens for p in meter.pieces(body, response)) - exact) <= 4


def test_tiktoken_encodings_count_plain_text():
    import tiktoken

    ranks = {bytes([i]): i for i in range(256)} | {b"th": 256, b"the": 257}
    encoding = tiktoken.Encoding(
        "small", pat_str=r"\w+|\W", mergeable_ranks=ranks, special_tokens={"<|end|>": 258}
    )
    counter = TiktokenCounter(encoding)
    assert counter.name == "tiktoken small"
    assert counter.count(["the", "<|end|>", "\ud800", "é"]) == [1, 7, 1, 2]
    assert counter.gaps(("system", "user"), {}) == (3, 4, 4)


class Words:
    """Counts words, and notes how many texts it was given."""

    name, exact, asked = "words", True, 0

    def count(self, texts):
        self.asked += len(texts)
        return [len(text.split()) for text in texts]

    def gaps(self, roles, options):
        return (0,) * (len(roles) + 1)


def test_of_many_responses_a_sample_is_counted_and_the_rest_taken_from_bytes():
    meter, n = PromptMeter(Words(), 40 * EXACT_RESPONSES), 8_000
    found = [meter.responses([f"ab cd {i:06d}"])[0].tokens for i in range(n)]
    # One in 40 beside the first 64: 264 expected, with a standard deviation of 14
    assert 264 - 5 * 14 < meter.counted < 264 + 5 * 14
    assert meter.counted + meter.estimated == n
    # Each is 20 bytes with its fence, and 5 words with the two fences: every estimate is exact
    assert set(found) == {5}


def test_the_same_responses_are_sampled_in_any_order():
    texts = [f"response {i}" for i in range(3_000)]
    counted = []
    for order in (texts, texts[::-1]):
        meter = PromptMeter(Words(), 40 * EXACT_RESPONSES)
        meter.responses([f"first {i}" for i in range(64)])
        meter.responses(order)
        counted.append(meter.counted)
    assert counted[0] == counted[1]


def test_an_estimate_needs_no_sample():
    meter = PromptMeter(EstimatedCounter(), 10**9)
    meter.responses([str(i) for i in range(1_000)])
    assert (meter.counted, meter.estimated) == (1_000, 0)


@pytest.mark.parametrize("format", ["json", "reasoned", "compact", "paper"])
def test_the_answer_that_is_expected_is_one_the_parser_reads(format):
    question = Question(config(format=format), make_rubric(), make_rubric().criteria, b"s")
    answer = expected_answer(format, question.labels.shown)
    completion = Completion(key="", text=question.labels.canonicalise(answer))
    verdicts = parse(completion, question.criterion_ids, format)
    assert [verdict.status for verdict in verdicts] == [Status.UNMET] * 3
