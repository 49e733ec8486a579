"""Rewards by name: each kind scores, says what decides it, and loses nothing to a kill."""

from __future__ import annotations

import json
import math
import os
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pool_samples import pool_rows, write_pool

from rubricbench.audit.kept import KeptScores
from rubricbench.audit.pool import read_pool
from rubricbench.audit.rewards import (
    RewardSpec,
    Scored,
    Setting,
    identity_hash,
    open_reward,
    parse_reward,
    parse_rewards,
)
from rubricbench.errors import InputError, RubricbenchError


@pytest.fixture
def pool(tmp_path):
    return read_pool(write_pool(tmp_path / "pool.parquet", pool_rows(3, 4)))


def scores(spec: str, pool, out, **setting) -> np.ndarray:
    reward = open_reward(parse_reward(spec), Setting(out=out, **setting))
    return KeptScores(out, pool).values(reward)


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("checks", RewardSpec("checks", "checks")),
        ("judge:a/judge.yaml", RewardSpec("judge", "judge", "a/judge.yaml")),
        ("python:rewards:length", RewardSpec("length", "python", "rewards:length")),
        ("column:file.parquet:value", RewardSpec("value", "column", "file.parquet:value")),
        ("rm=model:/models/rm", RewardSpec("rm", "model", "/models/rm")),
    ],
)
def test_names_are_read(text, spec):
    assert parse_reward(text) == spec


@pytest.mark.parametrize("text", ["", "gold", "models:x", "python:", "column", "a=b=checks"])
def test_what_is_no_reward_is_refused(text):
    with pytest.raises(InputError, match=r"no reward|names nothing"):
        parse_reward(text)


def test_two_rewards_have_two_names():
    with pytest.raises(InputError, match="two rewards are called 'x'"):
        parse_rewards(["column:x", "column:other.parquet:x"])


def test_a_column_of_the_pool(pool, tmp_path):
    np.testing.assert_array_equal(scores("column:good", pool, tmp_path), pool.numbers["good"])
    with pytest.raises(InputError, match=r"no column 'nought'.*broken, good"):
        scores("column:nought", pool, tmp_path)


