"""Sentinels: a primary that dies, or gives its place up, while the program works."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.redis import RedisSessionStore, redis_client
from bot.adapters.redis_connections import SentinelURL
from bot.domain.attempt import ImageRef
from bot.ops.doctor import Finding, Verdict, check_redis
from bot.ports import JobState
from bot.sandbox import SimulatedSlack
from tests.fake_openai import FakeOpenAI
from tests.fakes import eventually
from tests.integration.queue_worker import reached, until
from tests.integration.redis_in_use import TIMEOUT, in_use
from tests.support.processes import World, free_port
from tests.support.redis_servers import Watched, sentinel, server, watched

SENTINEL_RIGHTS = "+ping +sentinel|masters"


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Watched]:
    with watched(tmp_path / "servers") as servers:
        yield servers


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Servers for tests that only look at them."""
    with watched(tmp_path_factory.mktemp("untouched")) as servers:
        yield servers


async def checked(url: str) -> Finding:
    """What the check says first, as soon as it is more than that nobody answers in time."""
    async with asyncio.timeout(TIMEOUT):
        while (found := (await check_redis(url))[0]).verdict is Verdict.TRANSIENT:
            await asyncio.sleep(0.1)
    return found


def replicated(servers: Watched) -> None:
    """Wait until the replica has all that was written; what it has not is lost with a primary."""
    with servers.primary.client() as client:
        client.set("imagine:mark", "last")
        assert client.wait(1, 20_000) == 1


async def test_store_queue_and_listener_survive_the_death_of_the_primary(servers: Watched) -> None:
    async with in_use(servers.url) as using:
        await using.works("before")
        using.may_end.clear()
        job = await using.queued("T1.U1.meanwhile")
        await until(lambda: "T1.U1.meanwhile" in using.started)
        await asyncio.to_thread(replicated, servers)
        servers.primary.kill()
        using.may_end.set()
        await using.works("after")
        await reached(using.queue, job, JobState.DONE, TIMEOUT)
        assert "T1.U1.meanwhile" in using.ended
        assert (await using.store.load("T1.U1.before")).id == "T1.U1.before"
    with servers.replica.client() as promoted:
        assert promoted.role()[0] == "master"


async def test_a_primary_that_becomes_a_replica_is_left(servers: Watched) -> None:
    async with in_use(servers.url) as using:
        await using.works("before")
        with servers.sentinels[0].client() as client:
            client.execute_command("SENTINEL FAILOVER imagine COORDINATED")
        with servers.primary.client() as former:
            await eventually(lambda: former.role()[0] == "slave", timeout=TIMEOUT)
        await using.works("after")
        with servers.replica.client() as promoted:
            assert promoted.exists("imagine:{T1}:session:U1.after")


async def test_a_server_that_has_become_a_replica_is_met_anew_behind_its_name(
    tmp_path: Path,
) -> None:
    """As with a managed service, whose name leads to another server then."""
    with server(tmp_path / "one") as one, one.client() as admin:
        client = redis_client(one.url, patience=TIMEOUT)
        store = RedisSessionStore(client, session_ttl=60, image_ttl=60, patience=TIMEOUT)
        await store.keep_image("T1.U1.one", ImageRef(1), "before")
        before = connections(admin)
        admin.replicaof("127.0.0.1", str(free_port()))
        writing = asyncio.create_task(store.keep_image("T1.U1.one", ImageRef(1), "after"))
        await eventually(lambda: connections(admin) > before, timeout=TIMEOUT)
        admin.replicaof("NO", "ONE")
        await asyncio.wait_for(writing, TIMEOUT)
        assert await store.load_image("T1.U1.one", ImageRef(1)) == "after"
        await client.aclose()


def connections(admin: Any) -> int:
    """How many have ever been made."""
    made: int = admin.info("stats")["total_connections_received"]
    return made


async def test_sentinels_that_are_gone_or_silent_are_passed_over(untouched: Watched) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ports = free_port(), silent.getsockname()[1], untouched.sentinels[0].port
        hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
        url = f"redis+sentinel://{hosts}/imagine"
        client = redis_client(url, patience=TIMEOUT)
        assert await client.set("imagine:x", "1")
        assert await client.get("imagine:x") == "1"
        pool: Any = client.connection_pool
        assert (
            pool.sentinel_manager.sentinels[0].connection_pool.connection_kwargs["port"]
            == ports[-1]
        )
        assert len(pool.sentinel_manager.sentinels) == 3
        await client.aclose()
        assert (await checked(url)).verdict is Verdict.OK


