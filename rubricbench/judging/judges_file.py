"""The judges of a panel, as people write them down: a YAML list of `JudgeConfig`'s fields.

::

    - base_url: http://127.0.0.1:8000/v1
      model: qwen3-8b
      revision: 2025-04
    - base_url: https://api.example.org/v1
      model: judge-large
      api_key_env: EXAMPLE_API_KEY
      logprobs: 5
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rubricbench.errors import InputError
from rubricbench.judging.config import JudgeConfig
from rubricbench.secret_names import is_secret_name
from rubricbench.yaml_file import read_yaml, typed

MAX_JUDGES = 100


def read_judges(path: str | Path) -> list[JudgeConfig]:
    """Read a file of judges.

    Raises:
        InputError: it cannot be read, is no list, or a field of a judge is unknown or cannot be
            used; judge and field are named.
    """
    listed = read_yaml(path)
    if not isinstance(listed, list) or not listed:
        raise InputError(
            "not a list of judges",
            where=str(path),
            hint="write each as an entry: - base_url: …, with model: … below it",
        )
    if len(listed) > MAX_JUDGES:
        raise InputError(f"{len(listed)} judges, the limit is {MAX_JUDGES}", where=str(path))
    return [_judge(fields, f"{path}: judge {i}") for i, fields in enumerate(listed, start=1)]


def _judge(fields: Any, where: str) -> JudgeConfig:
    if not isinstance(fields, dict):
        raise InputError("not a mapping of fields", where=where)
    known = JudgeConfig.__struct_fields__
    secret = [name for name in fields if is_secret_name(str(name)) and name not in known]
    if secret:
        raise InputError(
            f"a judge has no field {secret[0]!r:.40}",
            where=where,
            hint="a key goes into an environment variable; name that by api_key_env",
        )
    return typed(fields, JudgeConfig, where)
