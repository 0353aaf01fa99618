"""Whether a Redis user is allowed what the program needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from redis.exceptions import NoPermissionError, ResponseError

from bot.ops.doctor.finding import Finding, Verdict

WHAT = "Redis permissions"
ADVICE = "docs/redis.md has the line for ACL SETUSER"

_STORE = "imagine:{check}"
_QUEUE = "{imagine}:check"
_ON_KEYS = {
    0: "DEL EXISTS GET GETEX HGETALL HLEN INCR LLEN LPOP PERSIST PTTL RPOP SCARD SMEMBERS STRLEN "
    "TYPE UNLINK ZCARD ZPOPMIN",
    1: "BZPOPMIN EXPIRE HDEL HEXISTS HGET HMGET INCRBY LINDEX LPOS LPUSH PEXPIRE RPOPLPUSH RPUSH "
    "SADD SET SISMEMBER SREM ZRANK ZREM ZSCORE",
    2: "HINCRBY HMSET HSET LRANGE LREM LTRIM XTRIM ZADD ZCOUNT ZRANGE ZRANGEBYSCORE "
    "ZREMRANGEBYRANK ZREMRANGEBYSCORE ZREVRANGE ZREVRANGEBYSCORE XRANGE XREVRANGE",
    3: "XADD",
}
"""What the store does and BullMQ's scripts do, by the number of arguments after the key."""
_OTHERS = ("PING", "SCAN", "SUBSCRIBE", "CLIENT|SETNAME", "SCRIPT|LOAD", "EVALSHA")


def commands() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each command that the program needs, as ACL SETUSER names it, with an example."""
    for arguments, names in _ON_KEYS.items():
        for name in names.split():
            yield name.lower(), (name, _STORE, *[_STORE] * arguments)
    for name in _OTHERS:
        script = ("0" * 40, "1") if name == "EVALSHA" else ()
        yield name.lower(), (*name.split("|"), *script, _STORE)
    yield "time", ("TIME",)
    yield "publish", ("PUBLISH", _STORE, "")
    yield "xinfo|stream", ("XINFO", "STREAM", _STORE)
    yield "del", ("DEL", _QUEUE)


async def check_permissions(redis: Any) -> Finding:
    """The commands are queued in a transaction that is given up: nothing is done."""
    connection = await redis.connection_pool.get_connection()
    try:
        await connection.send_command("MULTI")
        await connection.read_response()
        named = list(commands())
        packed = connection.pack_commands(command for _, command in named)
        await connection.send_packed_command(packed)
        refusals = [(name, await _refusal(connection)) for name, _ in named]
    except NoPermissionError:
        return Finding(WHAT, Verdict.WARNING, "could not look (MULTI is not allowed)", ADVICE)
    finally:
        await connection.disconnect()
        await redis.connection_pool.release(connection)
    denied = sorted({_denied(name, text) for name, text in refusals if text})
    if not denied:
        return Finding(WHAT, Verdict.OK, "all that is needed")
    return Finding(WHAT, Verdict.WRONG, f"not allowed: {', '.join(denied)}", ADVICE)


async def _refusal(connection: Any) -> str:
    """What the server says against the next command; empty where it may be run."""
    try:
        await connection.read_response()
    except NoPermissionError as error:
        return str(error)
    except ResponseError:
        return ""
    return ""


def _denied(name: str, text: str) -> str:
    """The servers' words differ; all of them name the kind."""
    if "channel" in text:
        return "channels &imagine:*"
    if " key" in text:
        return "keys ~imagine:* ~{imagine}:*"
    return f"+{name}"
