"""The local judge: its verdicts are those that scoring whole answers gives, in any batch."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import threading
import weakref
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
import transformers
from backend_models import save_tiny_chat_model
from judging_samples import make_rubric

from rubricbench.errors import EndpointError, InputError
from rubricbench.judging import JudgeConfig
from rubricbench.judging.backends.answering import QUOTE_TOKENS, _taken
from rubricbench.judging.backends.prefixes import grouped
from rubricbench.judging.backends.transformers import TransformersBackend
from rubricbench.judging.faults import CallFailedError
from rubricbench.judging.formats import Slot, get_format
from rubricbench.judging.request import Question, Request
from rubricbench.schema import Cause

KINDS = ("words", "bytes", "runs")
SECRET = b"s" * 16
_EVIDENCE = re.compile(r'"evidence": "((?:[^"\\]|\\.)*)"')


@pytest.fixture(scope="module", params=KINDS)
def folder(request, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_chat_model(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_chat_model(tmp_path_factory.mktemp("model"))


def judge(folder: Path, **changes) -> JudgeConfig:
    fields = {"model": str(folder), "backend": "transformers", "logprobs": 2}
    return JudgeConfig(**{**fields, **changes})


def requests(config: JudgeConfig, n: int) -> list[Request]:
    """Requests about two prompts, of different lengths."""
    rubrics = [make_rubric(i) for i in range(2)]
    questions = [Question(config, r, r.criteria, SECRET) for r in rubrics]
    return [questions[i % 2].request(f"Answer {i}: " + "polite words " * (i % 5)) for i in range(n)]


async def answers(config: JudgeConfig, asked: list[Request], **options):
    async with TransformersBackend(config, device="cpu", **options) as backend:
        return await asyncio.gather(*map(backend.complete, asked))


class Reference:
    """The same model, used in the plainest way: one whole text at a time, nothing kept."""

    def __init__(self, folder: Path) -> None:
        self.model = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(folder)

    def prompt(self, request: Request) -> list[int]:
        messages = json.loads(request.body)["messages"]
        return self.tokenizer.apply_chat_template(messages, add_generation_prompt=True)["input_ids"]

    def logprobs(self, ids: list[int]):
        with torch.inference_mode():
            return self.model(input_ids=torch.tensor([ids])).logits[0].log_softmax(dim=-1)

    def token_spans(self, text: str) -> list[tuple[int, int, int]]:
        found = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        pairs = zip(found["input_ids"], found["offset_mapping"], strict=True)
        return [(token, start, end) for token, (start, end) in pairs]

    def score(self, prompt: list[int], before: str, option: str, other: str, behind: str) -> float:
        """Log-probability of a text from where it differs from the other to the verdict's end."""
        mine = self.token_spans(before + option + behind)
        its = self.token_spans(before + other + behind)
        differ = next(i for i, (a, b) in enumerate(zip(mine, its, strict=False)) if a[0] != b[0])
        ids = prompt + [token for token, _, _ in mine]
        logprobs = self.logprobs(ids)
        total, i = 0.0, differ
        while True:
            token, _, end = mine[i]
            total += float(logprobs[len(prompt) + i - 1, token])
            if end >= len(before + option):
                return total
            i += 1

    def fill(self, config: JudgeConfig, request: Request, evidence: list[str]):
        """Return the answer with this evidence, and the log-probabilities of met and unmet."""
        prompt, text, odds, quotes = self.prompt(request), "", [], iter(evidence)
        parts = get_format(config.format).skeleton(request.labels)
        for part, follows in zip(parts, [*parts[1:], ""], strict=True):
            if isinstance(part, Slot):
                behind = follows if isinstance(follows, str) else ""
                met = self.score(prompt, text, part.met, part.unmet, behind)
                unmet = self.score(prompt, text, part.unmet, part.met, behind)
                odds.append((met, unmet))
                text += part.met if met > unmet else part.unmet
            else:
                text += part if isinstance(part, str) else next(quotes)
        return text, odds


@pytest.mark.parametrize("form", ["json", "reasoned", "compact", "paper"])
async def test_verdicts_are_those_of_scoring_whole_answers(folder, form):
    """However verdicts are cut into tokens, together with others or into parts."""
    config = judge(folder, format=form)
    asked = requests(config, 6)
    reference, slot = Reference(folder), get_format(form).slot
    for request, answer in zip(asked, await answers(config, asked), strict=True):
        text, odds = reference.fill(config, request, _EVIDENCE.findall(answer.text))
        assert answer.text == text
        tops = [dict(token.top) for token in answer.logprobs if token.top]
        for top, (met, unmet) in zip(tops, odds, strict=True):
            found = {word.strip(): value for word, value in top.items()}
            # float32, other shapes of the same sums
            assert found[slot.met.strip()] == pytest.approx(met, abs=2e-3)
            assert found[slot.unmet.strip()] == pytest.approx(unmet, abs=2e-3)


