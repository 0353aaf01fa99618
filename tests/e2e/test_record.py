"""The record of a run of the whole program: its workers seal it, one after the other."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
from typing import NamedTuple

from redis.asyncio import Redis

from bot.adapters.redis.record_schema import SEALER
from tests.support.forked import start
from tests.support.processes import ROOT, World
from tests.support.scene import Scene

KEY = "a key of at least thirty-two characters"


class Ran(NamedTuple):
    code: int
    output: str


async def audit(world: World, *words: str) -> Ran:
    process = await start(
        *("bot", "audit", *words),
        folder=world.folder,
        environment={"PYTHONPATH": str(ROOT), "REDIS_URL": world.redis_url, "AUDIT_KEY": KEY},
        stdout=True,
    )
    output = process.stderr or process.stdout
    assert output is not None
    return Ran(await process.wait(), (await output.read()).decode())


async def test_a_session_is_recorded_sealed_by_the_next_worker_and_verified(
    socket_world: World,
) -> None:
    world = socket_world
    await world.run("web")
    first = await world.run("worker", AUDIT_KEY=KEY)
    scene = Scene(world)
    await scene.imagine("a fox")
    draft = await scene.draft()
    final = await scene.approved(draft)
    await scene.until_quiet()
    await first.kill()
    async with Redis.from_url(world.redis_url) as redis:
        await redis.delete(SEALER)  # as its lease ends
    second = await world.run("worker", AUDIT_KEY=KEY)
    await second.wait_for_line("the head of the record of")
    verified, exported = await asyncio.gather(audit(world, "verify"), audit(world, "export"))
    assert verified.code == 0, verified
    assert verified.output.endswith("the record stands: 5 entries sealed, 0 not yet\n")
    asked, generated, shown, approved, published = csv.DictReader(io.StringIO(exported.output))
    user = (await scene.sessions())[0]["user"]
    assert (asked["prompt"], asked["person"], approved["person"]) == ("a fox", user, user)
    assert (shown["message"], published["message"]) == (draft.ts, final.ts)
    (picture,) = final.shown_images()
    assert picture is not None
    assert generated["sha256"] == published["sha256"] == hashlib.sha256(picture).hexdigest()
