"""Everything between which things can go wrong, assembled."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

from redis.asyncio import Redis

from bot.sandbox import Channel, User
from tests.fake_openai import FakeOpenAI
from tests.programs.chaos.archive import Archive
from tests.programs.chaos.faulty_slack import FaultySlack
from tests.programs.chaos.fleet import Slot
from tests.programs.chaos.journal import Journal
from tests.programs.chaos.message_index import MessageIndex
from tests.programs.chaos.plan import PROCESSES, Plan
from tests.programs.chaos.record_book import AUDIT_KEY
from tests.programs.chaos.valkey import Valkey
from tests.support.links import Link
from tests.support.load_balancer import LoadBalancer
from tests.support.processes import DRAIN, free_port

_IMAGE_BYTES = 60_000
_NARROW = {"USER_IMAGES_AT_ONCE": "1", "PROVIDER_CONCURRENCY": "4"}
"""So that images wait for another of their owner, and workers for a slot of the provider's."""


class World:
    """`closing`: when people stop beginning things, in seconds since the epoch. `settings` are more
    of the environment of all processes."""

    def __init__(self, plan: Plan, folder: Path, **settings: str) -> None:
        self.plan = plan
        self.settings = settings
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.journal = Journal(folder / "journal.jsonl")
        self.slack = FaultySlack(plan.seed)
        self.openai = FakeOpenAI(latency=0.8)
        self.openai.image_size_bytes = _IMAGE_BYTES
        self.valkey = Valkey(folder / "redis")
        self.archive = Archive(self.valkey.url)
        self.message_index = MessageIndex(self.slack.workspace.log)
        self.links: dict[str, Link] = {}
        self.slots: dict[str, Slot] = {}
        self._environments: dict[str, dict[str, str]] = {}
        self.closing = 0.0
        self.users: list[User] = []
        self.channels: list[Channel] = []
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.__aenter__()
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()
        self.journal.close()

    async def _open(self) -> None:
        await self._stack.enter_async_context(self.valkey)
        await self._stack.enter_async_context(self.slack)
        await self._stack.enter_async_context(self.openai)
        workspace = self.slack.workspace
        self.users = [workspace.add_user(f"p{n:03d}") for n in range(self.plan.users)]
        self.channels = [workspace.add_channel(f"c{n:02d}") for n in range(self.plan.channels)]
        links = await self._link("slack-links", (self.slack.host, self.slack.port))
        workspace.base_url = f"http://127.0.0.1:{links.port}"
        for name in PROCESSES:
            await self._furnish(name)
        if self.plan.mode == "http":
            balancer = await self._stack.enter_async_context(LoadBalancer())
            self.slack.use_http(balancer.url)
        self._stack.push_async_callback(self._end)
        self._stack.push_async_callback(self._end_archive, asyncio.create_task(self.archive.run()))
        lag = asyncio.create_task(self._watch_lag())
        self._stack.callback(lag.cancel)
        await self._start()
        if self.plan.mode == "http":
            for name in PROCESSES[:2]:
                await balancer.add(int(self._environments[name]["PORT"]))

    async def _furnish(self, name: str) -> None:
        redis = await self._link(f"{name}-redis", self.valkey.socket)
        slack = await self._link(f"{name}-slack", (self.slack.host, self.slack.port))
        openai = await self._link(f"{name}-openai", ("127.0.0.1", self.openai.port))
        environment = {
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_SIGNING_SECRET": self.slack.signing_secret,
            "SLACK_API_URL": f"http://127.0.0.1:{slack.port}/api/",
            "OPENAI_API_KEY": self.openai.api_key,
            "OPENAI_PROJECT_ID": name,  # tells who asked
            "OPENAI_BASE_URL": f"http://127.0.0.1:{openai.port}/v1",
            "REDIS_URL": f"redis://127.0.0.1:{redis.port}",
            "PORT": str(free_port()),
            "LOG_LEVEL": "DEBUG",
            "AUDIT_KEY": AUDIT_KEY,
            "JOB_LEASE": str(self.plan.lease),
            "DRAIN_SECONDS": str(DRAIN),
            **_NARROW,
            **self.settings,
        }
        if self.plan.mode == "socket":
            environment["SLACK_APP_TOKEN"] = self.slack.app_token
        self._environments[name] = environment
        self.slots[name] = Slot(name, environment, self.folder, self.journal)

    async def _link(self, name: str, to: tuple[str, int] | Path) -> Link:
        self.links[name] = await self._stack.enter_async_context(Link(name, to))
        return self.links[name]

    async def _start(self) -> None:
        for slot in self.slots.values():
            slot.start()
        await self.all_ready(120.0)

    async def all_ready(self, within: float) -> None:
        async with asyncio.timeout(within):
            for slot in self.slots.values():
                while not slot.ready.is_set():
                    slot.check()
                    await asyncio.sleep(0.05)

    async def _end(self) -> None:
        await asyncio.gather(*(slot.kill() for slot in self.slots.values()))

    async def _end_archive(self, task: asyncio.Task[None]) -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _watch_lag(self) -> None:
        """When this process itself stood still: what seems late then, may have been in time."""
        while True:
            before = time.time()
            await asyncio.sleep(0.1)
            late = time.time() - before - 0.1
            if late > 0.4:
                self.journal.add("lag", "driver", at=before, seconds=late + 0.1)

    def redis(self) -> Redis:
        """A client past all links."""
        return Redis.from_url(self.valkey.url, decode_responses=True, socket_timeout=10.0)

    def open(self) -> bool:
        """Whether people still begin things."""
        return time.time() < self.closing