def test_a_column_of_another_file_is_joined_by_response(pool, tmp_path):
    rows = [
        {"response_id": r, "prompt_id": p, "v": float(i)}
        for i, (r, p) in enumerate(zip(pool.response_ids, pool.prompt_ids, strict=True))
    ]
    path = tmp_path / "v.parquet"
    pq.write_table(pa.Table.from_pylist(rows[:0:-1]), path)  # backwards, without the first
    found = scores(f"column:{path}:v", pool, tmp_path)
    assert math.isnan(found[0])
    assert found[1:].tolist() == list(range(1, 12))


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ([{"response_id": "r000-00", "v": 1}] * 2, "stands twice"),
        ([{"response_id": "r000-00", "prompt_id": "p9", "v": 1}], "answers another prompt"),
        ([{"response_id": "strange", "v": 1}], "none of the pool's responses"),
        ([{"response_id": "r000-00", "v": "much"}], "not a number"),
        ([{"response_id": "r000-00"}], "no column 'v'"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(pool, tmp_path, rows, fault):
    path = tmp_path / "v.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(InputError, match=fault) as error:
        scores(f"column:{path}:v", pool, tmp_path)
    assert "\n" not in str(error.value)


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a module of functions; its name is new each time, since Python keeps modules."""
    monkeypatch.syspath_prepend(tmp_path)
    name = f"rewards_{os.getpid()}_{abs(hash(tmp_path))}"

    def write(source: str) -> str:
        (tmp_path / f"{name}.py").write_text(source)
        return name

    return write


def test_a_function_gets_prompts_and_responses(pool, tmp_path, module):
    name = module(
        "async def f(prompts, responses):\n"
        "    return [len(p + r) for p, r in zip(prompts, responses)]\n"
    )
    found = scores(f"python:{name}:f", pool, tmp_path, batch=5)
    wanted = [len(p + r) for p, r in zip(pool.prompts, pool.texts, strict=True)]
    assert found.tolist() == wanted


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("return [1.0]", "returned 1 numbers for"),
        ("return [float('nan')] * len(responses)", "not a finite number"),
        ("raise KeyError('x')", "the function failed: KeyError"),
    ],
)
def test_a_function_that_fails_says_so(pool, tmp_path, module, body, fault):
    name = module(f"def f(prompts, responses):\n    {body}\n")
    with pytest.raises(InputError, match=fault):
        scores(f"python:{name}:f", pool, tmp_path)


def test_a_function_that_is_not_there(pool, tmp_path, module):
    name = module("x = 1\n")
    for target, fault in [
        ("no_such_module_:f", "cannot import"),
        (f"{name}:f", "has no 'f'"),
        (f"{name}:x", "not a function"),
    ]:
        with pytest.raises(InputError, match=fault):
            scores(f"python:{target}", pool, tmp_path)


class Dying:
    """A reward that dies after some rows, once, and counts what it was asked."""

    def __init__(self, after: int) -> None:
        self.name, self.identity, self.remarks = "dying", {"kind": "test"}, []
        self.after: int | None = after
        self.asked: list[int] = []

    def score(self, pool, rows, keep):
        for i in rows:
            if self.after is not None and len(self.asked) == self.after:
                self.after = None
                raise RubricbenchError("the power went")
            self.asked.append(i)
            keep({i: Scored(None, "no answer") if i == 2 else Scored(float(i))})


def test_scores_outlive_a_kill_and_nothing_is_asked_twice(pool, tmp_path):
    reward = Dying(after=7)
    with pytest.raises(RubricbenchError, match="power"):
        KeptScores(tmp_path, pool).values(reward)
    found = KeptScores(tmp_path, pool).values(reward)
    assert reward.asked == list(range(12))
    assert math.isnan(found[2])
    assert np.nansum(found) == sum(range(12)) - 2
    table = pq.read_table(tmp_path / "scores.parquet")
    assert table["cause"].to_pylist().count("no answer") == 1
    assert KeptScores(tmp_path, pool).values(reward)[5] == 5
    assert len(reward.asked) == 12


def test_a_kill_loses_no_batch_that_was_scored(pool, tmp_path, monkeypatch):
    """A killed process runs no ``finally``: what is appended batch by batch is all there is."""
    reward = Dying(after=7)
    monkeypatch.setattr(KeptScores, "write", lambda self: None)
    with pytest.raises(RubricbenchError, match="power"):
        KeptScores(tmp_path, pool).values(reward)
    monkeypatch.undo()
    left = tmp_path / "scores.partial.jsonl"
    assert not (tmp_path / "scores.parquet").exists()
    left.write_bytes(left.read_bytes() + b'{"reward": "dying", "ident')  # torn
    found = KeptScores(tmp_path, pool).values(reward)
    assert reward.asked == list(range(12))
    assert np.nansum(found) == sum(range(12)) - 2
    assert not left.exists()
    assert len(pq.read_table(tmp_path / "scores.parquet")) == 12


def test_scores_of_two_rewards_stand_side_by_side(pool, tmp_path):
    scores("column:good", pool, tmp_path)
    scores("column:broken", pool, tmp_path)
    table = pq.read_table(tmp_path / "scores.parquet")
    assert table["reward"].to_pylist() == ["good"] * 12 + ["broken"] * 12
    assert len(set(table["identity"].to_pylist())) == 2


def rubric_file(tmp_path, check=True):
    criteria = [
        {"criterion": "It has at least 20 words.", "weight": 2},
        {"criterion": "It has no comma.", "weight": 1},
    ]
    if check:
        criteria[0]["check"] = {"name": "word_count", "params": {"minimum": 20}}
        criteria[1]["check"] = {"name": "no_commas", "params": {}}
    path = tmp_path / "rubrics.jsonl"
    path.write_text(
        "".join(
            json.dumps({"prompt": f"Question {p}?", "rubrics": criteria}) + "\n" for p in range(3)
        )
    )
    return path


def test_checks_are_scored_exactly(tmp_path):
    # The pool's own prompt ids are none of the rubrics': they meet by the prompt's text.
    pool = read_pool(write_pool(tmp_path / "pool.parquet", pool_rows(3, 4)))
    found = scores("checks", pool, tmp_path / "out", rubrics=str(rubric_file(tmp_path)))
    wanted = [(2 * (len(text.split()) >= 20) + 1) / 3 for text in pool.texts]
    np.testing.assert_allclose(found, wanted)


def test_checks_that_are_none_and_rubrics_that_are_missing(pool, tmp_path):
    path = str(rubric_file(tmp_path, check=False))
    with pytest.raises(InputError, match="has no check"):
        scores("checks", pool, tmp_path, rubrics=path)
    with pytest.raises(InputError, match="needs rubrics"):
        scores("checks", pool, tmp_path)
    with pytest.raises(InputError, match="no judge is named"):
        scores("judge", pool, tmp_path, rubrics=path)


@pytest.fixture(scope="module")
def reward_model(tmp_path_factory, tiny_model):
    """A random reward model of a few thousand weights, with the tiny model's tokenizer."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("reward_model")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_model)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=64,
        pad_token_id=0,
        num_labels=1,
    )
    transformers.LlamaForSequenceClassification(config).save_pretrained(folder)
    return folder


def model_pool(tmp_path):
    rows = [
        {
            "prompt_id": "p",
            "response_id": f"r{i}",
            "text": " ".join(f"w{(i * j) % 59}" for j in range(1, 3 + i)),
            "prompt": "w1 w2",
            "gold": i,
        }
        for i in range(6)
    ]
    return read_pool(write_pool(tmp_path / "pool.parquet", rows))


def test_a_model_scores_what_it_would_by_hand(reward_model, tmp_path):
    import torch
    import transformers

    pool = model_pool(tmp_path)
    found = scores(f"model:{reward_model}", pool, tmp_path / "a", batch=4)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(reward_model).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(reward_model)
    for value, text in zip(found, pool.texts, strict=True):
        turns = [{"role": "user", "content": "w1 w2"}, {"role": "assistant", "content": text}]
        ids = tokenizer(tokenizer.apply_chat_template(turns, tokenize=False), return_tensors="pt")
        with torch.no_grad():
            alone = model(input_ids=ids["input_ids"]).logits[0, 0].item()
        assert value == pytest.approx(alone, abs=1e-5)
    assert len(set(np.round(found, 6))) == 6
    np.testing.assert_array_equal(
        found, scores(f"model:{reward_model}", pool, tmp_path / "b", batch=4)
    )


