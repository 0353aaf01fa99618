"""Redis: whether it answers, how old it is, and whether it keeps what it is given."""

from __future__ import annotations

import asyncio
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError

from bot.doctor.finding import Finding, Verdict

MINIMUM_VERSION = (6, 2)
_PATIENCE = 3.0


async def check_redis(url: str) -> list[Finding]:
    """Three findings: version, persistence, eviction; or one that says why there are none."""
    what = "REDIS_URL"
    try:
        redis = _client(url)
    except ValueError:  # its text can hold a part of the password
        return [Finding(what, Verdict.WRONG, "not a Redis URL", "redis://host:6379/0")]
    try:
        async with asyncio.timeout(_PATIENCE):
            info = await redis.info()
    except (AuthenticationError, NoPermissionError, ResponseError) as error:
        text = f"Redis refuses ({type(error).__name__})"
        return [Finding(what, Verdict.WRONG, text, "check user and password in REDIS_URL")]
    except (RedisError, OSError) as error:
        text = f"Redis does not answer ({type(error).__name__})"
        return [Finding(what, Verdict.PASSING, text, "check REDIS_URL and that the server runs")]
    finally:
        await redis.aclose()
    return [_version(info), _persistence(info), _eviction(info)]


def _client(url: str) -> Any:
    """One that asks once: to redis-py a wrong password is a connection error, and the program's
    own client would try it again until its patience ends."""
    return Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=_PATIENCE,
        socket_connect_timeout=_PATIENCE,
        retry=Retry(NoBackoff(), retries=0),
    )


def _version(info: dict[str, Any]) -> Finding:
    valkey = info.get("valkey_version")
    name, version = ("Valkey", valkey) if valkey else ("Redis", info.get("redis_version", "0"))
    compatible = str(info.get("redis_version", "0")).split(".")
    number = tuple(int(part) for part in compatible[:2] if part.isdigit())
    if number < MINIMUM_VERSION:
        return Finding("REDIS_URL", Verdict.WRONG, f"{name} {version}", "use 6.2 or newer")
    return Finding("REDIS_URL", Verdict.OK, f"{name} {version} answers")


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
