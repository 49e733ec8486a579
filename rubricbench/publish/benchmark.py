"""``eval.yaml``: registers the benchmark's tasks with the Hub's own leaderboards."""

from __future__ import annotations

from rubricbench.publish.package import Package

FRAMEWORK = "lm-evaluation-harness"


def eval_yaml(package: Package, repo: str) -> str:
    """Return eval.yaml: one task for every config of rubrics that has a test split.

    Args:
        package: what is published.
        repo: ``ORG/NAME``.
    """
    import yaml

    tasks = [
        {"id": f"rubricbench_{table.config}", "config": table.config, "split": "test"}
        for table in package.tables
        if table.is_rubrics and table.split == "test"
    ]
    document = {
        "name": repo.partition("/")[2],
        "description": "Rubric scores of model responses: weighted criteria, penalties included.",
        "evaluation_framework": FRAMEWORK,
        "tasks": tasks,
    }
    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