async def test_the_models_are_of_both_minds(folder):
    """Or the test above would be passed by a constant."""
    words = set()
    for form in ("json", "compact", "paper"):
        config = judge(folder, format=form)
        for answer in await answers(config, requests(config, 12)):
            slot = get_format(form).slot
            words |= {
                t.data.decode() in (slot.met, " " + slot.met) for t in answer.logprobs if t.top
            }
    assert words == {True, False}


@pytest.mark.parametrize("form", ["json", "reasoned", "compact", "paper"])
async def test_a_batch_answers_as_its_calls_alone_would(folder, form):
    config = judge(folder, format=form)
    asked = requests(config, 7)
    together = await answers(config, asked)
    alone = await answers(config, asked, batch_rows=1, kept_tokens=0)
    assert [a.text for a in together] == [a.text for a in alone]
    for left, right in zip(together, alone, strict=True):
        assert [t.logprob for t in left.logprobs] == pytest.approx(
            [t.logprob for t in right.logprobs], abs=5e-3
        )


async def test_evidence_is_a_bounded_json_string_under_each_label(folder):
    config = judge(folder, format="reasoned")
    asked = requests(config, 4)
    reference = Reference(folder)
    for request, answer in zip(asked, await answers(config, asked), strict=True):
        found = json.loads(answer.text)
        assert list(found) == list(request.labels)
        assert all(list(value) == ["evidence", "met"] for value in found.values())
        for evidence in _EVIDENCE.findall(answer.text):
            # Cut into tokens anew it may be a few more than were written.
            assert len(reference.token_spans(evidence)) <= 2 * QUOTE_TOKENS


async def test_without_the_form_the_model_writes_as_transformers_generates(words):
    config = judge(words, response_format=False, max_tokens=24, logprobs=0)
    asked = requests(config, 3)
    reference = Reference(words)
    for request, answer in zip(asked, await answers(config, asked), strict=True):
        prompt = reference.prompt(request)
        with torch.inference_mode():
            output = reference.model.generate(
                torch.tensor([prompt]), max_new_tokens=24, do_sample=False
            )[0, len(prompt) :].tolist()
        ended = reference.tokenizer.eos_token_id in output
        assert answer.text == reference.tokenizer.decode(output, skip_special_tokens=True)
        assert answer.finish_reason == ("stop" if ended else "length")
        assert answer.usage["completion_tokens"] == len(output)


async def test_sampling_depends_on_the_call_alone(words):
    config = judge(words, temperature=1.0, format="compact")
    asked = requests(config, 8)
    first = [a.text for a in await answers(config, asked)]
    again = [a.text for a in await answers(config, asked[::-1], batch_rows=3)]
    assert again[::-1] == first
    other = requests(judge(words, temperature=1.0, format="compact", replicate=1), 8)
    assert [a.text for a in await answers(config, other)] != first


def test_a_verdict_is_drawn_with_its_probability():
    # log-odds 1 at temperature 2: met with 1 / (1 + e^-0.5) = 0.6225 of the points
    met = sum(_taken([-1.0, -2.0], 2.0, (i + 0.5) / 1000) == 0 for i in range(1000))
    assert met == 622
    assert _taken([-1.0, -2.0], 0.0, 0.999) == 0
    assert _taken([-2000.0, -1.0], 0.01, 1e-9) == 1


async def test_what_overflows_is_unknown_by_that_and_takes_nobody_along(words):
    config = judge(words)
    asked = requests(config, 3)
    long = Question(config, make_rubric(0), make_rubric(0).criteria, SECRET).request("word " * 3000)
    async with TransformersBackend(config, device="cpu") as backend:
        found = await asyncio.gather(
            *map(backend.complete, [asked[0], long, asked[1]]), return_exceptions=True
        )
    assert isinstance(found[1], CallFailedError)
    assert found[1].cause is Cause.OVERFLOW
    assert [answer.text for answer in (found[0], found[2])] == [
        a.text for a in await answers(config, asked[:2])
    ]


