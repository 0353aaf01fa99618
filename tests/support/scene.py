"""One person's work in a channel of its own, in a world that other scenes share.

Starting the program takes longer than most of what it does, so scenes that do not disturb each
other play one after the other in front of the same processes.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.adapters.embedded_redis import EmbeddedRedis
from bot.adapters.queue.job_data import GENERATE_QUEUE, PREFIX, PUBLISH_QUEUE
from bot.sandbox import PATIENCE, Ack, Message, SimulatedSlack, User, View
from tests.fake_openai import FakeOpenAI
from tests.fake_openai.script import Script
from tests.support.processes import World
from tests.support.store import sessions_in

SECONDS_TO_ACK = 3.0

Runs = list[tuple[str, dict[str, str]]]
"""Commands, and the settings of each."""

over_both = pytest.mark.parametrize("running", ["socket", "http"], indirect=True, scope="module")
"""For a test whose way in makes a difference."""

_numbers = itertools.count(1)


@asynccontextmanager
async def isolated_world(
    folder: Path, mode: str = "socket", **settings: str
) -> AsyncIterator[World]:
    """A world with servers of its own, which lives as long as its caller wants. `settings` are for
    all processes."""
    with EmbeddedRedis(folder / "redis") as redis:
        async with (
            SimulatedSlack() as slack,
            FakeOpenAI() as openai,
            World(slack, openai, redis.url, folder, mode) as world,
        ):
            world.redis_pid = redis.pid
            world.settings = settings
            yield world


class Scene:
    """Alice in a channel of her own. Bob is there too."""

    def __init__(self, world: World, channel: str = "") -> None:
        self.world = world
        self.slack = world.slack
        self.openai = world.openai
        self.alice: User = world.slack.user("alice")
        self.bob: User = world.slack.user("bob")
        name = channel or f"scene{next(_numbers):04d}"
        self.channel = (
            world.slack.channel(channel) if channel else world.slack.workspace.add_channel(name)
        )
        self._logs = {id(process): len(process.log) for process in world.processes}

    # what people do

    async def imagine(self, text: str = "a fox on the moon", user: User | None = None) -> Ack:
        """Type the command; it has to be acked in time."""
        ack = await self.slack.slash(user or self.alice, self.channel, "/imagine", text)
        assert ack.ok, ack
        assert ack.seconds < SECONDS_TO_ACK
        return ack

    async def click(
        self, message: Message, label: str, user: User | None = None, *, stale: bool = False
    ) -> Ack:
        """Press a button; the click has to be acked in time."""
        ack = await self.slack.click(user or self.alice, message, label, stale=stale)
        assert ack.ok, ack
        assert ack.seconds < SECONDS_TO_ACK
        return ack

    # what they see

    async def root(self, after: Message | None = None) -> Message:
        """The newest root message, once it is there."""
        return await self.slack.wait_for_message(self.channel, text="imagines", after=after)

    async def root_of(self, prompt: str) -> Message:
        """The root message of the session with this prompt."""
        return await self.slack.wait_for_message(
            self.channel, text=prompt, where=lambda message: not message.is_reply
        )

    async def draft(self, after: Message | None = None, timeout: float = PATIENCE) -> Message:
        """The draft to decide about in the newest thread, once it is there and recorded."""
        thread = (after and after.thread_ts) or (await self.root()).ts
        draft = await self.slack.wait_for_message(
            self.channel, thread_ts=thread, button="Approve", after=after, timeout=timeout
        )
        await self._recorded(draft, timeout)
        return draft

    async def failure(self, after: Message | None = None, timeout: float = PATIENCE) -> Message:
        """The failure in the newest thread, once it is there and recorded."""
        thread = (await self.root()).ts
        failure = await self.slack.wait_for_message(
            self.channel,
            text="⚠️",
            thread_ts=thread,
            button="Edit prompt",
            after=after,
            timeout=timeout,
        )
        await self._recorded(failure, timeout)
        return failure

    async def final(self, draft: Message, timeout: float = PATIENCE) -> Message:
        """The approved image of a draft's session, once it is there."""
        return await self.slack.wait_for_message(
            self.channel, thread_ts=draft.thread_ts, button="Start over", timeout=timeout
        )

    async def approved(self, draft: Message, timeout: float = PATIENCE) -> Message:
        """Approve a draft; answer the final message, with all that belongs to it in place."""
        await self.click(draft, "Approve")
        final = await self.final(draft, timeout)
        await self.slack.wait_for(lambda: not draft.buttons(), timeout, "the draft retired")
        root = self.slack.message(self.channel, str(draft.thread_ts))
        await self.shows(root, "Approved by", timeout)
        return final

    async def shows(self, message: Message, words: str, timeout: float = PATIENCE) -> None:
        """Wait until a message says so."""
        await self.slack.wait_for(
            lambda: words in message.shown_text, timeout, f"{words!r} in {message.shown_text!r}"
        )

    async def waits_for_next(self, draft: Message) -> None:
        """Wait until a draft shows that another attempt is under way."""
        await self.slack.wait_for(lambda: draft.buttons() == ["🛑 Cancel"], what="Cancel below it")

    async def retired(self, draft: Message) -> None:
        """Wait until a newer attempt has taken a draft's place: it can still be used."""
        await self.slack.wait_for(
            lambda: draft.buttons() == ["Approve this one", "🪄 Refine"],
            what="the old draft retired",
        )

    async def form(self) -> View:
        """The form that Alice has open, once it is there."""
        return await self.slack.wait_for(lambda: self.slack.open_view(self.alice), what="a form")

    async def told(self, words: str, user: User | None = None) -> Message:
        """What only this user sees in the channel, once it holds these words."""
        who = user or self.alice

        def newest() -> Message | None:
            mine = self.slack.ephemerals(who, self.channel)
            return next((m for m in reversed(mine) if words in m.shown_text), None)

        return await self.slack.wait_for(newest, what=f"{words!r}, told to {who.name}")

    def replies(self, root: Message) -> list[Message]:
        return self.slack.messages(self.channel, root.ts)

    def everything(self) -> list[Message]:
        """Every message in the channel and its threads, for all to see or for one person."""
        return [m for m in self.slack.workspace.log if m.channel == self.channel.id]

    # what is stored

    async def sessions(self) -> list[dict[str, str]]:
        """The fields of every session of this channel, oldest first."""
        stored = await sessions_in(self.world.redis)
        return [session for session in stored if session["channel"] == self.channel.id]

    async def stored(self) -> dict[str, str]:
        """The fields of the newest session."""
        return (await self.sessions())[-1]

    async def token(self) -> str:
        """What names the newest session in logs and traces."""
        return (await self.stored())["id"].rpartition(".")[2]

    async def attempts(self) -> list[dict[str, Any]]:
        attempts: list[dict[str, Any]] = json.loads((await self.stored())["attempts"])
        return attempts

    async def until_publication(self, publication: str, timeout: float = PATIENCE) -> None:
        """Wait until the newest session's image stands there."""
        async with asyncio.timeout(timeout):
            while (await self.stored())["publication"] != publication:
                await asyncio.sleep(0.02)

    async def until_stage(self, stage: str, timeout: float = PATIENCE) -> dict[str, str]:
        """The fields of the newest session, once it has reached that stage."""
        async with asyncio.timeout(timeout):
            while True:
                sessions = await self.sessions()
                if sessions and sessions[-1]["stage"] == stage:
                    return sessions[-1]
                await asyncio.sleep(0.02)

    async def _recorded(self, message: Message, timeout: float) -> None:
        """Wait until the message of an attempt's end is in the store: a click is that late."""
        async with asyncio.timeout(timeout):
            while not any(message.ts in session["attempts"] for session in await self.sessions()):
                await asyncio.sleep(0.02)

    async def until_idle(self, timeout: float = PATIENCE) -> None:
        """Wait until nothing is being generated any more."""
        async with asyncio.timeout(timeout):
            while True:
                if all(session["stage"] != "generating" for session in await self.sessions()):
                    return
                await asyncio.sleep(0.02)

    async def until_queued(self, number: int, timeout: float = PATIENCE) -> None:
        """Wait until so many images wait in the queue."""
        async with asyncio.timeout(timeout):
            while await _waiting(self.world.redis) != number:
                await asyncio.sleep(0.02)

    async def until_quiet(self, timeout: float = PATIENCE) -> None:
        """Wait until nothing is under way any more that would get into another scene."""
        await self.until_idle(timeout)
        async with asyncio.timeout(timeout):
            while await _jobs(self.world.redis):
                await asyncio.sleep(0.02)
        await self.slack.wait_for(
            lambda: all(call.seconds is not None for call in self.slack.calls),
            timeout,
            "an answer to every call",
        )

    async def image_keys(self) -> list[str]:
        tokens = [session["id"].split(".")[-1] for session in await self.sessions()]
        keys = [key async for key in self.world.redis.scan_iter("imagine:*:generated_image:*")]
        return sorted(key for key in keys if any(token in key for token in tokens))

    async def forget_images(self) -> None:
        """As if the images' time to live were over."""
        await self.world.redis.delete(*(await self.image_keys()))

    async def forget_sessions(self) -> None:
        """As if their time to live were over."""
        redis = self.world.redis
        for session in await self.sessions():
            token = session["id"].split(".")[-1]
            keys = [key async for key in redis.scan_iter(f"imagine:*:session:*.{token}*")]
            await redis.delete(*keys)

    # what the processes wrote

    @property
    def log(self) -> str:
        """What the program has logged since the scene began."""
        return "".join(p.log[self._logs.get(id(p), 0) :] for p in self.world.processes)

    # afterwards

    def assert_posted_once(self, *, paid: int = 1, finals: int = 1) -> None:
        """One root, one draft for each image paid, one final at most."""
        roots = self.slack.messages(self.channel)
        assert len(roots) == 1, self.slack.describe()
        shown = [m for m in self.replies(roots[0]) if m.image_ids() or m.files]
        assert len([m for m in shown if not m.reply_broadcast]) == paid, self.slack.describe()
        assert len([m for m in shown if m.reply_broadcast]) == finals, self.slack.describe()
        assert self.openai.paid == paid


