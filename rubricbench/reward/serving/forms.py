"""The forms of requests: our own, OpenRLHF's remote reward, and verl's reward function.

A form reads a request's body into prompts, completions and columns, as a trainer in this process
would pass them, and writes what came of it. Unknown fields are passed over: trainers add theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from rubricbench.errors import InputError
from rubricbench.reward.batch import Batch
from rubricbench.reward.ruling import Standing

# What chat models end a turn with; a decoded sequence carries it, and padding after it.
END_TOKENS = (
    "<|im_end|>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|eot_id|>",
    "<|end|>",
    "<end_of_turn>",
    "</s>",
    "<eos>",
    "<pad>",
    "[PAD]",
)


class Asked(msgspec.Struct, frozen=True):
    """A request, as a trainer in this process would put it.

    Args:
        prompts: texts or conversations.
        completions: texts or turns.
        columns: a list for each.
        single: whether the answer is for one row, outside a list.
    """

    prompts: list[Any]
    completions: list[Any]
    columns: dict[str, list[Any]]
    single: bool = False


class Form(msgspec.Struct, frozen=True):
    """A form of request.

    Args:
        path: where it is posted to.
        read: body -> what is asked; raises `InputError`.
        write: (what was asked, the batch, its rewards) -> the answer.
        takes_null: whether a lost row's reward can be null.
    """

    path: str
    read: Callable[[bytes], Asked]
    write: Callable[[Asked, Batch, Sequence[float | None]], dict[str, Any]]
    takes_null: bool


class _Row(msgspec.Struct):
    response: str | list[dict[str, Any]]
    prompt: str | list[dict[str, Any]] = ""
    rubric: Any = None
    rubrics: list[dict[str, Any]] | None = None
    prompt_id: str | None = None


class _Rows(msgspec.Struct):
    rows: list[_Row]


class _OpenRLHF(msgspec.Struct):
    query: list[str]
    prompts: list[str]
    labels: list[Any] | None = None


class _Verl(msgspec.Struct):
    solution_strs: list[str]
    ground_truths: list[Any]
    extra_infos: list[dict[str, Any] | None] | None = None


class _VerlSingle(msgspec.Struct):
    solution_str: str
    ground_truth: Any
    extra_info: dict[str, Any] | None = None


def _read_own(body: bytes) -> Asked:
    rows = _decode(body, _Rows).rows
    columns = ("rubric", "rubrics", "prompt_id")
    return Asked(
        prompts=[row.prompt for row in rows],
        completions=[row.response for row in rows],
        columns={name: [getattr(row, name) for row in rows] for name in columns},
    )


def _write_own(asked: Asked, batch: Batch, rewards: Sequence[float | None]) -> dict[str, Any]:
    return {"rewards": list(rewards), **_beside(batch)}


def _read_openrlhf(body: bytes) -> Asked:
    """Read ``query`` (prompt and response in one text), ``prompts`` and ``labels``.

    A label is the rubric (JSON) or the id of a prompt whose rubric the server has.
    """
    given = _decode(body, _OpenRLHF)
    labels = given.labels or [None] * len(given.query)
    _require_equal({"query": given.query, "prompts": given.prompts, "labels": labels})
    return Asked(
        prompts=given.prompts,
        completions=[
            _response(query, prompt, i)
            for i, (query, prompt) in enumerate(zip(given.query, given.prompts, strict=True))
        ],
        columns=_label_columns(labels),
    )


def _write_openrlhf(asked: Asked, batch: Batch, rewards: Sequence[float | None]) -> dict[str, Any]:
    # Its log takes numbers alone, one for each row.
    standings = [ruling.standing for ruling in batch.rulings]
    logs = {
        "rubric_coverage": [ruling.coverage for ruling in batch.rulings],
        "rubric_low_bound": [float(s is Standing.LOW_BOUND) for s in standings],
        "rubric_lost": [float(s is Standing.LOST) for s in standings],
    }
    answer = {"rewards": list(rewards), "scores": list(rewards), "extra_logs": logs}
    return {**answer, "causes": _beside(batch)["causes"]}


def _read_verl(body: bytes) -> Asked:
    """Read the arguments of verl's ``compute_score``: of one row, or lists of a batch's.

    ``ground_truth`` is the rubric (JSON) or the id of a prompt whose rubric the server has; the
    prompt itself stands in ``extra_info["prompt"]`` where the rubric does not bring it.
    """
    single = b'"solution_strs"' not in body
    if single:
        one = _decode(body, _VerlSingle)
        given = _Verl([one.solution_str], [one.ground_truth], [one.extra_info])
    else:
        given = _decode(body, _Verl)
    extras = given.extra_infos or [None] * len(given.solution_strs)
    _require_equal(
        {
            "solution_strs": given.solution_strs,
            "ground_truths": given.ground_truths,
            "extra_infos": extras,
        }
    )
    return Asked(
        prompts=[(extra or {}).get("prompt", "") for extra in extras],
        completions=[_without_end(text) for text in given.solution_strs],
        columns=_label_columns(given.ground_truths),
        single=single,
    )


def _write_verl(asked: Asked, batch: Batch, rewards: Sequence[float | None]) -> dict[str, Any]:
    beside = _beside(batch)
    if asked.single:
        return {"score": rewards[0], **{f"rubric_{k}": beside[v][0] for k, v in _VERL.items()}}
    return {"scores": list(rewards), **{f"rubric_{k}": beside[v] for k, v in _VERL.items()}}


_VERL = {"coverage": "coverage", "standing": "standing", "cause": "causes"}


def _beside(batch: Batch) -> dict[str, Any]:
    """Return what every form says beside the rewards; a list each."""
    rulings = batch.rulings
    return {
        "causes": [str(ruling.cause) if ruling.cause else None for ruling in rulings],
        "standing": [str(ruling.standing) for ruling in rulings],
        "coverage": [ruling.coverage for ruling in rulings],
        "low": [ruling.low for ruling in rulings],
        "high": [ruling.high for ruling in rulings],
    }


def _decode(body: bytes, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise InputError(f"the request does not have this form: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"the request is not JSON: {error}") from None


def _require_equal(lists: dict[str, Sequence[Any]]) -> None:
    lengths = {name: len(values) for name, values in lists.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise InputError(f"the lists are not of one length: {told}")


def _label_columns(labels: Sequence[Any]) -> dict[str, list[Any]]:
    """Return rubric and prompt id from labels, each of which is one or the other."""
    rubrics = [label if _is_rubric(label) else None for label in labels]
    names = [
        label if isinstance(label, str) and not _is_rubric(label) else None for label in labels
    ]
    return {"rubric": rubrics, "prompt_id": names}


def _is_rubric(label: Any) -> bool:
    if isinstance(label, str):
        return label.lstrip().startswith(("{", "["))
    return isinstance(label, dict | list)


def _response(query: str, prompt: str, i: int) -> str:
    """Return what follows the prompt; a decoded query may begin with a mark before it."""
    before, found, response = query.partition(prompt)
    if not prompt or not found or len(before) > 64:
        raise InputError(
            "the query does not begin with its prompt",
            where=f"query[{i}]",
            hint="prompts must hold the texts the queries were made of",
        )
    return _without_end(response)


def _without_end(text: str) -> str:
    text = text.rstrip()
    while True:
        end = next((token for token in END_TOKENS if text.endswith(token)), "")
        if not end:
            return text
        text = text.removesuffix(end).rstrip()


FORMS = (
    Form("/reward", _read_own, _write_own, True),
    Form("/get_reward", _read_openrlhf, _write_openrlhf, False),
    Form("/compute_score", _read_verl, _write_verl, False),
)
