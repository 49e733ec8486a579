"""A batch of token sequences in one key-value cache, each moved on as it needs.

Every row holds the tokens it was last moved to. Moving it to others keeps the common beginning and
feeds the rest, whatever that is: the next piece of an answer, another candidate in place of one
just scored, a different cut into tokens. What a row no longer holds stays in the cache, masked. So
scoring never depends on how the text was cut into tokens on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import torch

from rubricbench.judging.backends.sequences import common_length


class Prefix(msgspec.Struct, frozen=True):
    """Tokens that several rows begin with, computed once.

    Args:
        ids: the tokens.
        layers: keys and values of each layer, shape (1, heads, tokens, head size).
    """

    ids: list[int]
    layers: list[tuple[torch.Tensor, torch.Tensor]]

    def start(self, length: int) -> Prefix:
        """Return the first tokens of it."""
        layers = [(k[:, :, :length], v[:, :, :length]) for k, v in self.layers]
        return Prefix(self.ids[:length], layers)


class Rows:
    """Token sequences under a model.

    Args:
        model: a causal language model of transformers', in evaluation mode.
        count: number of rows.
        prefix: tokens that all rows begin with.
    """

    def __init__(self, model: Any, count: int, prefix: Prefix | None = None) -> None:
        from transformers import DynamicCache

        self._model = model
        start = prefix.ids if prefix else []
        self._held: list[list[int]] = [list(start) for _ in range(count)]
        self._slots: list[list[int]] = [list(range(len(start))) for _ in range(count)]
        self._mask = torch.ones(count, len(start), dtype=torch.long, device=model.device)
        self._cache = DynamicCache()
        for i, (keys, values) in enumerate(prefix.layers if prefix else ()):
            shape = (count, -1, -1, -1)
            self._cache.update(keys.expand(shape), values.expand(shape), i)

    def move(self, targets: Sequence[Sequence[int] | None], last: int) -> torch.Tensor:
        """Move rows to the tokens given; None leaves a row where it is.

        Args:
            targets: for each row the tokens it is to hold; more than ``last - 1``.
            last: how many positions' predictions are wanted.

        Returns:
            Log-probabilities of the token after each of the last positions, float32, shape
            (rows, last, vocabulary). Those of rows left where they are mean nothing.
        """
        fed = [self._keep_common(row, ids, last) for row, ids in enumerate(targets)]
        width = max(len(ids) for ids in fed)
        inputs = torch.zeros(len(fed), width, dtype=torch.long)
        positions = torch.zeros(len(fed), width, dtype=torch.long)
        mask = torch.zeros(len(fed), width, dtype=torch.long)
        for row, ids in enumerate(fed):
            if ids:
                start = len(self._held[row])
                inputs[row, -len(ids) :] = torch.tensor(ids)
                positions[row, -len(ids) :] = torch.arange(start, start + len(ids))
                mask[row, -len(ids) :] = 1
                self._slots[row] += range(
                    self._mask.shape[1] + width - len(ids), self._mask.shape[1] + width
                )
                self._held[row] += ids
        device = self._model.device
        self._mask = torch.cat([self._mask, mask.to(device)], dim=1)
        output = self._model(
            input_ids=inputs.to(device),
            position_ids=positions.to(device),
            attention_mask=self._mask,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=last,
        )
        return output.logits.float().log_softmax(dim=-1)

    def leave(self, rows: Sequence[int]) -> None:
        """Keep only these rows, in this order."""
        chosen = torch.tensor(list(rows), device=self._model.device)
        self._held = [self._held[row] for row in rows]
        self._slots = [self._slots[row] for row in rows]
        self._mask = self._mask[chosen]
        self._cache.batch_select_indices(chosen)

    def prefix(self) -> Prefix:
        """Return the tokens of a single row as a beginning for others."""
        slots = torch.tensor(self._slots[0], device=self._model.device)
        layers = [
            (layer.keys[:, :, slots], layer.values[:, :, slots]) for layer in self._cache.layers
        ]
        return Prefix(list(self._held[0]), layers)

    def _keep_common(self, row: int, target: Sequence[int] | None, last: int) -> list[int]:
        """Drop what a row does not share with its target; return what is to be fed."""
        if target is None:
            return []
        held, slots = self._held[row], self._slots[row]
        common = min(common_length(held, target), len(target) - last)
        if dropped := slots[common:]:
            self._mask[row, dropped] = 0
        del held[common:], slots[common:]
        return list(target[common:])
