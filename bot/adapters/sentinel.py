"""Connections to the primary that Sentinels name: found again with each new connection."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from redis.asyncio import Redis
from redis.asyncio.connection import Connection, SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, RedisError

from bot.adapters.pool import TurnsPool

SCHEMES = {"redis+sentinel": "redis", "rediss+sentinel": "rediss"}
_PORT = 26379
_OWN = "sentinel_"
"""Before an option that is meant for the Sentinels: `sentinel_username`, `sentinel_password`."""
_PATIENCE = 0.5
"""Seconds for each Sentinel: another is asked sooner than a person notices."""


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
        own = {k.removeprefix(_OWN): v for k, v in query if k.startswith(_OWN)}
        for_all = urlencode([(k, v) for k, v in query if not k.startswith(_OWN)])
        plain = f"{SCHEMES[parts.scheme]}://{credentials}{at}primary/{int(db or 0)}?{for_all}"
        options: dict[str, Any] = {**parse_url(plain)}
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
    return parts.hostname, parts.port or _PORT


class NoPrimary(ConnectionError):
    """No Sentinel that answers names a primary for the service."""


class SentinelPool(TurnsPool):
    """A `TurnsPool` whose connections lead to the primary of the moment: each asks for it whenever
    it connects.

    redis-py's own connections for Sentinels go back to the address that they had when a command is
    tried again, and so wait for a dead primary until their caller gives up; and its list of
    Sentinels loses some when several callers reorder it at once.
    """

    def __init__(self, url: str, **options: Any) -> None:
        """Raises `ValueError` for a URL that is none; its own options win over `options`."""
        target = SentinelURL.parse(url)
        self.sentinels = deque(_client(address, target) for address in target.hosts)
        self._service = target.service
        self._asking = asyncio.Lock()
        self._primary: tuple[str, int] | None = None
        super().__init__(
            connection_class=_TLSToPrimary if target.tls else _ToPrimary,
            find=self._find,
            **{**options, **target.options},
        )

    async def _find(self) -> tuple[str, int]:
        """Raises `NoPrimary`. The Sentinel that answered is asked first the next time."""
        async with self._asking:
            for _ in range(len(self.sentinels)):
                sentinel = self.sentinels[0]
                self.sentinels.rotate(-1)
                if primary := await _primary_of(sentinel, self._service):
                    self.sentinels.rotate(1)
                    break
            else:
                raise NoPrimary
        if self._primary not in {None, primary}:
            await self.disconnect(inuse_connections=False)
        self._primary = primary
        return primary

    async def aclose(self) -> None:
        await super().aclose()
        for sentinel in self.sentinels:
            await sentinel.aclose()


class _Finding:
    """A connection that asks where to connect to."""

    def __init__(self, *, find: Callable[[], Awaitable[tuple[str, int]]], **options: Any) -> None:
        super().__init__(**options)
        self._find = find

    async def _connect(self) -> None:
        self.host, self.port = await self._find()
        to: Any = super()
        await to._connect()


class _ToPrimary(_Finding, Connection):
    pass


class _TLSToPrimary(_Finding, SSLConnection):
    pass


def _client(address: tuple[str, int], target: SentinelURL) -> Any:
    host, port = address
    untyped: Any = Redis
    return untyped(
        host=host,
        port=port,
        decode_responses=True,
        socket_timeout=_PATIENCE,
        socket_connect_timeout=_PATIENCE,
        retry=Retry(NoBackoff(), retries=0),
        **target.sentinel_options,
    )


async def _primary_of(sentinel: Any, service: str) -> tuple[str, int] | None:
    try:
        found = await sentinel.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", service)
    except (RedisError, OSError):
        return None
    return (found[0], int(found[1])) if found else None
