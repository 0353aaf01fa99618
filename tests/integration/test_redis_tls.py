"""`rediss://`: what the program does over TLS, and what it says where TLS fails."""

from __future__ import annotations

import asyncio
import signal
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, Mock
from urllib.parse import urlencode

import pytest
import redis
import trustme
from pydantic import SecretStr

from bot.adapters.redis import redis_client
from bot.adapters.redis_connections import redis_pool
from bot.adapters.slack import slack_client, slack_session
from bot.ops.doctor import Finding, Verdict, check_redis
from bot.ops.startup import StartupError, check_at_start
from bot.sandbox import SimulatedSlack
from bot.settings import Backend, Settings
from tests.integration.redis_in_use import in_use
from tests.support.redis_servers import REDIS, TIMEOUT, Server, installed, sentinel, server

AT_ONCE = 5.0
PASSWORD = "s3cr3t"
ANYBODY = ("--tls-auth-clients", "no")


@dataclass
class Certificates:
    """Files, and the authorities that made them. `client.pem` holds certificate and key."""

    folder: Path
    ours: trustme.CA

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def query(self, **options: str) -> str:
        return "?" + urlencode({"ssl_ca_certs": self.path("ca.pem"), **options})

    @property
    def client(self) -> dict[str, str]:
        return {name: self.path("client.pem") for name in ("ssl_certfile", "ssl_keyfile")}

    @property
    def server(self) -> list[str]:
        """Options of a server that speaks TLS itself; unless told otherwise, it asks for a client
        certificate."""
        return [
            *("--port", "0", "--tls-port", "{port}"),
            *("--tls-cert-file", self.path("server.pem")),
            *("--tls-key-file", self.path("server.key")),
            *("--tls-ca-cert-file", self.path("ca.pem")),
        ]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    made = Certificates(tmp_path_factory.mktemp("certificates"), trustme.CA())
    made.ours.cert_pem.write_to_path(made.path("ca.pem"))
    trustme.CA().cert_pem.write_to_path(made.path("other-ca.pem"))
    made.ours.issue_cert("bot@example.org").private_key_and_cert_chain_pem.write_to_path(
        made.path("client.pem")
    )
    of_server = made.ours.issue_cert("127.0.0.1")
    of_server.cert_chain_pems[0].write_to_path(made.path("server.pem"))
    of_server.private_key_pem.write_to_path(made.path("server.key"))
    return made


@asynccontextmanager
async def tls_before(
    port: int, certificates: Certificates, *, name: str = "127.0.0.1", ask: bool = False
) -> AsyncIterator[int]:
    """What ends TLS before a server without it. `ask`: for a client certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificates.ours.issue_cert(name).configure_cert(context)
    certificates.ours.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED if ask else ssl.CERT_NONE
    running: set[asyncio.Task[None]] = set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
        except OSError:
            pass
        finally:
            writer.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        for ends in ((reader, back), (there, writer)):
            task = asyncio.create_task(carry(*ends))
            running.add(task)
            task.add_done_callback(running.discard)

    listener = await asyncio.start_server(connect, "127.0.0.1", 0, ssl=context)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Of a server without TLS."""
    with server(tmp_path_factory.mktemp("plain"), "--requirepass", PASSWORD) as plain:
        yield plain.port


@pytest.fixture(params=["in front of it", "its own"])
async def tls_url(
    request: pytest.FixtureRequest, port: int, certificates: Certificates, tmp_path: Path
) -> AsyncIterator[str]:
    """A Redis with TLS that asks for a client certificate, and the URL that has all it asks for."""
    query = certificates.query(**certificates.client)
    if request.param == "in front of it":
        async with tls_before(port, certificates, ask=True) as tls_port:
            yield f"rediss://:{PASSWORD}@127.0.0.1:{tls_port}/0{query}"
        return
    options = [*certificates.server, "--requirepass", PASSWORD]
    with server(tmp_path, *options, binary=installed(REDIS), tls=True) as own:
        url = f"rediss://:{PASSWORD}@127.0.0.1:{own.port}/0{query}"
        async with asyncio.timeout(20):
            while (await check_redis(url))[0].verdict is Verdict.TRANSIENT:
                await asyncio.sleep(0.05)
        yield url


