"""Redis: whether it answers, what it is, and whether it allows and keeps what it is given. Findings
quote no exception's text: it can name a password."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import MasterNotFoundError
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    NoPermissionError,
    RedisError,
    ResponseError,
)

from bot.adapters.redis_connections import SentinelPool, redis_pool
from bot.ops.doctor.finding import Finding, Verdict
from bot.ops.doctor.redis_permissions import check_permissions

WHAT = "REDIS_URL"
MINIMUM_VERSION = (6, 2)
_PATIENCE = 3.0
_NEARLY_FULL = 0.8
"""Of `maxmemory`; the alert says so too."""
_CLUSTER = (
    "use one primary, with Sentinels or a managed service without cluster mode: docs/redis.md"
)
_SENTINEL = "name the service: redis+sentinel://host:26379/service"
_REPLICA = "give the primary's address, or the Sentinels': docs/redis.md"


async def check_redis(url: str) -> list[Finding]:
    """Findings on what it is, allows and keeps, and how full it is; or one that says why not."""
    try:
        redis = _client(url)
    except ValueError:  # its text can hold a part of the password
        return [Finding(WHAT, Verdict.WRONG, "not a Redis URL", "redis://host:6379/0")]
    except (TypeError, RedisError):
        text = "an option in the URL is not known, or not of its form"
        return [Finding(WHAT, Verdict.WRONG, text, "see docs/redis.md")]
    try:
        async with asyncio.timeout(_PATIENCE):
            return await _look(redis)
    except (RedisError, OSError) as error:
        return [_trouble(error, tls=url.startswith("rediss"))]
    finally:
        await redis.aclose()


async def _look(redis: Any) -> list[Finding]:
    if isinstance(redis.connection_pool, SentinelPool):
        await _reach_a_sentinel(redis.connection_pool)
    what = _what_it_is(_as_dict(await redis.execute_command("HELLO")))
    if what.verdict is not Verdict.OK:
        return [what]
    permissions = await check_permissions(redis)
    try:
        info = await redis.info()
    except NoPermissionError:
        text, advice = "could not look (INFO is not allowed)", "see docs/redis.md"
        kept = [
            Finding(f"Redis {which}", Verdict.WARNING, text, advice)
            for which in ("persistence", "eviction", "memory")
        ]
    else:
        kept = [_persistence(info), _eviction(info), _memory(info)]
    return [what, permissions, *kept]


async def _reach_a_sentinel(pool: SentinelPool) -> None:
    """Raises why the first cannot be asked, where none can."""
    pings = (sentinel.ping() for sentinel in pool.sentinel_manager.sentinels)
    answers = await asyncio.gather(*pings, return_exceptions=True)
    errors = [answer for answer in answers if isinstance(answer, Exception)]
    if len(errors) == len(answers):
        raise errors[0]


def _client(url: str) -> Any:
    """A client that asks once: to redis-py a wrong password is a connection error, and the
    program's own client would try it again until its patience ends."""
    pool = redis_pool(
        url,
        decode_responses=True,
        socket_timeout=_PATIENCE,
        socket_connect_timeout=_PATIENCE,
        retry=Retry(NoBackoff(), retries=0),
    )
    untyped: Any = pool
    untyped.make_connection()  # only then are its options looked at
    return Redis.from_pool(pool)


def _as_dict(hello: Any) -> dict[str, Any]:
    """Older protocols have names and values in one list."""
    return hello if isinstance(hello, dict) else dict(zip(hello[::2], hello[1::2], strict=True))


def _what_it_is(hello: dict[str, Any]) -> Finding:
    """From what every server tells every user about itself."""
    name = f"{str(hello['server']).capitalize()} {hello['version']}"
    number = tuple(int(part) for part in str(hello["version"]).split(".")[:2] if part.isdigit())
    if hello["mode"] == "cluster":
        return Finding(WHAT, Verdict.WRONG, f"{name} is a node of a cluster", _CLUSTER)
    if hello["mode"] == "sentinel":
        return Finding(WHAT, Verdict.WRONG, f"{name} is a Sentinel", _SENTINEL)
    if number < MINIMUM_VERSION:
        return Finding(WHAT, Verdict.WRONG, name, "use 6.2 or newer")
    if hello["role"] != "master":
        return Finding(WHAT, Verdict.TRANSIENT, f"{name} is a replica", _REPLICA)
    return Finding(WHAT, Verdict.OK, f"{name} answers")


