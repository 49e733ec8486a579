"""The dataset card: front matter that the Hub reads, and a text for people."""

from __future__ import annotations

from importlib import resources
from typing import Any

import rubricbench
from rubricbench.publish.package import Package

LICENSE = "cc-by-4.0"
NO_ABOUT = (
    "Prompts with rubrics for post-training and evaluation. *The publisher has said nothing more "
    "about where these data come from.*"
)
TAGS = ("rubrics", "reward-modeling", "rlhf", "evaluation", "rubricbench")


def card(package: Package, repo: str, *, tag: str = "", license: str = LICENSE) -> str:
    """Return README.md: the same package gives the same bytes.

    Args:
        package: what is published.
        repo: ``ORG/NAME``.
        tag: of this version; empty for none.
        license: SPDX identifier in lower case.
    """
    import jinja2
    from huggingface_hub import DatasetCardData

    data = DatasetCardData(
        license=license,
        language=["en"],
        pretty_name=repo.partition("/")[2],
        size_categories=[_size(sum(t.rows for t in package.tables))],
        tags=list(TAGS),
        task_categories=["text-generation"],
    )
    _describe(package, data)
    text = (resources.files("rubricbench.publish") / "card.md.j2").read_text("utf-8")
    template = jinja2.Environment(trim_blocks=True, lstrip_blocks=True).from_string(text)
    body = template.render(
        title=repo.partition("/")[2],
        about=package.about.strip() or NO_ABOUT,
        repo=repo,
        default=package.default,
        split=package.configs[package.default][0].split,
        tag=f', revision="{tag}"' if tag else "",
        statistics=[_row(name, found) for name, found in package.statistics.items()],
        version=rubricbench.__version__,
    )
    return f"---\n{data.to_yaml()}\n---\n\n{body}\n"


def _describe(package: Package, data: Any) -> None:
    """Add configs, features and sizes as `datasets` writes them."""
    import datasets
    from datasets.info import DatasetInfosDict
    from datasets.utils.metadata import MetadataConfigs

    infos, configs = {}, {}
    for config, tables in package.configs.items():
        splits = datasets.SplitDict()
        for table in tables:
            splits.add(
                datasets.SplitInfo(table.split, num_bytes=table.bytes, num_examples=table.rows)
            )
        infos[config] = datasets.DatasetInfo(
            features=datasets.Features.from_arrow_schema(tables[0].schema),
            splits=splits,
            download_size=sum(t.bytes for t in tables),
            dataset_size=sum(t.bytes for t in tables),
        )
        configs[config] = {
            "data_files": [{"split": t.split, "path": t.remote} for t in tables],
            **({"default": True} if config == package.default else {}),
        }
    DatasetInfosDict(infos).to_dataset_card_data(data)
    MetadataConfigs(configs).to_dataset_card_data(data)


def _size(rows: int) -> str:
    for limit, name in ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K")):
        if rows < limit:
            return name
    return "100K<n<1M" if rows < 1_000_000 else "1M<n<10M"


def _row(config: str, found: dict[str, Any]) -> dict[str, str]:
    rows = ", ".join(f"{split} {count:,}" for split, count in found["rows"].items())
    if "criteria" not in found:
        return dict.fromkeys(("per_prompt", "multi_turn", "penalties", "checked"), "") | {
            "config": config,
            "rows": rows,
        }
    shares = {name: f"{found[name]:.0%}" for name in ("multi_turn", "penalties", "checked")}
    return {"config": config, "rows": rows, "per_prompt": f"{found['per_prompt']:.1f}", **shares}
