"""A Redis user with no more rights than `docs/redis.md` names: the program does all with them, and
says which one it misses."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import bullmq
import pytest

from bot.adapters.redis import (
    RedisHeartbeats,
    RedisNotices,
    RedisRefusedSettings,
    RedisSignatures,
    WriteProbe,
    redis_client,
)
from bot.adapters.slack import slack_client, slack_session
from bot.domain.limits import Quota
from bot.domain.options import Options
from bot.domain.refusals import Reason, Refusal
from bot.domain.session import Session
from bot.ops.doctor import Finding, Verdict, check_redis
from bot.ops.doctor.redis_permissions import commands
from bot.ops.startup import StartupError, check_at_start
from bot.ports import BudgetNotice, ExtraWrite, Limit
from bot.sandbox import SimulatedSlack
from bot.settings import Backend, Settings
from tests.fake_openai import FakeOpenAI
from tests.integration.redis_in_use import in_use
from tests.support.processes import ROOT, World, free_port
from tests.support.redis_servers import REDIS, VALKEY, Server, installed, server
from tests.support.scene import Scene

PASSWORD = "s3cr3t"
LINE = re.search(r"^ACL SETUSER imagine [^`]*", (ROOT / "docs/redis.md").read_text(), re.M)
HARMLESS = {"client|setinfo", "client|maint_notifications", "client"}
"""What redis-py tries whenever it connects, and does without; 6.2 calls it all `client`."""


def rules() -> list[str]:
    assert LINE is not None
    words = LINE.group().replace("\\\n", " ").split()
    return [word.replace("PASSWORD", PASSWORD) for word in words[3:]]


def allowed() -> set[str]:
    return {rule[1:] for rule in rules() if rule.startswith("+")}


@pytest.fixture(scope="module", params=[VALKEY, REDIS], ids=["valkey", "redis-server"])
def servers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    binary = installed(request.param)
    options = ("--appendonly", "yes", "--maxmemory", "1gb")
    with server(tmp_path_factory.mktemp("acl"), *options, binary=binary) as started:
        yield started


@pytest.fixture
def limited(servers: Server) -> Server:
    """A server with the user, and nothing in it."""
    with servers.client() as admin:
        admin.flushall()
        admin.execute_command("ACL", "DELUSER", "imagine")
        admin.execute_command("ACL", "SETUSER", "imagine", *rules())
        admin.acl_log_reset()
    return servers


def url_of(limited: Server) -> str:
    return f"redis://imagine:{PASSWORD}@127.0.0.1:{limited.port}/0"


def refused(limited: Server) -> set[str]:
    """What the user was refused, by the server's own log."""
    with limited.client() as admin:
        log: Any = admin.acl_log(128)
    return {entry["object"] for entry in log} - HARMLESS


def take(limited: Server, *changes: str) -> None:
    with limited.client() as admin:
        admin.execute_command("ACL", "SETUSER", "imagine", *changes)


def of(findings: list[Finding], what: str) -> Finding:
    (found,) = [finding for finding in findings if finding.what == what]
    assert PASSWORD not in str(found)
    return found


async def test_the_check_is_content_and_does_nothing(limited: Server) -> None:
    findings = await check_redis(url_of(limited))
    assert [finding.verdict for finding in findings] == [Verdict.OK] * 5
    assert refused(limited) == set()
    with limited.client() as admin:
        assert admin.keys() == []


def extra(session: Session) -> list[ExtraWrite]:
    """Each command that may be committed with a session."""
    return [
        ExtraWrite("SET", "a", ("1",)),
        ExtraWrite("HSET", "b", ("c", "1")),
        ExtraWrite("EXPIRE", "b", ("60",)),
        ExtraWrite("HDEL", "b", ("c",)),
        ExtraWrite("HINCRBY", "b", ("n", "1"), Limit(9, Refusal(Reason.MOVED_ON))),
        ExtraWrite("INCRBY", "f", ("1",), Limit(9, Refusal(Reason.MOVED_ON))),
        ExtraWrite("ZADD", "g", ("1", "h")),
        ExtraWrite("XADD", "d", ("*", "e", "1")),
        ExtraWrite("DEL", "d"),
    ]


async def test_store_queue_and_listener_need_no_more(limited: Server) -> None:
    async with in_use(url_of(limited)) as using:
        await using.works("limited")
        await using.store.keep_defaults("T1", "U1", Options(count=2))
        assert (await using.store.defaults_of("T1", "U1")).candidates == 2
        assert await using.store.summaries_of("T1", "U1")
        assert await using.store.load_many(["T1.U1.limited"])
        assert await using.store.in_thread("T1", "C1", "1.0")
        for entry in await using.store.unfinished(0.0):
            await using.store.remove_unfinished(entry)
        assert sum((await using.server.census()).values()) == 1
        assert await using.queue.waiting() == []
        assert await using.queue.depths()
        session = await using.store.load("T1.U1.limited")
        await using.store.update(session.id, lambda s: replace(s, thread_ts="2.0"), extra)
        await using.store.discard(session, "another write")
        assert await using.queue.clean() == 0
        await using.server.ping()
        assert (await using.server.memory()).most == 2**30
    redis = redis_client(url_of(limited), patience=5.0)
    probe = WriteProbe(redis, 5.0)
    await probe.try_once()
    assert probe.trouble is None
    signatures = RedisSignatures(redis, 5.0)
    assert await signatures.add("v0=1", 60.0)
    await signatures.remove("v0=1")
    heartbeats = RedisHeartbeats(redis, 5.0, 15.0)
    await heartbeats.begin("a")
    await heartbeats.beat()
    await heartbeats.end("a")
    assert not await heartbeats.is_alive("a")
    notices = RedisNotices(redis, 5.0)
    notice = BudgetNotice("T1", "2026-11", Quota.WORKSPACE, "", session.id, 1)
    assert await notices.claim(notice)
    await notices.told(notice)
    await notices.drop(notice)
    assert await notices.untold() == []
    settings = RedisRefusedSettings(redis, 5.0)
    assert await settings.add("s", ["SIZE"], 60.0) == {"SIZE"}
    assert await settings.load("s") == {"SIZE"}
    await redis.aclose()
    assert refused(limited) == set()


