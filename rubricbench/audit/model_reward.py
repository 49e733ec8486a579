"""A sequence-classification reward model of transformers', run on the CPU.

Prompt and response are put into the tokenizer's chat template, as trainers do; without a template
they stand one after the other, with a blank line between. Dropout is off and the arithmetic is in
32 bits, so a score does not depend on the run. It may depend on the batch in its last digits, so
batches are cut over the whole pool, sorted by length, whatever rows are still to be scored: a run
that was stopped gives, with the same batch size, the same scores as one that was not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rubricbench.audit.pool import Pool
from rubricbench.audit.rewards import Keep, RewardSpec, Scored, Setting
from rubricbench.errors import InputError, MissingExtraError
from rubricbench.progress import progress

WEIGHTS = ("*.safetensors", "*.bin")
TOKENIZER = ("tokenizer*", "vocab*", "merges.txt", "special_tokens_map.json", "added_tokens.json")


class ModelReward:
    """A reward model with one output.

    Args:
        spec: its name; the target is a folder, or a name in the Hub's cache or on the Hub.
        setting: batch and length.

    Raises:
        MissingExtraError: torch or transformers is not installed.
        InputError: the folder holds no such model.
    """

    def __init__(self, spec: RewardSpec, setting: Setting) -> None:
        self.name = spec.name
        self.remarks: list[str] = []
        self._target, self._setting = spec.target, setting
        self._tokenizer, self._model = _load(spec.target)
        self._limit = self._longest()
        self.identity: dict[str, Any] = {
            "kind": "model",
            "weights": _weights_hash(spec.target, self._model),
            "template": getattr(self._tokenizer, "chat_template", None) or "",
            "max_length": self._limit,
        }

    def score(self, pool: Pool, rows: Sequence[int], keep: Keep) -> None:
        """Score the rows.

        Raises:
            InputError: the pool does not say what was asked, or the model gives no finite number.
        """
        pool.require_prompts(self.name)
        encoded = {i: self._encoded(pool, i) for i in range(len(pool))}
        cut = sum(len(tokens) > self._limit for tokens in encoded.values())
        if cut:
            self.remarks.append(
                f"{cut:,} texts were longer than {self._limit:,} tokens and lost their beginning"
            )
        due = set(rows)
        with progress(len(rows), f"scoring {self.name}", quiet=self._setting.quiet) as bar:
            for batch in self._batches(encoded):
                wanted = due.intersection(batch)
                if not wanted:
                    continue
                values = self._values([encoded[i][-self._limit :] for i in batch])
                found = zip(batch, values, strict=True)
                keep({i: self._scored(value) for i, value in found if i in wanted})
                bar.advance(len(wanted))

    def _longest(self) -> int:
        known = [
            self._setting.max_length,
            getattr(self._model.config, "max_position_embeddings", None),
            getattr(self._tokenizer, "model_max_length", None),
        ]
        return int(min(x for x in (*known, 32_768) if x))

    def _encoded(self, pool: Pool, row: int) -> list[int]:
        turns = [dict(turn) for turn in pool.turns[row]]
        answer = pool.texts[row]
        if getattr(self._tokenizer, "chat_template", None):
            whole = [*turns, {"role": "assistant", "content": answer}]
            text = self._tokenizer.apply_chat_template(whole, tokenize=False)
            return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])
        asked = "\n\n".join(turn["content"] for turn in turns)
        return list(self._tokenizer(f"{asked}\n\n{answer}")["input_ids"])

    def _batches(self, encoded: dict[int, list[int]]) -> Iterator[list[int]]:
        size = self._setting.batch if self._model.config.pad_token_id is not None else 1
        order = sorted(encoded, key=lambda i: (-len(encoded[i]), i))
        for start in range(0, len(order), size):
            yield order[start : start + size]

    def _values(self, tokens: list[list[int]]) -> list[float]:
        import torch

        pad = self._model.config.pad_token_id or 0
        width = max(1, *(len(row) for row in tokens))
        rows = [row or [pad] for row in tokens]
        ids = torch.tensor([row + [pad] * (width - len(row)) for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
        with torch.inference_mode():
            found = self._model(input_ids=ids, attention_mask=mask).logits
        return [float(x) for x in found[:, 0].float()]

    def _scored(self, value: float) -> Scored:
        if value != value or value in (float("inf"), float("-inf")):
            raise InputError(f"the model gave {value}", where=self._target)
        return Scored(value)


def _load(target: str) -> tuple[Any, Any]:
    try:
        import torch
    except ImportError:
        raise MissingExtraError("torch", "local") from None
    try:
        from transformers import AutoModelForSequenceClassification, AutoTokenizer
    except ImportError:
        raise MissingExtraError("transformers", "local") from None
    folder = Path(target)
    if ("/" in target and target.startswith((".", "/", "~"))) and not folder.is_dir():
        raise InputError("no such folder", where=target)
    try:
        tokenizer = AutoTokenizer.from_pretrained(target, trust_remote_code=False)
        model = AutoModelForSequenceClassification.from_pretrained(
            target, trust_remote_code=False, dtype=torch.float32
        )
    except (OSError, ValueError, KeyError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"no reward model could be loaded: {first:.200}", where=target) from None
    if model.config.num_labels != 1:
        raise InputError(
            f"the model has {model.config.num_labels} outputs; a reward model has one", where=target
        )
    if model.config.pad_token_id is None:
        model.config.pad_token_id = tokenizer.pad_token_id
    return tokenizer, model.eval()


def _weights_hash(target: str, model: Any) -> str:
    """Return a hash of a folder's weights and tokenizer, every byte, or of the Hub's commit."""
    digest = hashlib.sha256(
        json.dumps(model.config.to_dict(), sort_keys=True, default=str).encode()
    )
    folder = Path(target)
    if not folder.is_dir():
        digest.update(f"{target}@{getattr(model.config, '_commit_hash', '')}".encode())
        return digest.hexdigest()
    for path in sorted({p for kind in (*WEIGHTS, *TOKENIZER) for p in folder.glob(kind)}):
        with open(path, "rb") as file:
            inner = hashlib.file_digest(file, "sha256").hexdigest()
        digest.update(f"{path.name} {inner}\n".encode())
    return digest.hexdigest()
