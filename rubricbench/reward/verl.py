"""verl's reward function, asking a reward server (``rubricbench serve-reward``).

::

    export RUBRICBENCH_REWARD_URL=http://127.0.0.1:8400
    VERL=$(python -c "import rubricbench.reward.verl as verl; print(verl.__file__)")
    python -m verl.trainer.main_ppo … \\
        custom_reward_function.path=$VERL custom_reward_function.name=compute_score

``compute_score`` is for the managers that ask row by row, ``compute_scores`` for the batch manager.
``reward_model.ground_truth`` of a row is its rubric as JSON, or the id of a prompt whose rubric the
server has; the prompt stands in ``extra_info.prompt`` where the rubric does not bring it.

verl has no way to leave a row out. So a row whose verdicts the judge owes is asked about again,
until `PATIENCE` is over; then the training ends with an error. Nothing is ever a silent 0. Only the
standard library is used, so that the file can be given to verl by its path.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

URL_VARIABLE = "RUBRICBENCH_REWARD_URL"
TOKEN_VARIABLE = "RUBRICBENCH_REWARD_TOKEN"
PATIENCE = 1_800.0  # seconds
FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0
AT_ONCE = 256

# The server is a neighbour: no proxy stands between.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="rubric-reward")


async def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: Any,
    extra_info: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Return the reward of one response under ``score``, and what verl logs beside it.

    Raises:
        RuntimeError: the server refuses the request, or has no reward for it for `PATIENCE` s.
    """
    asked = {
        "data_source": data_source,
        "solution_str": solution_str,
        "ground_truth": ground_truth,
        "extra_info": _plain(extra_info),
    }
    loop = asyncio.get_running_loop()
    return _logged(await loop.run_in_executor(_pool, _ask, asked))


def compute_scores(
    data_sources: Sequence[str],
    solution_strs: Sequence[str],
    ground_truths: Sequence[Any],
    extra_infos: Sequence[dict[str, Any] | None],
    **more: Any,
) -> list[dict[str, Any]]:
    """Return the reward of each response of a batch, as `compute_score`.

    Raises:
        RuntimeError: as `compute_score`.
    """
    found = _ask(
        {
            "data_sources": list(data_sources),
            "solution_strs": list(solution_strs),
            "ground_truths": list(ground_truths),
            "extra_infos": [_plain(extra) for extra in extra_infos],
        }
    )
    names = {"score": "scores", "rubric_coverage": "rubric_coverage"}
    return [
        _logged({name: found[column][i] for name, column in names.items()})
        for i in range(len(found["scores"]))
    ]


def _logged(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the numbers alone: verl averages whatever stands beside the score."""
    return {"score": float(answer["score"]), "rubric_coverage": answer["rubric_coverage"]}


def _plain(extra: dict[str, Any] | None) -> dict[str, Any]:
    """Return what the server reads: the rest may be no JSON."""
    prompt = (extra or {}).get("prompt")
    return {} if prompt is None else {"prompt": _listed(prompt)}


def _listed(prompt: Any) -> Any:
    return prompt.tolist() if hasattr(prompt, "tolist") else prompt  # of a parquet file


def _ask(asked: dict[str, Any]) -> dict[str, Any]:
    end = time.monotonic() + PATIENCE
    wait = FIRST_WAIT
    while True:
        try:
            return _post(asked)
        except urllib.error.HTTPError as error:
            told = _told(error)
            if error.code not in (429, 502, 503, 504):
                raise RuntimeError(f"the reward server refuses: {told}") from None
        except OSError as error:
            told = str(error)
        if time.monotonic() + wait > end:
            raise RuntimeError(f"no reward in {PATIENCE:g} s; the last reason: {told}")
        time.sleep(wait)
        wait = min(2 * wait, LONGEST_WAIT)


def _post(asked: dict[str, Any]) -> dict[str, Any]:
    address = os.environ.get(URL_VARIABLE, "").rstrip("/")
    if not address.startswith(("http://", "https://")):
        raise RuntimeError(f"{URL_VARIABLE} must hold the reward server's address")
    headers = {"Content-Type": "application/json"}
    token = os.environ.get(TOKEN_VARIABLE, "").strip()
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(
        f"{address}/compute_score", json.dumps(asked).encode(), headers
    )
    with _opener.open(request, timeout=PATIENCE) as reply:
        answer: dict[str, Any] = json.load(reply)
    return answer


def _told(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["error"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {error.code}"
