"""Connections to Redis as `REDIS_URL` asks for them, to one server or to the primary that Sentinels
name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from redis import exceptions
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.connection import (
    URL_QUERY_ARGUMENT_PARSERS,
    Connection,
    SSLConnection,
    parse_url,
)
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.connection import HiredisRespSerializer

from bot.concurrency import cancel_and_wait, consume_exception

_SENTINEL_SCHEMES = {"redis+sentinel": "redis", "rediss+sentinel": "rediss"}
_SENTINEL_PORT = 26379
_FOR_SENTINELS = "sentinel_"
"""Before an option that is meant for the Sentinels: `sentinel_username`, `sentinel_password`."""
_SENTINEL_TIMEOUT = 0.5
"""Seconds for each Sentinel, twice that for a TLS handshake: another is asked sooner than a person
notices."""
_QUIET = {"driver_info": None}
"""Without it each new connection looks up the client's version on disk, to tell the server: when
many connect at once, everybody waits for that."""

_SERIALIZER: Any = HiredisRespSerializer()
_LARGE = 64 * 1024
"""Characters or bytes of an argument that is sent without being copied."""


class WaitingPool(BlockingConnectionPool):
    """Callers wait for a free connection. A caller that gives up in the moment that one is free
    wakes the next: up to Python 3.12 `asyncio.Condition` does not, and others would wait beside
    idle connections."""

    _ssl_context: Any = None

    def make_connection(self) -> Any:
        """All share one TLS context: to read the system's authorities takes 30 ms, in which the
        whole program waits. All pack their commands by hiredis: redis-py's own way takes three
        times as long for a script with many keys."""
        make_connection: Any = super().make_connection
        connection = make_connection()
        connection.pack_command = partial(_pack_command, connection.pack_command)
        if isinstance(connection, SSLConnection):
            self._ssl_context = connection.ssl_context = self._ssl_context or connection.ssl_context
        return connection

    async def get_connection(self, *args: Any, **options: Any) -> Any:
        """An idle one is taken at once where nobody waits for it, and given back so: on redis-py's
        way through locks, deadlines and its own metrics a call costs twice as much."""
        pool: Any = self
        if self._available_connections and not self._somebody_waits:
            connection = pool.get_available_connection()
            try:
                await pool.ensure_connection(connection)
            except BaseException:
                await self.release(connection)
                raise
            return connection
        get_connection: Any = super().get_connection
        try:
            return await get_connection(*args, **options)
        except BaseException:
            async with self._condition:
                self._condition.notify()
            raise

    async def release(self, connection: Any) -> None:
        if self._somebody_waits or connection.should_reconnect():
            await super().release(connection)
            return
        self._in_use_connections.remove(connection)
        self._available_connections.append(connection)

    @property
    def _somebody_waits(self) -> bool:
        """Also for a connection that was given back a moment ago."""
        condition: Any = self._condition
        return bool(condition._waiters)

    async def aclose(self) -> None:
        """A server that does not answer to the closing, as TLS asks it to, is left without."""
        with suppress(exceptions.TimeoutError):
            await super().aclose()


def _pack_command(pack_large: Callable[..., list[bytes]], *args: Any) -> list[bytes]:
    """A command as it is sent. An image is not copied, as hiredis would."""
    if any(isinstance(arg, bytes | str) and len(arg) > _LARGE for arg in args):
        return pack_large(*args)
    packed: list[bytes] = _SERIALIZER.pack(*args)
    return packed


def redis_pool(url: str, **options: Any) -> WaitingPool:
    """Connections as the URL asks for: `redis`, `rediss`, `unix`, or either of the Sentinels'
    schemes. Its own query options win over `options`.

    Raises `ValueError` for a URL that is none; the text can hold a part of the password.
    """
    options = {**_QUIET, **options}
    scheme, _, _ = url.partition("://")
    if scheme in _SENTINEL_SCHEMES:
        return SentinelPool(url, **options)
    pool: WaitingPool = WaitingPool.from_url(url, **options)
    return pool


@dataclass(frozen=True)
class SentinelURL:
    """`redis+sentinel://[user:password@]host[:port][,host[:port]…]/service[/db][?options]`.

    User and password are the primary's. `rediss+sentinel` speaks TLS to it and to the Sentinels.
    """

    hosts: tuple[tuple[str, int], ...]
    service: str
    options: dict[str, Any]
    """Of connections to the primary, as redis-py takes them."""
    sentinel_options: dict[str, Any]
    tls: bool

    @classmethod
    def parse(cls, url: str) -> SentinelURL:
        """Raises `ValueError`, whose text can hold a part of the password."""
        parts = urlsplit(url)
        credentials, at, hosts = parts.netloc.rpartition("@")
        service, _, db = parts.path.strip("/").partition("/")
        if not (hosts and service):
            raise ValueError("hosts and service are needed")
        query = parse_qsl(parts.query, keep_blank_values=True)
        own = {
            (name := k.removeprefix(_FOR_SENTINELS)): URL_QUERY_ARGUMENT_PARSERS.get(name, str)(v)
            for k, v in query
            if k.startswith(_FOR_SENTINELS)
        }
        for_all = urlencode([(k, v) for k, v in query if not k.startswith(_FOR_SENTINELS)])
        scheme = _SENTINEL_SCHEMES[parts.scheme]
        options: dict[str, Any] = {
            **parse_url(f"{scheme}://{credentials}{at}primary/{int(db or 0)}?{for_all}")
        }
        tls = options.pop("connection_class", None) is not None
        del options["host"]
        ssl = {k: v for k, v in options.items() if k.startswith("ssl_")}
        return cls(
            tuple(_address(host) for host in hosts.split(",")),
            unquote(service),
            options,
            {"ssl": tls, **ssl, **own},
            tls,
        )


def _address(host: str) -> tuple[str, int]:
    parts = urlsplit(f"//{host}")
    if not parts.hostname:
        raise ValueError("a host is missing")
    return parts.hostname, parts.port or _SENTINEL_PORT


class SentinelPool(SentinelConnectionPool, WaitingPool):
    """redis-py's discovery of the primary, with a pool that waits: redis-py's own raises
    `MaxConnectionsError`."""

    def __init__(self, url: str, **options: Any) -> None:
        """Raises `ValueError` for a URL that is none; its own options win over `options`."""
        target = SentinelURL.parse(url)
        sentinel_options = {
            "decode_responses": True,
            "socket_timeout": _SENTINEL_TIMEOUT,
            "socket_connect_timeout": _SENTINEL_TIMEOUT * (1 + target.tls),
            "retry": Retry(NoBackoff(), retries=0),
            **target.sentinel_options,
        }
        self._discovery: asyncio.Task[Any] | None = None
        make_pool: Any = super().__init__
        sentinel: Any = Sentinel
        make_pool(
            target.service,
            sentinel(target.hosts, sentinel_kwargs=sentinel_options),
            connection_class=_TLSToPrimary if target.tls else _ToPrimary,
            **{**options, **target.options},
        )

    async def get_master_address(self) -> Any:
        """Raises `MasterNotFoundError`. All who ask at one time share one discovery: the list of
        Sentinels loses some when several reorder it at once, and a slow Sentinel would answer them
        one after the other. It goes on when they give up, so that the Sentinels that are silent
        come later in the list next time."""
        if self._discovery is None or self._discovery.done():
            self._discovery = asyncio.create_task(self._discover())
            self._discovery.add_done_callback(consume_exception)
        discovery = self._discovery
        await asyncio.wait({discovery})
        if discovery.cancelled():
            raise exceptions.ConnectionError("The pool is closed")
        return discovery.result()

    async def _discover(self) -> Any:
        """Idle connections to a former primary are closed. Nobody waits for that: over TLS one that
        hangs would take as long as a connection may."""
        manager: Any = self.sentinel_manager
        address = await manager.discover_master(self.service_name)
        if address != self.master_address:
            self.master_address = address
            for connection in list(self._available_connections):
                await connection.disconnect(nowait=True)
        return address

    async def aclose(self) -> None:
        if self._discovery is not None:
            await cancel_and_wait(self._discovery)
        await super().aclose()
        with suppress(exceptions.TimeoutError):
            await self.sentinel_manager.aclose()


class _ToPrimary(Connection):
    """Asks for the primary's address whenever it connects. redis-py's own connections for Sentinels
    go back to the address that they had when a command is tried again, and so wait for a dead
    primary until their caller gives up."""

    def __init__(self, *, connection_pool: SentinelPool, **options: Any) -> None:
        super().__init__(**options)
        self._pool = connection_pool

    async def _connect(self) -> None:
        self.host, self.port = await self._pool.get_master_address()
        connect: Any = super()._connect
        await connect()


class _TLSToPrimary(_ToPrimary, SSLConnection):
    pass
