"""`python -m tests.programs.chaos.full_store --workers 2`: what is paid while Redis is full.

Images are asked for until Redis is at its `maxmemory`; it stays there for a while, and is then
given room. Each image asked for is to be paid for once, and shown once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis

from bot.sandbox import SimulatedSlack
from tests.fake_openai import FakeOpenAI
from tests.support.processes import World
from tests.support.redis_servers import Server, server
from tests.support.store import stored_sessions

MAXMEMORY = "24mb"
IMAGE_BYTES = 600_000
SETTLE_WITHIN = 240.0


async def run(given: argparse.Namespace, folder: Path) -> bool:
    """Print what was asked and paid; answer whether both are the same."""
    options = ("--maxmemory", MAXMEMORY, "--maxmemory-policy", "noeviction", "--save", "")
    with server(folder / "redis", *options) as store:
        async with (
            SimulatedSlack() as slack,
            FakeOpenAI(latency=given.latency) as openai,
            World(slack, openai, store.url, folder, "socket") as world,
        ):
            openai.image_size_bytes = IMAGE_BYTES
            settings = {"IMAGE_BACKEND": given.backend, "LOG_LEVEL": "INFO"}
            settings |= {"OPENAI_BACKGROUND": "true", "WORKER_CONCURRENCY": str(given.concurrency)}
            settings |= {"PYTHONPATH": str(given.code)} if given.code else {}
            for command in ["web", *["worker"] * given.workers]:
                await world.run(command, **settings)
            return await _watch(given, world, store)


async def _watch(given: argparse.Namespace, world: World, store: Server) -> bool:
    began = time.monotonic()
    client = store.client()
    await _ask(given, world)
    if given.at == "full":
        await _until_full(client)
    else:
        await world.openai.until(lambda: world.openai.creates, timeout=60)
        await asyncio.sleep(2)
    _tell(world, began, "the trouble begins")
    with _trouble(given.trouble, client, store):
        await asyncio.sleep(given.seconds)
        _tell(world, began, f"after {given.seconds:g} s of it")
    client.config_set("maxmemory", 0)
    freed = world.openai.paid
    sessions = await _until_idle(world)
    attempts = [json.loads(session["attempts"]) for session in sessions]
    candidates = [c for (attempt,) in attempts for c in attempt["candidates"]]
    shown = sum(bool(c["file_id"]) for (a,) in attempts if a["message_ts"] for c in a["candidates"])
    stages = Counter(session["stage"] for session in sessions)
    _tell(world, began, f"in the end; {world.openai.paid - freed} since there was room")
    sys.stdout.write(
        f"asked {len(candidates)}, paid {world.openai.paid}, shown {shown}, {stages}\n"
    )
    for process in world.processes if given.logs else ():
        (world.folder / f"{process.command}-{process.pid}.log").write_text(process.log)
    return len(candidates) == world.openai.paid == shown


async def _ask(given: argparse.Namespace, world: World) -> None:
    """As many as are taken: once the store is full, people are told so."""
    alice, general = world.slack.user("alice"), world.slack.channel("general")
    for number in range(given.images // given.n):
        text = f"fox {number} --n {given.n}" if given.n > 1 else f"fox {number}"
        ack = await world.slack.slash(alice, general, "/imagine", text)
        if ack.body:
            sys.stdout.write(f"told: {ack.body}\n")
            return


async def _until_full(client: redis.Redis) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                client.set("probe", "x" * 100, ex=1)
            except redis.exceptions.OutOfMemoryError:
                return
            await asyncio.sleep(0.2)


@contextmanager
def _trouble(kind: str, client: redis.Redis, store: Server) -> Iterator[None]:
    """`full` stays as it is, so that now and then something small is taken; `tight` takes nothing;
    `paused` answers nothing; `readonly` is a replica of nobody."""
    if kind == "paused":
        os.kill(store.process.pid, signal.SIGSTOP)
        yield
        os.kill(store.process.pid, signal.SIGCONT)
    elif kind == "readonly":
        client.replicaof("127.0.0.1", 9)
        yield
        client.replicaof("NO", "ONE")
    else:
        if kind == "tight":
            client.config_set("maxmemory", 2**20)
        yield


async def _until_idle(world: World) -> list[dict[str, str]]:
    deadline = time.monotonic() + SETTLE_WITHIN
    while True:
        sessions: list[dict[str, Any]] = await stored_sessions(world.redis_url)
        busy = [s for s in sessions if s["stage"] == "generating"]
        if not busy or time.monotonic() > deadline:
            return sessions
        await asyncio.sleep(1)


def _tell(world: World, began: float, when: str) -> None:
    seconds = round(time.monotonic() - began)
    sys.stdout.write(f"{seconds:4} s  paid {world.openai.paid:4}  {when}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.chaos.full_store", description=__doc__
    )
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--images", type=int, default=56)
    parser.add_argument("--n", type=int, default=1, help="images of each request")
    parser.add_argument("--concurrency", type=int, default=10)
    parser.add_argument("--latency", type=float, default=1.0, help="seconds for an image")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--backend", choices=("images", "responses"), default="images")
    parser.add_argument(
        "--trouble", choices=("full", "tight", "paused", "readonly"), default="full"
    )
    parser.add_argument("--at", choices=("full", "asked"), default="full", help="when it begins")
    parser.add_argument("--code", type=Path, help="the program of another checkout")
    parser.add_argument("--logs", type=Path, help="a folder for the processes' logs")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return int(not asyncio.run(run(given, given.logs or Path(folder))))


if __name__ == "__main__":
    sys.exit(main())
