"""Looking into the store as a stranger would, with plain Redis commands."""

from __future__ import annotations

from redis.asyncio import Redis


async def stored_sessions(redis_url: str) -> list[dict[str, str]]:
    """The fields of every session's hash, oldest first."""
    async with Redis.from_url(redis_url, decode_responses=True) as redis:
        keys = [key async for key in redis.scan_iter("imagine:{*}:session:*")]
        hashes = [key for key in keys if await redis.type(key) == "hash"]
        sessions: list[dict[str, str]] = [await redis.hgetall(key) for key in hashes]  # type: ignore[misc]
    return sorted(sessions, key=lambda session: float(session["created_at"]))


async def stored_session(redis_url: str) -> dict[str, str]:
    """The fields of the only session."""
    (session,) = await stored_sessions(redis_url)
    return session