@pytest.mark.parametrize("servers", [VALKEY], ids=["valkey"], indirect=True)
async def test_the_whole_program_needs_no_more(
    limited: Server, slack: SimulatedSlack, openai: FakeOpenAI, tmp_path: Path
) -> None:
    async with World(slack, openai, limited.url, tmp_path, "http") as world:
        health = str(free_port())
        await asyncio.gather(
            world.run("web", REDIS_URL=url_of(limited)),
            world.run("worker", REDIS_URL=url_of(limited), HEALTH_PORT=health),
        )
        scene = Scene(world)
        openai.hold("generating")
        await scene.imagine("a whale")
        root = await scene.root()
        await openai.until_held()
        await scene.click(root, "Cancel")
        await scene.shows(root, "Cancelled")
        openai.release()
        await scene.click(root, "Try again")
        first = await scene.draft()
        await scene.click(first, "Regenerate")
        await scene.approved(await scene.draft(after=first))
        await slack.open_home(scene.alice)
        await slack.wait_for(lambda: slack.home(scene.alice), what="a Home tab")
        await scene.imagine("list")
        await scene.imagine("help")
        world.port = int(health)
        assert (await world.health())[0] == 200
        await scene.until_quiet()
        logs = "".join(process.log for process in world.processes)
    assert refused(limited) == set()
    assert "NoPermission" not in logs
    assert PASSWORD not in logs


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (("-bzpopmin", "-publish"), "+bzpopmin, +publish"),
        (("resetkeys", "~imagine:*"), "~{imagine}:*"),
        (("resetkeys",), "~imagine:*"),
        (("resetchannels",), "&imagine:*"),
    ],
    ids=lambda changes: " ".join(changes) if isinstance(changes, tuple) else None,
)
async def test_a_missing_right_is_named(
    limited: Server, changes: tuple[str, ...], says: str
) -> None:
    take(limited, *changes)
    finding = of(await check_redis(url_of(limited)), "Redis permissions")
    assert finding.verdict is Verdict.WRONG
    assert says in finding.text
    assert "docs/redis.md" in finding.advice


async def test_each_single_command_is_missed(limited: Server) -> None:
    for name, _ in commands():
        take(limited, f"-{name}")
        finding = of(await check_redis(url_of(limited)), "Redis permissions")
        assert finding.text == f"not allowed: +{name}"
        take(limited, f"+{name}")


@pytest.mark.parametrize(
    ("without", "what"),
    [("-info", ["Redis persistence", "Redis eviction"]), ("-multi", ["Redis permissions"])],
)
async def test_what_only_the_check_needs_is_missed_by_nothing_else(
    limited: Server, without: str, what: list[str]
) -> None:
    take(limited, without)
    findings = await check_redis(url_of(limited))
    for each in what:
        finding = of(findings, each)
        assert finding.verdict is Verdict.WARNING
        assert "could not look" in finding.text
    assert all(finding.healthy for finding in findings)
    async with in_use(url_of(limited)) as using:
        await using.works("limited")


async def test_a_missing_right_ends_the_program_at_its_start(
    limited: Server, slack: SimulatedSlack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    take(limited, "-evalsha")
    settings = Settings(
        slack_bot_token=slack.bot_token,  # type: ignore[arg-type]
        redis_url=url_of(limited),  # type: ignore[arg-type]
        image_backend=Backend.PLACEHOLDER,
    )
    async with slack_session() as http:
        client = slack_client(slack.bot_token, slack.api_url, http)
        with pytest.raises(StartupError, match=r"not allowed: \+evalsha") as error:
            await check_at_start(settings, client, asyncio.Event(), web=False)
    assert PASSWORD not in str(error.value)


def test_the_line_allows_what_the_check_looks_for() -> None:
    only_told = {"info", "multi", "select"}
    assert allowed() == {name for name, _ in commands()} | only_told


def test_the_line_allows_what_bullmqs_scripts_do() -> None:
    """Those that our queue and worker call. Others of BullMQ's make flows and schedules."""
    called = "addStandardJob getCounts getRanges getState getStateV2 moveToActive moveToDelayed"
    called += " moveToFinished removeJob retryJob extendLock extendLocks moveStalledJobsToWait"
    called += " cleanJobsInSet"
    only_for_lists = {"lset"}  # finished jobs, which are all that we clean, are in sorted sets
    folder = Path(bullmq.__file__).parent / "commands"
    used: set[str] = set()
    for name in called.split():
        scripts = list(folder.glob(f"{name}-*.lua"))
        assert scripts, name
        for script in scripts:
            used |= set(re.findall(r"call\(\s*[\"']([A-Z]+)", script.read_text()))
    assert {command.lower() for command in used} - only_for_lists <= allowed()