async def _waiting(redis: Redis) -> int:
    """Images that wait for a worker, or for another of their owner."""
    queue = f"{PREFIX}:{GENERATE_QUEUE}"
    waiting = await redis.llen(f"{queue}:wait") + await redis.zcard(f"{queue}:prioritized")
    parked = [key async for key in redis.scan_iter(f"{PREFIX}:fair:parked:*")]
    return int(waiting + sum([await redis.llen(key) for key in parked]))


async def _jobs(redis: Redis) -> int:
    """How many have not come to an end."""
    counted = int(await redis.hlen(f"{PREFIX}:fair:jobs"))
    for queue in (GENERATE_QUEUE, PUBLISH_QUEUE):
        for state in ("wait", "active"):
            counted += await redis.llen(f"{PREFIX}:{queue}:{state}")
        for state in ("prioritized", "delayed"):
            counted += await redis.zcard(f"{PREFIX}:{queue}:{state}")
    return counted


def new_scene(world: World) -> Scene:
    """A scene in a world where nothing is left of the one before."""
    slack, openai = world.slack, world.openai
    slack.faults.clear()
    slack.violations.clear()
    slack.calls.clear()
    slack.deliver_twice = False
    slack.workspace.files.ready_after = 0.0
    for user in list(slack.workspace.views.stacks):
        slack.workspace.views.clear(user)
    openai.release()
    openai.plan = Script()
    openai.latency = 0.05
    openai.requests.clear()
    openai.made.clear()
    openai.book.clear()
    return Scene(world)