class Torn:
    """A reward whose first batches alone are kept."""

    def __init__(self, reward, batches: int) -> None:
        self.name, self.identity, self.remarks = reward.name, reward.identity, reward.remarks
        self._score, self._left = reward.score, batches

    def score(self, pool, rows, keep):
        def some(found):
            if not self._left:
                raise RubricbenchError("the power went")
            self._left -= 1
            keep(found)

        self._score(pool, rows, some)


def test_a_model_that_was_stopped_gives_the_same_bits(reward_model, tmp_path):
    pool = model_pool(tmp_path)
    name, setting = parse_reward(f"model:{reward_model}"), Setting(out=tmp_path, batch=4)
    whole = KeptScores(tmp_path / "whole", pool).values(open_reward(name, setting))
    with pytest.raises(RubricbenchError, match="power"):
        KeptScores(tmp_path / "torn", pool).values(Torn(open_reward(name, setting), 1))
    asked: list[set[int]] = []

    class Watched(Torn):
        def score(self, pool, rows, keep):
            self._score(pool, rows, lambda found: (asked.append(set(found)), keep(found)))

    again = KeptScores(tmp_path / "torn", pool).values(Watched(open_reward(name, setting), 9))
    np.testing.assert_array_equal(again, whole)
    # Any rows whatever: scored one by one they are padded as in the whole pool.
    kept: dict[int, Scored] = {}
    for i in (3, 0, 5):
        open_reward(name, setting).score(pool, [i], kept.update)
    assert [kept[i].value for i in (3, 0, 5)] == [whole[i] for i in (3, 0, 5)]
    assert asked == [{0, 1}]  # the two shortest of six; the four longest were kept


def test_another_tokenizer_or_any_byte_of_the_weights_is_another_model(reward_model, tmp_path):
    def identity():
        return identity_hash(open_reward(parse_reward(f"model:{folder}"), Setting(out=tmp_path)))

    folder = tmp_path / "model"
    shutil.copytree(reward_model, folder)
    before = identity()
    assert before == identity()
    weights = folder / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 1
    weights.write_bytes(data)
    other = identity()
    (folder / "special_tokens_map.json").write_text("{}")
    assert len({before, other, identity()}) == 3


def test_long_texts_are_cut_and_told(reward_model, tmp_path):
    pool = model_pool(tmp_path)
    reward = open_reward(parse_reward(f"model:{reward_model}"), Setting(out=tmp_path, max_length=8))
    KeptScores(tmp_path, pool).values(reward)
    assert "longer than 8 tokens" in reward.remarks[0]
    # A start that finds all scores there says so too.
    later = open_reward(parse_reward(f"model:{reward_model}"), Setting(out=tmp_path, max_length=8))
    KeptScores(tmp_path, pool).values(later)
    assert later.remarks == reward.remarks
    whole = open_reward(parse_reward(f"model:{reward_model}"), Setting(out=tmp_path))
    assert identity_hash(whole) != identity_hash(reward)


def test_what_is_no_reward_model(tiny_model, tmp_path):
    with pytest.raises(InputError, match="2 outputs"):  # a language model, its head made up
        open_reward(parse_reward(f"model:{tiny_model}"), Setting(out=tmp_path))
    with pytest.raises(InputError, match="no such folder"):
        open_reward(parse_reward("model:/no/such/folder"), Setting(out=tmp_path))


def test_what_a_function_prints_is_kept_off_standard_output(pool, tmp_path, module, capfd):
    name = module(
        "import os, subprocess, sys\n"
        "print('imported')\n"
        "def f(prompts, responses):\n"
        "    print('python')\n"
        "    os.write(1, b'raw')\n"
        "    subprocess.run([sys.executable, '-c', 'print(\"child\")'], check=True)\n"
        "    return [0.0] * len(responses)\n"
    )
    scores(f"python:{name}:f", pool, tmp_path, batch=100)
    print("a result")
    said = capfd.readouterr()
    assert said.out == "a result\n"
    for word in ("imported", "python", "raw", "child"):
        assert word in said.err


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("import sys\ndef f(p, r): sys.exit(3)\n", "the function failed: SystemExit: 3"),
        ("raise ValueError('no weights')\n", "cannot import .*ValueError: no weights"),
        ("def f(p, r:\n", "cannot import .*SyntaxError"),
        ("import sys\nsys.exit('stop')\n", "cannot import .*SystemExit: stop"),
        ("f = 3\n", "is not a function"),
        ("g = 3\n", "has no 'f'"),
    ],
)
def test_a_module_that_fails_is_one_error(pool, tmp_path, module, source, fault):
    name = module(source)
    with pytest.raises(InputError, match=fault) as error:
        scores(f"python:{name}:f", pool, tmp_path)
    assert "\n" not in str(error.value)
