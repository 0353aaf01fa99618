"""Every key that a run writes is listed in `docs/redis.md`, with how long it stays."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from redis.asyncio import Redis

from bot.adapters.queue import BullJobQueue
from bot.adapters.redis import record_schema, schema
from bot.domain.attempt import ImageRef
from tests.support.processes import ROOT
from tests.support.scene import Scene, isolated_world

PARTS = {
    "queue": "imagine-(?:generate|publish)",
    "team": "[^}]+",
    "user": "[^.:]+",
    "kind": "[a-z_]+",
    "attempt": r"\d+(?:\.\d+)?",
    "run": r"[^:]+",
}
"""What stands for a part of a key; for any other, text without a colon."""
DAY = 86_400


class Listed(NamedTuple):
    pattern: re.Pattern[str]
    type: str
    expires: str


def listed() -> list[Listed]:
    section = (ROOT / "docs/redis.md").read_text("utf-8").split("\n## Keys\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\S+)` \| (\w+) \| (yes|no|cleaned) \| .+ \|$", section, re.M)
    return [Listed(re.compile(pattern_of(key)), kind, expires) for key, kind, expires in rows]


def pattern_of(key: str) -> str:
    literal = re.split(r"<(\w+)>", key)
    return "".join(
        PARTS.get(part, "[^:]+") if number % 2 else re.escape(part)
        for number, part in enumerate(literal)
    )


class Key(NamedTuple):
    name: str
    type: str
    expires: bool

    @property
    def row(self) -> Listed:
        rows = [row for row in listed() if row.pattern.fullmatch(self.name)]
        assert len(rows) == 1, f"{self.name} ({self.type}): {len(rows)} rows"
        return rows[0]


async def keys(redis: Redis) -> set[Key]:
    """All keys that are there all through the look."""
    found = set()
    async for each in redis.scan_iter(count=1000):
        name = str(each)
        kind, ttl = str(await redis.type(name)), await redis.pttl(name)
        if kind != "none" and ttl != -2:
            found.add(Key(name, kind, ttl >= 0))
    return found


@asynccontextmanager
async def watched(redis: Redis) -> AsyncIterator[set[Key]]:
    """Look again and again for keys that are there for a moment only."""
    seen: set[Key] = set()
    over = asyncio.Event()

    async def watch() -> None:
        while not over.is_set():
            seen.update(await keys(redis))
            await asyncio.sleep(0.02)

    watching = asyncio.create_task(watch())
    try:
        yield seen
    finally:
        over.set()
        await watching


def test_the_list_is_read() -> None:
    assert len(listed()) > 20
    assert Key("{imagine}:imagine-generate:generate-T1.U1.a-b-1.2-0", "hash", False).row
    with pytest.raises(AssertionError, match="0 rows"):
        assert Key("imagine:unheard-of", "string", True).row


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (schema.WORKSPACES, "zset"),
        (schema.APP_BLOCKED, "string"),
        (schema.TEST_WRITE, "string"),
        (schema.signature_key("0a1b"), "string"),
        (schema.run_key("T1.U1.a-b-1.2-0"), "string"),
        (schema.refused_key("0a1b"), "zset"),
        (schema.user_key("T1", "U1"), "zset"),
        (schema.unfinished_key("T1"), "zset"),
        (schema.defaults_key("T1", "U1"), "string"),
        (schema.thread_key("T1", "C1", "1.2"), "zset"),
        (schema.picture_key("T1", "F1"), "string"),
        (schema.readers_key("T1", "F1"), "set"),
        (schema.session_key("T1.U1.a-b"), "hash"),
        (schema.image_key("T1.U1.a-b", ImageRef(1, 2)), "string"),
        (schema.images_key("T1", "U1"), "zset"),
        (schema.question_key("T1.U1.a-b"), "string"),
        (record_schema.record_key("T1"), "stream"),
        (record_schema.seals_key("T1"), "stream"),
        (record_schema.floor_key("T1"), "string"),
        (record_schema.person_key("T1", "U1"), "string"),
        (record_schema.words_key("T1.U1.a-b"), "hash"),
        (record_schema.SEALER, "string"),
    ],
)
def test_every_key_that_the_store_names_is_listed_and_expires(key: str, kind: str) -> None:
    row = Key(key, kind, expires=True).row
    assert (row.type, row.expires) == (kind, "yes")


async def test_every_key_of_a_run_is_listed_and_nothing_old_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with isolated_world(tmp_path, "http") as world:
        redis = Redis.from_url(world.redis_url, decode_responses=True)
        async with watched(redis) as seen:
            await asyncio.gather(
                world.run("web"), world.run("worker", HEALTH_PORT="0", JOB_LEASE="5")
            )
            scene = Scene(world)
            world.openai.hold("generating")
            await scene.imagine("a whale --n 2")
            await world.openai.until_held()
            await asyncio.sleep(2.0)  # the worker looks for stalled jobs meanwhile
            world.openai.release()
            first = await scene.draft()
            await scene.click(first, "Regenerate")
            await scene.approved(await scene.draft(after=first))
            await scene.until_quiet()
            for process in world.processes:
                await process.stop()
        for key in seen:
            assert key.type == key.row.type, key
        lists = {key.name.rpartition(":")[2] for key in seen}
        assert {"active", "stalled", "lock", "completed", "events"} <= lists
        for key in await keys(redis):
            assert key.expires or key.row.expires != "yes", key
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() + 2 * DAY)
        queue = BullJobQueue(world.redis_url)
        assert await queue.clean() > 0
        assert [key.name for key in await keys(redis) if not key.expires] == []
        await queue.close()
        await redis.aclose()
