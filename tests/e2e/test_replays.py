"""A request that somebody has captured is good for nothing, at whichever process it arrives."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import aiohttp
from aiohttp import web
from redis.asyncio import Redis

from bot.sandbox import SimulatedSlack
from tests.fake_openai import FakeOpenAI
from tests.support.processes import World, free_port
from tests.support.scene import Scene

_SENT_ON = ("Content-Type", "X-Slack-Request-Timestamp", "X-Slack-Signature")


class Captured(NamedTuple):
    """A request of Slack's, byte by byte."""

    body: bytes
    headers: dict[str, str]

    async def post(self, port: int) -> int:
        url = f"http://127.0.0.1:{port}/slack/events"
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, data=self.body, headers=self.headers) as response,
        ):
            return response.status


@asynccontextmanager
async def eavesdropper(slack: SimulatedSlack, port: int) -> AsyncIterator[list[Captured]]:
    """Stands between Slack and a process, and keeps what comes by."""
    captured: list[Captured] = []

    async def pass_on(request: web.Request) -> web.Response:
        headers = {name: request.headers[name] for name in _SENT_ON}
        captured.append(Captured(await request.read(), headers))
        return web.Response(status=await captured[-1].post(port))

    application = web.Application()
    application.add_routes([web.post("/slack/events", pass_on)])
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.use_http(f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events")
    yield captured
    await runner.cleanup()


async def stored(url: str) -> dict[str, object]:
    """The sessions, word by word."""
    async with Redis.from_url(url, decode_responses=True) as redis:
        keys = [key async for key in redis.scan_iter("imagine:{*}:session:*")]
        return {k: await redis.hgetall(k) for k in keys if await redis.type(k) == "hash"}


async def test_a_captured_request_changes_nothing_at_any_of_two_processes(
    slack: SimulatedSlack, openai: FakeOpenAI, redis_url: str, tmp_path: Path
) -> None:
    async with World(slack, openai, redis_url, tmp_path, "http") as world:
        other = free_port()
        await world.run("web")
        await world.run("web", PORT=str(other))
        await world.run("worker")
        async with eavesdropper(slack, world.port) as captured:
            scene = Scene(world)
            await scene.imagine()
            draft = await scene.draft()
            await scene.click(draft, "Regenerate")
            newer = await scene.draft(after=draft)
            await scene.until_idle()
            command, click = captured[0], captured[-1]
            before, shown = await stored(redis_url), len(scene.everything())
            for request in (command, click):
                assert [await request.post(port) for port in (other, world.port)] == [401, 401]
            assert await stored(redis_url) == before
            assert len(scene.everything()) == shown
            assert openai.paid == 2
            await scene.approved(newer)
            assert len(await scene.sessions()) == 1
            assert openai.paid == 2
