"""Tiny random models with tokenizers of different kinds, for the local backends' tests."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = ["<|im_start|>", "<|im_end|>"]
_ANSWERS = [
    '{"a2b3c4": ' + ", ".join(f'"x{i}y": {word}' for i, word in enumerate(words)) + "}"
    for words in itertools.product(["true", "false", '"yes"', '"no"'], repeat=3)
] + [" ".join(letters) for letters in itertools.product("YN", repeat=5)]
_PROSE = ["The response names the reason and is polite.", "Question 1? Answer 2, with words."]


def tokenizer(kind: str = "words") -> Any:
    """Return a byte-level BPE tokenizer with ChatML's tokens, and ``<think>`` as an ordinary one.

    Args:
        kind: ``words`` joins bytes within words, as most do; ``bytes`` joins none, so that every
            verdict is several tokens; ``runs`` joins over word borders, so that a token may hold a
            verdict's end and what follows it.
    """
    import transformers
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=kind != "runs")
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=0 if kind == "bytes" else 420,
        special_tokens=["<pad>", *SPECIAL],
        initial_alphabet=alphabet,
        show_progress=False,
    )
    made.train_from_iterator(_ANSWERS + _PROSE, trainer)
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", eos_token="<|im_end|>"
    )
    fast.add_tokens([AddedToken("<think>", special=False, normalized=False)])
    fast.chat_template = CHATML
    return fast


def save_tiny_chat_model(folder: Path, kind: str = "words", *, window: int = 0) -> Path:
    """Write a model of random weights, large ones, so that its odds are far from even.

    Args:
        folder: where.
        kind: of tokenizer.
        window: how far back its attention looks; 0 for all the way.
    """
    import torch
    import transformers

    made = tokenizer(kind)
    made.save_pretrained(folder)
    torch.manual_seed(1)
    family, further = ("Mistral", {"sliding_window": window}) if window else ("Llama", {})
    config = getattr(transformers, f"{family}Config")(
        vocab_size=len(made),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=4096,
        initializer_range=0.4,
        bos_token_id=None,
        eos_token_id=made.eos_token_id,
        pad_token_id=made.pad_token_id,
        **further,
    )
    getattr(transformers, f"{family}ForCausalLM")(config).save_pretrained(folder)
    return folder