async def test_many_callers_lose_no_sentinel(untouched: Watched) -> None:
    client = redis_client(untouched.url, patience=TIMEOUT)
    pool: Any = client.connection_pool
    pool.sentinel_manager.sentinels.insert(0, pool.sentinel_manager.sentinels.pop())
    before = set(pool.sentinel_manager.sentinels)
    await asyncio.gather(*(client.get(f"imagine:{n}") for n in range(100)))
    assert set(pool.sentinel_manager.sentinels) == before
    await client.aclose()


async def test_the_whole_program_goes_on_after_a_failover(
    servers: Watched, slack: SimulatedSlack, openai: FakeOpenAI, tmp_path: Path
) -> None:
    async with World(slack, openai, servers.url, tmp_path, "socket") as world:
        await world.run("dev")
        alice, general = slack.user("alice"), slack.channel("general")
        openai.hold("generating")
        assert (await slack.slash(alice, general, "/imagine", "a robot on Mars")).ok
        root = await slack.wait_for_message(general, text="a robot on Mars")
        await openai.until_held()
        await asyncio.to_thread(replicated, servers)
        servers.primary.kill()
        openai.release()
        draft = await slack.wait_for_message(
            general, thread_ts=root.ts, button="Approve", timeout=TIMEOUT
        )
        assert (await slack.click(alice, draft, "Approve")).ok
        await slack.wait_for_message(
            general, thread_ts=root.ts, button="Start over", timeout=TIMEOUT
        )
        assert openai.paid == 1
        assert [process.returncode for process in world.processes] == [None]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("/imagine", "/nobody"), "names a primary for this service"),
        (("/imagine/0", ""), "not a Redis URL"),
        (("/imagine/0", "/imagine/zero"), "not a Redis URL"),
        (("+sentinel", ""), "not a Redis URL"),
    ],
)
async def test_a_url_that_leads_nowhere_is_told_in_plain_words(
    tmp_path: Path, change: tuple[str, str], says: str
) -> None:
    (tmp_path / "sentinel.conf").touch()
    with server(tmp_path, "sentinel.conf", "--sentinel") as alone:
        url = f"redis+sentinel://:s3cr3t@127.0.0.1:{alone.port},127.0.0.1:1/imagine/0"
        (finding,) = await check_redis(url.replace(*change))
    assert says in finding.text
    assert finding.advice
    assert "s3cr3t" not in str(finding)


async def test_the_check_says_what_it_found(untouched: Watched) -> None:
    behind = await checked(untouched.url)
    assert behind.verdict is Verdict.OK
    assert "answers" in behind.text
    (watching,) = await check_redis(untouched.sentinels[0].url)
    assert watching.verdict is Verdict.WRONG
    assert "is a Sentinel" in watching.text
    assert "redis+sentinel://" in watching.advice
    (replica,) = await check_redis(untouched.replica.url)
    assert replica.verdict is Verdict.TRANSIENT
    assert "is a replica" in replica.text


async def test_sentinels_that_want_a_password_get_their_own(tmp_path: Path) -> None:
    with server(tmp_path / "one") as primary, sentinel(tmp_path / "its", primary) as watching:
        with watching.client() as client:
            client.execute_command(f"ACL SETUSER watcher on >s3cr3t {SENTINEL_RIGHTS}")
            client.execute_command("ACL SETUSER default off")
        url = f"redis+sentinel://127.0.0.1:{watching.port}/imagine"
        (refused,) = await check_redis(url)
        assert "user and password" in refused.advice
        url += "?sentinel_username=watcher&sentinel_password=s3cr3t"
        assert (await checked(url)).verdict is Verdict.OK


def test_a_url_is_read_with_all_its_parts() -> None:
    url = (
        "rediss+sentinel://me:p%40ss@one,[::1]:7000/my%20service/3"
        "?ssl_ca_certs=/ca.pem&socket_timeout=2&sentinel_password=own&sentinel_socket_timeout=1.5"
    )
    read = SentinelURL.parse(url)
    assert read.hosts == (("one", 26379), ("::1", 7000))
    assert read.service == "my service"
    assert read.options == {
        "username": "me",
        "password": "p@ss",
        "db": 3,
        "ssl_ca_certs": "/ca.pem",
        "socket_timeout": 2.0,
    }
    assert read.sentinel_options == {
        "ssl": True,
        "ssl_ca_certs": "/ca.pem",
        "password": "own",
        "socket_timeout": 1.5,
    }
    assert read.tls