def _persistence(info: dict[str, Any]) -> Finding:
    what = "Redis persistence"
    if int(info.get("aof_enabled", 0)):
        return Finding(what, Verdict.OK, "append-only file")
    advice = "set appendonly yes, or a restart of Redis loses the sessions"
    return Finding(what, Verdict.WARNING, "no append-only file", advice)


def _eviction(info: dict[str, Any]) -> Finding:
    what = "Redis eviction"
    policy = info.get("maxmemory_policy", "noeviction")
    if policy == "noeviction":
        return Finding(what, Verdict.OK, "noeviction")
    advice = "set maxmemory-policy noeviction, or Redis may throw jobs away"
    return Finding(what, Verdict.WARNING, str(policy), advice)


def _memory(info: dict[str, Any]) -> Finding:
    what = "Redis memory"
    if "maxmemory" not in info:
        return Finding(what, Verdict.OK, "its bound is not told")
    most, used = int(info["maxmemory"]), int(info.get("used_memory", 0))
    if not most:
        advice = (
            "set maxmemory below what its machine has, with maxmemory-policy noeviction: without "
            "a bound the machine ends Redis where its memory does"
        )
        return Finding(what, Verdict.WARNING, "no bound (maxmemory 0)", advice)
    text = f"{used / most:.0%} of {most / 2**20:,.0f} MB is used"
    if used > _NEARLY_FULL * most:
        advice = "raise maxmemory, or shorten IMAGE_TTL: a full Redis keeps nothing new"
        return Finding(what, Verdict.WARNING, text, advice)
    return Finding(what, Verdict.OK, text)


def _trouble(error: BaseException, *, tls: bool) -> Finding:
    """`tls`: whether the URL asks for it."""
    for each in _chain(error):
        if finding := _of_tls(each, tls=tls) or _of_redis(each):
            return finding
    text = f"Redis does not answer ({type(error).__name__})"
    advice = (
        "check that the server runs, speaks TLS at this port, and asks for no client certificate"
        if tls
        else "check REDIS_URL (rediss:// for TLS) and that the server runs"
    )
    return Finding(WHAT, Verdict.TRANSIENT, text, advice)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """redis-py packs everything that breaks a connection into errors of its own."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _of_tls(error: BaseException, *, tls: bool) -> Finding | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        text = f"Redis's certificate is not trusted ({error.verify_message})"
        return Finding(WHAT, Verdict.WRONG, text, "name its CA in the URL: ?ssl_ca_certs=/ca.pem")
    if isinstance(error, ssl.SSLError):
        reason = error.reason or type(error).__name__
        if "CERTIFICATE_REQUIRED" in reason:
            advice = "name one in the URL: ?ssl_certfile=/client.pem&ssl_keyfile=/client.key"
            return Finding(WHAT, Verdict.WRONG, "Redis asks for a client certificate", advice)
        advice = (
            "check that this is its TLS port, and the files in the URL; redis:// is without TLS"
        )
        return Finding(WHAT, Verdict.WRONG, f"TLS with Redis fails ({reason})", advice)
    if tls and isinstance(error, (FileNotFoundError, PermissionError, IsADirectoryError)):
        text = f"a file that the URL names cannot be read ({type(error).__name__})"
        return Finding(WHAT, Verdict.WRONG, text, "check ssl_ca_certs, ssl_certfile, ssl_keyfile")
    return None


def _of_redis(error: BaseException) -> Finding | None:
    if isinstance(error, ResponseError) and "unknown command" in str(error).lower():
        text = "Redis does not know HELLO: it is older than 6.0, or behind a proxy"
        return Finding(WHAT, Verdict.WRONG, text, "use 6.2 or newer, without a proxy before it")
    if isinstance(error, (AuthenticationError, NoPermissionError, ResponseError)):
        text = f"Redis refuses ({type(error).__name__})"
        return Finding(WHAT, Verdict.WRONG, text, "check user and password in REDIS_URL")
    if isinstance(error, MasterNotFoundError):
        text = "no Sentinel that answers names a primary for this service"
        advice = (
            "check hosts and service (redis+sentinel://host:26379/service), and that the Sentinels "
            "do not hold the primary for down"
        )
        return Finding(WHAT, Verdict.TRANSIENT, text, advice)
    return None
