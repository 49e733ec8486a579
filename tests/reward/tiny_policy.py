"""A policy small enough to be trained in a test: a two-layer Llama over a dozen words.

It begins as a writer of random sentences whose length is geometric, which a short supervised
training gives it; after that it is a policy like any other, and TRL's trainer sees no difference.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

KEYWORDS = ("amber", "blue", "coral", "drab", "ecru", "fawn", "gold", "henna")
FILLERS = ("and", "so")
PROMPT = "say"
PAD, EOS = "[PAD]", "[EOS]"
WARM_UP_STEPS = 150


def make_tokenizer() -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = [PAD, EOS, PROMPT, *KEYWORDS, *FILLERS]
    vocabulary = {word: i for i, word in enumerate(words)}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token=PAD))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token=PAD, eos_token=EOS, padding_side="left"
    )


def make_policy(seed: int, *, mean_length: float) -> tuple[Any, Any]:
    """Return a policy and its tokenizer.

    Args:
        seed: of its weights and sentences.
        mean_length: of its sentences, in words; the number of words is geometric.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = make_tokenizer()
    torch.manual_seed(seed)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=64,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
        )
    )
    _warm_up(model, tokenizer, random.Random(seed), mean_length)
    return model, tokenizer


def _warm_up(model: Any, tokenizer: Any, draw: random.Random, mean_length: float) -> None:
    import torch

    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(WARM_UP_STEPS):
        texts = [f"{PROMPT} {_sentence(draw, mean_length)} {EOS}" for _ in range(64)]
        batch = tokenizer(texts, return_tensors="pt", padding=True, padding_side="right")
        labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
        labels[:, 0] = -100
        loss = model(
            input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], labels=labels
        ).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()


def _sentence(draw: random.Random, mean_length: float) -> str:
    words = []
    while draw.random() > 1 / (mean_length + 1) and len(words) < 40:
        words.append(draw.choice(KEYWORDS + FILLERS))
    return " ".join(words)


def arguments(folder: Path, **changes: Any) -> Any:
    """Return a GRPOConfig for a quick run on the CPU."""
    from trl import GRPOConfig

    fields: dict[str, Any] = {
        "output_dir": str(folder),
        "per_device_train_batch_size": 32,
        "num_generations": 8,
        "max_completion_length": 24,
        "learning_rate": 3e-3,
        "lr_scheduler_type": "constant",
        "max_steps": 10,
        "logging_steps": 1,
        "beta": 0.0,
        "use_cpu": True,
        "bf16": False,
        "gradient_checkpointing": False,
        "save_strategy": "no",
        "report_to": "none",
        "remove_unused_columns": False,
        "disable_tqdm": True,
    }
    return GRPOConfig(**{**fields, **changes})
