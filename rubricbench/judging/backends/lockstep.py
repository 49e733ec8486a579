"""Answers of one batch, moved on together: each step of all of them is one pass of the model."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import torch

from rubricbench.judging.backends.answering import (
    Answered,
    Answering,
    Draw,
    Drawn,
    Said,
    Score,
    Step,
)
from rubricbench.judging.backends.gather import cancelled
from rubricbench.judging.backends.rows import Prefix, Rows
from rubricbench.judging.faults import CallFailedError


def answer_together(
    model: Any,
    begun: Sequence[tuple[Answering, Step]],
    prefix: Prefix | None,
    halt: threading.Event,
) -> list[Answered | CallFailedError]:
    """Return the answers, or why there is none, in order.

    Args:
        model: a causal language model of transformers', in evaluation mode.
        begun: the answers to be made, each with its first step.
        prefix: tokens that all first steps begin with, or nearly all of them.
        halt: once set, answers not yet complete are given up.
    """
    results: list[Answered | CallFailedError] = [cancelled()] * len(begun)
    live = {i: step for i, (_, step) in enumerate(begun)}
    order = list(live)
    rows = Rows(model, len(order), prefix)
    while live and not halt.is_set():
        if len(live) <= len(order) // 2:  # half of the rows would be computed for nothing
            rows.leave([order.index(i) for i in live])
            order = list(live)
        said = _ask(rows, [live.get(i) for i in order])
        live.clear()
        for i, words in zip(order, said, strict=True):
            if words is not None:
                try:
                    live[i] = begun[i][0].send(words)
                except StopIteration as ended:
                    results[i] = ended.value
    return results


def _ask(rows: Rows, steps: Sequence[Step | None]) -> list[Said | None]:
    last = max(len(step.reads) if isinstance(step, Score) else 1 for step in steps if step)
    logprobs = rows.move([step.ids if step else None for step in steps], last)
    likeliest = logprobs[:, -1].max(dim=-1)
    tokens, values = likeliest.indices.tolist(), likeliest.values.tolist()
    said: list[Said | None] = []
    for row, step in enumerate(steps):
        if isinstance(step, Score):
            said.append(_read(logprobs[row], step.reads))
        elif step and not step.temperature and not step.top:
            said.append(Drawn(tokens[row], values[row], []))
        else:
            said.append(_drawn(logprobs[row, -1], step) if step else None)
    return said


def _read(logprobs: torch.Tensor, reads: Sequence[Sequence[int]]) -> list[list[float]]:
    first = logprobs.shape[0] - len(reads)
    at = [first + i for i, tokens in enumerate(reads) for _ in tokens]
    flat = logprobs[at, [token for tokens in reads for token in tokens]].tolist()
    values = iter(flat)
    return [[next(values) for _ in tokens] for tokens in reads]


def _drawn(logprobs: torch.Tensor, step: Draw) -> Drawn:
    top = logprobs.topk(step.top) if step.top else None
    pairs = list(zip(top.indices.tolist(), top.values.tolist(), strict=True)) if top else []
    if not step.temperature:
        token = int(logprobs.argmax())
    else:
        # On the CPU and in double precision: the sum of a large vocabulary must reach the point.
        chances = (logprobs.double().cpu() / step.temperature).softmax(dim=-1).cumsum(dim=-1)
        point = torch.tensor(step.point, dtype=torch.float64) * chances[-1]
        token = min(int(torch.searchsorted(chances, point, right=True)), len(chances) - 1)
    return Drawn(token, float(logprobs[token]), pairs)