async def test_everything_goes_over_tls_with_a_client_certificate(tls_url: str) -> None:
    findings = await check_redis(tls_url)
    assert {finding.verdict for finding in findings} <= {Verdict.OK, Verdict.WARNING}
    async with in_use(tls_url) as using:
        await using.works("tls")


async def test_connections_of_a_pool_share_one_tls_context(
    port: int, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = Mock(side_effect=ssl.create_default_context)
    async with tls_before(port, certificates) as tls_port:
        query = certificates.query()
        pool: Any = redis_pool(f"rediss://:{PASSWORD}@127.0.0.1:{tls_port}/0{query}")
        monkeypatch.setattr(ssl, "create_default_context", create)
        for connection in [await pool.get_connection() for _ in range(3)]:
            await pool.release(connection)
        await pool.aclose()
    create.assert_called_once()


async def test_a_missing_client_certificate_is_named(
    tls_url: str, certificates: Certificates
) -> None:
    """At once where the server says that it misses it, and does not just hang up."""
    finding = await found(tls_url.split("?")[0] + certificates.query())
    assert not finding.healthy
    assert "client certificate" in finding.text + finding.advice


async def found(url: str) -> Finding:
    (finding,) = await check_redis(url)
    assert PASSWORD not in str(finding)
    assert "/" not in finding.text
    return finding


@pytest.mark.parametrize(
    ("options", "says", "advice"),
    [
        ({"ssl_ca_certs": "other-ca.pem"}, "not trusted", "ssl_ca_certs"),
        ({}, "not trusted", "ssl_ca_certs"),
        ({"ssl_ca_certs": "nowhere.pem"}, "cannot be read", "ssl_ca_certs"),
        ({"ssl_ca_certs": "server.key"}, "TLS with Redis fails", "files"),
        ({"ssl_ca_certs": "ca.pem", "ssl_keyfile": "nowhere.pem"}, "cannot be read", "ssl_keyfile"),
        ({"ssl_cert_reqs": "perhaps"}, "an option in the URL", "docs/redis.md"),
        ({"ssl_colour": "blue"}, "an option in the URL", "docs/redis.md"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
async def test_what_is_wrong_with_the_certificates_is_said_in_plain_words(
    port: int, certificates: Certificates, options: dict[str, str], says: str, advice: str
) -> None:
    named = {
        k: certificates.path(v) if v.endswith((".pem", ".key")) else v for k, v in options.items()
    }
    if "ssl_keyfile" in named:
        named["ssl_certfile"] = certificates.path("client.pem")
    async with tls_before(port, certificates) as tls_port:
        url = f"rediss://:{PASSWORD}@127.0.0.1:{tls_port}/0?{urlencode(named)}"
        finding = await found(url)
    assert finding.verdict is Verdict.WRONG
    assert says in finding.text
    assert advice in finding.advice


async def test_a_certificate_for_another_name_is_not_trusted(
    port: int, certificates: Certificates
) -> None:
    async with tls_before(port, certificates, name="redis.example.org") as tls_port:
        address = f"rediss://:{PASSWORD}@127.0.0.1:{tls_port}/0{certificates.query()}"
        finding = await found(address)
        assert finding.verdict is Verdict.WRONG
        assert "not valid for '127.0.0.1'" in finding.text
        unchecked = await check_redis(f"{address}&ssl_check_hostname=false")
        assert unchecked[0].verdict is Verdict.OK


async def test_tls_where_there_is_none_and_none_where_it_is_asked_for(
    port: int, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.ops.doctor.redis._PATIENCE", 0.5)
    without = await found(f"rediss://:{PASSWORD}@127.0.0.1:{port}/0{certificates.query()}")
    assert not without.healthy
    assert "speaks TLS" in without.advice
    async with tls_before(port, certificates) as tls_port:
        plain = await found(f"redis://:{PASSWORD}@127.0.0.1:{tls_port}/0")
    assert "rediss://" in plain.advice


async def test_a_wrong_authority_ends_the_program_at_once(
    port: int,
    certificates: Certificates,
    slack: SimulatedSlack,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    query = certificates.query(ssl_ca_certs=certificates.path("other-ca.pem"))
    async with tls_before(port, certificates) as tls_port, slack_session() as http:
        settings = Settings(
            slack_bot_token=SecretStr(slack.bot_token),
            redis_url=SecretStr(f"rediss://:{PASSWORD}@127.0.0.1:{tls_port}/0{query}"),
            image_backend=Backend.PLACEHOLDER,
        )
        client = slack_client(slack.bot_token, slack.api_url, http)
        started = time.monotonic()
        with pytest.raises(StartupError) as error:
            await check_at_start(settings, client, asyncio.Event(), web=False)
    assert time.monotonic() - started < AT_ONCE
    assert "certificate is not trusted" in str(error.value)
    assert PASSWORD not in str(error.value)


async def test_sentinels_are_asked_over_tls_as_well(
    certificates: Certificates, tmp_path: Path
) -> None:
    """The Sentinel speaks TLS with the primary too, or would soon hold it for down."""
    tls = installed(REDIS)
    options = [*certificates.server, *ANYBODY, "--tls-replication", "yes"]
    with (
        server(tmp_path / "primary", *options, binary=tls, tls=True) as primary,
        sentinel(tmp_path / "its", primary, *options, binary=tls, tls=True) as watching,
    ):
        url = f"rediss+sentinel://127.0.0.1:{watching.port}/imagine"
        await asyncio.to_thread(until_it_knows_its_primary, watching, certificates)
        async with in_use(url + certificates.query()) as using:
            await using.works("tls")
        other = certificates.query(ssl_ca_certs=certificates.path("other-ca.pem"))
        finding = await found(url + other)
    assert finding.verdict is Verdict.WRONG
    assert "not trusted" in finding.text


async def test_idle_connections_to_a_former_primary_that_hangs_hold_up_nobody(
    port: int, certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing one over TLS is a conversation."""
    options = [*certificates.server, *ANYBODY, "--requirepass", PASSWORD]
    url = f"rediss+sentinel://:{PASSWORD}@127.0.0.1:1/imagine{certificates.query()}"
    client = redis_client(url, patience=TIMEOUT)
    pool: Any = client.connection_pool
    with server(tmp_path, *options, binary=installed(REDIS), tls=True) as former:
        discover = AsyncMock(return_value=("127.0.0.1", former.port))
        monkeypatch.setattr(pool.sentinel_manager, "discover_master", discover)
        idle, used = await pool.get_connection(), await pool.get_connection()
        closing = idle._writer
        await pool.release(idle)
        await used.disconnect()
        former.process.send_signal(signal.SIGSTOP)
        async with tls_before(port, certificates) as promoted, asyncio.timeout(AT_ONCE / 2):
            discover.return_value = ("127.0.0.1", promoted)
            await used.connect()
        assert not idle.is_connected
        closing.transport.abort()
        await pool.release(used)
        await client.aclose()


@pytest.mark.parametrize("scheme", ["rediss", "rediss+sentinel"])
async def test_a_server_that_hangs_is_no_error_when_its_connections_are_closed(
    certificates: Certificates, tmp_path: Path, scheme: str
) -> None:
    options = [*certificates.server, *ANYBODY]
    with server(tmp_path, *options, binary=installed(REDIS), tls=True) as own:
        url = f"{scheme}://127.0.0.1:{own.port}/0{certificates.query()}"
        pool: Any = redis_pool(url)
        asked = pool.sentinel_manager.sentinels[0].connection_pool if "+" in scheme else pool
        async with asyncio.timeout(TIMEOUT):
            connection = await connected(asked)
        closing, connection.socket_connect_timeout = connection._writer, 0.1
        await asked.release(connection)
        own.process.send_signal(signal.SIGSTOP)
        await pool.aclose()
        closing.transport.abort()


async def connected(pool: Any) -> Any:
    """A connection, as soon as the server answers."""
    while True:
        with suppress(redis.ConnectionError, redis.TimeoutError):
            return await pool.get_connection()
        await asyncio.sleep(0.05)


def until_it_knows_its_primary(watching: Server, certificates: Certificates) -> None:
    """The primary's `runid` is what it says itself, to a Sentinel that speaks with it."""
    deadline = time.monotonic() + TIMEOUT
    ca = certificates.path("ca.pem")
    with redis.Redis(port=watching.port, host="127.0.0.1", ssl=True, ssl_ca_certs=ca) as client:
        while time.monotonic() < deadline:
            with suppress(redis.ConnectionError):
                if client.sentinel_masters()["imagine"]["runid"]:
                    return
            time.sleep(0.05)
    raise TimeoutError
