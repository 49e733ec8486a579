"""``rubricbench serve-reward``: the rubric reward over HTTP, for trainers that ask a server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

from rubricbench.cli.output import Output, output_options

PATH = click.Path(path_type=Path)


@click.command()
@click.option("--config", "path", required=True, type=PATH, help="YAML file of the reward.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=int, default=8400, show_default=True, help="0 takes a free one.")
@click.option(
    "--lost",
    type=click.Choice(["refuse", "mean"]),
    default="refuse",
    show_default=True,
    help="What forms without null do with a row whose verdicts the judge owes.",
)
@click.option("--max-rows", type=int, default=8_192, show_default=True, help="Of a request.")
@click.option(
    "--max-rows-at-once", type=int, default=16_384, show_default=True, help="Further ones wait."
)
@click.option(
    "--max-waiting", type=int, default=256, show_default=True, help="Requests that may wait."
)
@click.option("--max-body-mib", type=int, default=64, show_default=True, help="Of a request.")
@click.option(
    "--stop-seconds", type=float, default=30.0, show_default=True, help="To end what is under way."
)
@output_options
def command(output: Output, path: Path, max_body_mib: int, **options: Any) -> None:
    """Serve a rubric reward until it is stopped (Ctrl-C or SIGTERM).

    Requests come as JSON: POST /reward takes rows with prompt, response and rubric; POST
    /get_reward is OpenRLHF's remote reward, POST /compute_score verl's reward function. GET
    /health and GET /metrics (Prometheus). Whoever can reach the server spends the judge's money:
    another address than this machine's own needs a token in RUBRICBENCH_REWARD_TOKEN, which
    callers show as a bearer token or as the password of the URL.
    """
    import msgspec

    from rubricbench.reward.config import read_reward_config
    from rubricbench.reward.serving.run import serve
    from rubricbench.reward.serving.settings import ServerSettings, token_from_environment

    settings = ServerSettings(
        token=token_from_environment(), max_body_bytes=max_body_mib << 20, **options
    )
    config = msgspec.structs.replace(read_reward_config(path), patience=None)
    reward = config.reward()

    def ready(address: str) -> None:
        judge = config.judge.name if config.judge else "no judge (checks alone)"
        output.result(
            {"url": address, "judge": config.judge.name if config.judge else None},
            f"serving rewards by {judge} at {address}; stop with Ctrl-C",
        )

    try:
        asyncio.run(serve(reward, settings, ready=ready, say=output.note))
    finally:
        reward.close()
