"""Bots for the simulated Slack to reach over HTTP."""

import json
from typing import Any

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp

from bot.sandbox import SimulatedSlack

Event = dict[str, Any]


async def serve_http(slack: SimulatedSlack, app: AsyncApp) -> web.AppRunner:
    """Serve a Bolt app over HTTP and let Slack send its requests there."""

    async def events(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    server = web.Application()
    server.router.add_post("/slack/events", events)
    runner = web.AppRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    slack.use_http(f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events")
    return runner


class Recorder:
    """A bot that records every event over HTTP, and answers with `statuses` in their order."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.retries: list[tuple[str | None, str | None]] = []
        self.statuses: list[int] = []

    async def take(self, request: web.Request) -> web.Response:
        self.events.append(json.loads(await request.text()))
        names = ("X-Slack-Retry-Num", "X-Slack-Retry-Reason")
        number, reason = (request.headers.get(name) for name in names)
        self.retries.append((number, reason))
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)

    @property
    def inner(self) -> list[Event]:
        return [event["event"] for event in self.events]
