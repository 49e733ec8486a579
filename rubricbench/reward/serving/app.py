"""The server's routes: rewards in three forms, ``/health`` and ``/metrics``."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any

import msgspec
from aiohttp import web

import rubricbench
from rubricbench.errors import InputError, RubricbenchError
from rubricbench.reward.batch import Batch, Row
from rubricbench.reward.reward import RubricReward
from rubricbench.reward.serving.filling import filled
from rubricbench.reward.serving.forms import FORMS, Asked, Form
from rubricbench.reward.serving.guard import RefusedError, require_permission
from rubricbench.reward.serving.metrics import Counts
from rubricbench.reward.serving.room import CrowdedError, Room
from rubricbench.reward.serving.settings import ServerSettings

logger = logging.getLogger(__name__)

RETRY_SECONDS = "1"


class RewardApp:
    """Answers requests by a reward.

    Args:
        reward: the reward.
        settings: limits and policy.
    """

    def __init__(self, reward: RubricReward, settings: ServerSettings) -> None:
        self._reward = reward
        self._settings = settings
        self._counts = Counts()
        self._room = Room(settings.max_rows_at_once, settings.max_waiting)
        self._started = time.time()
        self._error = ""

    def application(self) -> web.Application:
        """Return the application to be run."""
        app = web.Application(
            client_max_size=self._settings.max_body_bytes, middlewares=[self._answered]
        )
        app.router.add_get("/health", self._health)
        app.router.add_get("/metrics", self._metrics)
        for form in FORMS:
            app.router.add_post(form.path, self._handler(form))
        return app

    @property
    def rows_under_way(self) -> int:
        """How many rows are being graded."""
        return self._room.taken

    @web.middleware
    async def _answered(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Turn errors into one clear line, and count what was answered."""
        try:
            if request.path != "/health":
                require_permission(request, self._settings)
            answer: web.StreamResponse = await handler(request)
        except RefusedError as error:
            answer = _error(error.status, str(error))
        except CrowdedError:
            answer = _error(429, "too many requests wait already", retry=True)
        except web.HTTPRequestEntityTooLarge:
            most = self._settings.max_body_bytes
            answer = _error(413, f"the request is larger than {most:,} bytes")
        except web.HTTPException as error:
            answer = _error(error.status, error.reason)
        except InputError as error:
            answer = _error(400, str(error))
        except RubricbenchError as error:
            logger.error("%s", error)
            answer = _error(503, str(error), retry=True)
        except Exception:
            logger.exception("a request failed")
            answer = _error(500, "internal error; the server's log says more")
        known = {form.path for form in FORMS} | {"/health", "/metrics"}
        self._counts.request(request.path if request.path in known else "other", answer.status)
        return answer

    def _handler(self, form: Form) -> Any:
        async def handle(request: web.Request) -> web.Response:
            asked = form.read(await request.read())
            if len(asked.prompts) > self._settings.max_rows:
                raise RefusedError(
                    413, f"{len(asked.prompts):,} rows; at most {self._settings.max_rows:,}"
                )
            rows = self._reward.rows(asked.prompts, asked.completions, asked.columns)
            async with self._room.hold(len(rows)):
                batch = await self._reward.grade(rows)
            self._counts.batch(batch)
            self._error = str(batch.error) if batch.error else ""
            return self._written(form, asked, rows, batch)

        return handle

    def _written(self, form: Form, asked: Asked, rows: Sequence[Row], batch: Batch) -> web.Response:
        rewards = [ruling.reward for ruling in batch.rulings]
        if None in rewards and not form.takes_null and self._settings.lost == "mean":
            rewards = filled(batch, [row.rubric.prompt_id for row in rows])
        if None in rewards and not form.takes_null:
            return _lost(batch)
        answer = form.write(asked, batch, rewards)
        if self._error:
            answer["error"] = self._error
        return _json(answer)

    async def _health(self, request: web.Request) -> web.Response:
        config = self._reward.host.config
        return _json(
            {
                "status": "ok",
                "version": rubricbench.__version__,
                "judge": config.name if config else None,
                "last_error": self._error or None,
                "seconds": round(time.time() - self._started, 1),
            }
        )

    async def _metrics(self, request: web.Request) -> web.Response:
        gauges = {"rows_under_way": self._room.taken, "requests_waiting": self._room.waiting}
        text = self._counts.text(self._reward.host.tally, gauges)
        return web.Response(
            text=text, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        )


def _lost(batch: Batch) -> web.Response:
    """Return the refusal of a batch with lost rows; what was answered is stored."""
    causes = sorted({str(r.cause) for r in batch.rulings if r.reward is None and r.cause})
    fault = next(r.fault for r in batch.rulings if r.reward is None)
    what = (
        f"the judge owes the verdicts of {batch.lost} of {len(batch.rulings)} rows "
        f"({', '.join(causes)}: {fault}); ask again, what was answered is stored"
    )
    return _error(503, what, retry=True)


def _json(value: Any) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")


def _error(status: int, what: str, *, retry: bool = False) -> web.Response:
    headers = {"Retry-After": RETRY_SECONDS} if retry else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    body = msgspec.json.encode({"error": " ".join(what.split())})
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")
