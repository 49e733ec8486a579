"""lm-eval tasks that score any model with the rubrics of this package.

    lm_eval run --include_path $(rubricbench tasks path) --tasks rubricbench_verifiable \\
        --model hf --model_args pretrained=MODEL --apply_chat_template

or from Python::

    from lm_eval import simple_evaluate
    from lm_eval.tasks import TaskManager
    from rubricbench.tasks import task_names, task_path

    simple_evaluate(
        model="hf",
        model_args={"pretrained": "MODEL"},
        tasks=task_names(),
        task_manager=TaskManager(include_path=[task_path()], include_defaults=False),
        apply_chat_template=True,
    )

Chat endpoints work the same way: ``--model local-chat-completions --model_args
model=NAME,base_url=URL,num_concurrent=8``. One that refuses an empty list of stop sequences, as
``transformers serve`` does, wants one more: ``--gen_kwargs '{"until": ["<|im_end|>"]}'``.

A YAML file names what is particular to a task; what all of them share is `rubric_task.RubricTask`
(prompts as chat messages) and the hooks in `data`, `filters` and `metrics`.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["task_names", "task_path"]


def task_path() -> Path:
    """Return the folder for lm-eval's ``--include_path``."""
    return Path(__file__).resolve().parent


def task_names() -> list[str]:
    """Return the names of the tasks, from their files, without loading lm-eval."""
    return sorted(file.stem for file in task_path().glob("rubricbench_*.yaml"))
