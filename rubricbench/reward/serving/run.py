"""Running the server until it is told to stop, and then to the end of what is under way."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

from aiohttp import web

from rubricbench.errors import InputError
from rubricbench.reward.reward import RubricReward
from rubricbench.reward.serving.app import RewardApp
from rubricbench.reward.serving.settings import ServerSettings


async def serve(
    reward: RubricReward,
    settings: ServerSettings,
    *,
    ready: Callable[[str], None] = lambda address: None,
    say: Callable[[str], None] = lambda text: None,
) -> None:
    """Serve until SIGINT or SIGTERM; a second one ends it at once.

    Args:
        reward: the reward.
        settings: address, limits, policy.
        ready: called with the server's address once it listens.
        say: takes remarks for the user.

    Raises:
        InputError: the address cannot be listened on.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    app = RewardApp(reward, settings)
    runner = web.AppRunner(
        app.application(), access_log=None, shutdown_timeout=settings.stop_seconds
    )
    await runner.setup()
    try:
        await _listen(runner, settings)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        ready(f"http://{host}:{runner.addresses[0][1]}")
        await stop.wait()
        for number in (signal.SIGINT, signal.SIGTERM):  # a second one interrupts
            loop.remove_signal_handler(number)
        if app.rows_under_way:
            say(f"stopping after {app.rows_under_way:,} rows under way; once more to stop at once")
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, settings: ServerSettings) -> None:
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
    except OSError as error:
        raise InputError(
            f"cannot listen: {error.strerror or error}",
            where=f"{settings.host}:{settings.port}",
            hint="choose another --port or --host",
        ) from None