async def test_the_model_is_loaded_at_first_use_after_the_hook_and_given_back(words):
    config = judge(words)
    told: list[bool] = []
    backend = TransformersBackend(
        config, device="cpu", before_load=lambda: told.append(backend.loaded)
    )
    async with backend:
        assert not backend.loaded
        assert told == []
        await asyncio.gather(*map(backend.complete, requests(config, 2)))
        assert told == [False]
        assert backend.loaded
        weights = weakref.ref(backend._model._local.model)
        backend.release()
        assert weights() is None
        await backend.complete(requests(config, 1)[0])  # loads it again
        assert told == [False, False]
        weights = weakref.ref(backend._model._local.model)
    assert weights() is None
    assert not backend.loaded


async def test_leaving_cuts_a_long_answer_short(words):
    config = judge(words, response_format=False, max_tokens=None)
    backend = TransformersBackend(config, device="cpu")
    async with backend:
        call = asyncio.create_task(backend.complete(requests(config, 1)[0]))
        while not backend.loaded:
            await asyncio.sleep(0.01)
    with contextlib.suppress(CallFailedError):  # or it was complete already
        await call
    assert not [t for t in threading.enumerate() if t.name.startswith("local-judge")]


async def test_what_prompts_share_is_computed_once(words):
    config = judge(words)
    rubric = make_rubric(0)
    question = Question(config, rubric, rubric.criteria, SECRET)
    asked = [question.request(f"Answer {i}") for i in range(4)]
    found = await answers(config, asked)
    prompts = [Reference(words).prompt(request) for request in asked]
    shared = next(i for i, column in enumerate(zip(*prompts)) if len(set(column)) > 1)  # noqa: B905
    # In the order of their tokens the first computes the beginning, the others take it.
    assert sorted(a.usage["cached_tokens"] for a in found) == [0, shared, shared, shared]
    assert [a.usage["prompt_tokens"] for a in found] == [len(p) for p in prompts]


async def test_a_beginning_is_kept_for_the_next_batch(words):
    config = judge(words)
    first, second = requests(config, 4)[::2]
    async with TransformersBackend(config, device="cpu") as backend:
        cold = await backend.complete(first)
        warm = await backend.complete(second)
    assert cold.usage["cached_tokens"] == 0
    assert warm.usage["cached_tokens"] > 100  # instructions, conversation and criteria


def test_groups_are_a_partition_within_their_bounds():
    prompts = [[a] * 50 + [b] * (5 + b) for a in range(5) for b in range(7)]
    groups = list(grouped(prompts, most=4, tokens=240))
    assert sorted(i for group in groups for i in group) == list(range(35))
    for group in groups:
        assert len(group) <= 4
        assert len(group) * max(len(prompts[i]) for i in group) <= 240
        # Of what begins otherwise nothing is shared: it is not filled up to one length.
        assert len({prompts[i][0] for i in group}) == 1


async def test_a_model_that_is_not_there_is_one_clear_error(tmp_path):
    config = judge(tmp_path / "nothing")
    with pytest.raises(EndpointError, match="cannot be loaded"):
        await answers(config, requests(config, 1))


def test_a_field_that_would_do_nothing_is_refused(words):
    with pytest.raises(InputError, match="'top_p'"):
        TransformersBackend(judge(words, extra_body={"top_p": 0.9}))


async def test_what_memory_is_too_small_for_is_answered_in_smaller_batches(words, monkeypatch):
    from rubricbench.judging.backends import local_answers

    together = local_answers.answer_together
    sizes: list[int] = []

    def small_device(model, begun, prefix, halt):
        sizes.append(len(begun))
        if len(begun) > 2:
            raise torch.OutOfMemoryError("no room")
        return together(model, begun, prefix, halt)

    config = judge(words)
    asked = requests(config, 8)[::2]
    usual = [a.text for a in await answers(config, asked)]
    monkeypatch.setattr(local_answers, "answer_together", small_device)
    assert [a.text for a in await answers(config, asked)] == usual
    assert sizes == [4, 2, 2]


async def test_a_model_that_looks_back_only_so_far_is_scored_rightly(tmp_path):
    """In one batch the places that shorter rows leave empty would stand inside the window."""
    folder = save_tiny_chat_model(tmp_path, window=240)
    config = judge(folder)
    asked = requests(config, 8)[::2]
    reference = Reference(folder)
    for request, answer in zip(asked, await answers(config, asked), strict=True):
        text, odds = reference.fill(config, request, [])
        assert answer.text == text
        found = [dict(token.top) for token in answer.logprobs if token.top]
        assert [top[" true"] for top in found] == pytest.approx([met for met, _ in odds], abs=2e-3)
