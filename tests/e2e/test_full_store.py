"""A Redis that takes nothing new: nothing is paid for twice, and people are told why they wait."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
from redis.asyncio import Redis

from bot.sandbox import PATIENCE
from tests.support.processes import SHORT_LEASE, BotProcess, World, free_port
from tests.support.scene import SECONDS_TO_ACK, isolated_world
from tests.support.store import sessions_in

LEASE = SHORT_LEASE
WAITS_FOR_THE_OTHER = "another run has asked for the image: waiting for it"


async def set_memory(world: World, bytes_: int) -> None:
    """1: nothing is taken; 0: no bound."""
    async with Redis.from_url(world.redis_url) as redis:
        await redis.config_set("maxmemory", bytes_)


async def ready(port: int) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/readyz") as response,
    ):
        return response.status, await response.text()


async def until_ready(port: int, status: int) -> str:
    async with asyncio.timeout(PATIENCE):
        while True:
            now, text = await ready(port)
            if now == status:
                return text
            await asyncio.sleep(0.1)


async def asked(world: World) -> int:
    candidates = [
        candidate
        for session in await sessions_in(world.redis)
        for attempt in json.loads(session["attempts"])
        for candidate in attempt["candidates"]
    ]
    return sum(candidate["paid_calls"] for candidate in candidates)


async def until_logged(workers: list[BotProcess], text: str, times: int) -> None:
    async with asyncio.timeout(45):
        while sum(worker.log.count(text) for worker in workers) < times:
            await asyncio.sleep(0.1)


async def test_what_is_under_way_while_redis_is_full_is_paid_for_once(tmp_path: Path) -> None:
    """Longer than a lease: the jobs are run again while the first runs still live. One has its
    image in hand by then, the other still waits for the provider."""
    async with isolated_world(tmp_path, JOB_LEASE=str(LEASE)) as world:
        port, settings = free_port(), {"IMAGE_BACKEND": "images"}
        await world.run("web")
        workers = [
            await world.run("worker", HEALTH_PORT=str(port), **settings),
            await world.run("worker", **settings),
        ]
        slack, openai = world.slack, world.openai
        alice, general = slack.user("alice"), slack.channel("general")
        openai.hold("request")
        for prompt in ("a fox", "an owl"):
            assert (await slack.slash(alice, general, "/imagine", prompt)).ok
        await openai.until_held(2)
        await set_memory(world, 1)

        assert "Redis is full" in await until_ready(port, 503)
        openai.release(1)
        await slack.wait_for(lambda: said(world, "Waiting: my memory is full"), what="why it waits")
        ack = await slack.slash(alice, general, "/imagine", "a crow")
        assert ack.seconds < SECONDS_TO_ACK
        assert "My memory is full" in str(ack.body)
        await asyncio.sleep(LEASE + 1)
        assert (openai.paid, len(openai.creates)) == (1, 2)

        await set_memory(world, 0)
        await until_logged(workers, WAITS_FOR_THE_OTHER, 1)
        openai.release()
        await slack.wait_for(lambda: len(shown(world)) == 2, what="two drafts")
        await until_ready(port, 200)
        assert (openai.paid, len(openai.creates), await asked(world)) == (2, 2, 2)
        assert len(slack.messages(general)) == 2
        assert slack.violations == []


def said(world: World, text: str) -> bool:
    return any(text in str(m.blocks) for m in world.slack.messages(world.slack.channel("general")))


def shown(world: World) -> list[Any]:
    general = world.slack.channel("general")
    roots = world.slack.messages(general)
    return [m for root in roots for m in world.slack.messages(general, root.ts) if m.shown_images()]
