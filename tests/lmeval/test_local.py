"""The local model: lm-eval's own text, in our order, with how each response ended."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from lm_eval.api.instance import Instance  # noqa: E402
from lm_eval.models.huggingface import HFLM  # noqa: E402

from rubricbench.errors import InputError  # noqa: E402
from rubricbench.lmeval.local import LocalModel  # noqa: E402

SETTINGS = {"until": [], "do_sample": False, "temperature": 0.0, "max_gen_toks": 6}
PROMPTS = ["w1 w2", "w3 w4 w5 w6 w7 w8", "w9", "w10 w11 w12"]


@pytest.fixture(scope="module")
def local(tiny_model) -> LocalModel:
    return LocalModel(tiny_model, dtype="float32")


def test_text_is_lm_evals_own(tiny_model, local):
    theirs = HFLM(pretrained=str(tiny_model), dtype="float32", device="cpu", batch_size=4)
    requests = [
        Instance("generate_until", {}, (prompt, dict(SETTINGS)), i, ("task", i, 1))
        for i, prompt in enumerate(PROMPTS)
    ]
    ours = local.answer(PROMPTS, SETTINGS, lambda tokens: None)
    assert [answer.text for answer in ours] == theirs.generate_until(requests)


def test_answers_belong_to_their_prompts_whatever_the_order(local):
    together = dict(zip(PROMPTS, local.answer(PROMPTS, SETTINGS, lambda tokens: None), strict=True))
    backwards = PROMPTS[::-1]
    found = local.answer(backwards, SETTINGS, lambda tokens: None)
    assert dict(zip(backwards, found, strict=True)) == together


def test_a_response_longer_than_the_model_can_hold_is_one_clear_line(local):
    settings = {**SETTINGS, "max_gen_toks": local.max_length}
    with pytest.raises(InputError, match=r"leaves none for the prompt; lower --max-gen-toks"):
        local.answer(PROMPTS, settings, lambda tokens: None)


def test_progress_adds_up_to_the_tokens_asked_for(local):
    seen: list[int] = []
    local.answer(PROMPTS, SETTINGS, seen.append)
    assert sum(seen) == len(PROMPTS) * SETTINGS["max_gen_toks"]
    assert len(seen) > 1  # as it goes, not all at the end


@pytest.mark.parametrize(
    ("tokens", "stop", "expected"),
    [
        ([5, 6, 7, 8], [], ("length", 4)),  # the room is used up
        ([5, 1, 0, 0], [], ("stop", 2)),  # the end token, then padding
        ([5, 6, 7, 1], [], ("stop", 4)),  # the end token is the last there is room for
        ([5, 6], [], ("stop", 2)),  # the batch was over before the room was
        ([5, 6, 7, 8], ["w1"], ("stop", 4)),  # token 6 reads w1: a stop sequence
        ([5, 6, 7, 8], [""], ("length", 4)),
    ],
)
def test_ending(local, tokens, stop, expected):
    assert local._ending(tokens, 4, stop) == expected


def test_responses_of_a_model_that_ends_early_are_finished(tiny_model, tmp_path):
    model = transformers.LlamaForCausalLM.from_pretrained(tiny_model)
    model.generation_config.suppress_tokens = [0, *range(2, model.config.vocab_size)]
    model.save_pretrained(tmp_path)
    transformers.AutoTokenizer.from_pretrained(tiny_model).save_pretrained(tmp_path)
    ends = LocalModel(tmp_path, dtype="float32")
    found = ends.answer(PROMPTS, SETTINGS, lambda tokens: None)
    assert {(a.text, a.finish_reason, a.tokens) for a in found} == {("", "stop", 1)}
