"""`RedisSessionStore`: the session store on Redis."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.adapters.redis.encoding import from_fields, to_fields
from bot.adapters.redis.keys import UNFINISHED, image_key, session_key, user_key
from bot.adapters.redis.scripts import COMPARE_AND_SET, REMOVE_IF_UNTOUCHED
from bot.domain.errors import Conflict, Reason, Refusal, StoreUnavailable
from bot.domain.session import Session
from bot.domain.work import owed
from bot.ports import Change, Unfinished

_MAX_TRIES = 20


class RedisSessionStore:
    """Implements `bot.ports.SessionStore`.

    `patience` bounds each call, in seconds: short where a person waits for an answer, long where
    a paid image would be lost otherwise. `session_ttl` and `image_ttl` are seconds.
    """

    def __init__(self, redis: Redis, *, session_ttl: int, image_ttl: int, patience: float) -> None:
        self._redis: Any = redis  # its stubs leave open what `decode_responses` settles
        self._session_ttl = session_ttl
        self._image_ttl = image_ttl
        self._patience = patience
        self._compare_and_set = redis.register_script(COMPARE_AND_SET)
        self._remove_if_untouched = redis.register_script(REMOVE_IF_UNTOUCHED)

    async def create(self, session: Session) -> Session:
        async with self._bounded():
            if await self._write(session, expected=""):
                return replace(session, version=1)
        return await self.load(session.id)

    async def load(self, session_id: str) -> Session:
        async with self._bounded():
            stored: dict[str, str] = await self._redis.hgetall(session_key(session_id))
        if not stored:
            raise Refusal(Reason.EXPIRED)
        return from_fields(stored)

    async def update(self, session_id: str, change: Change) -> Session:
        async with self._bounded():
            for _ in range(_MAX_TRIES):
                before = await self.load(session_id)
                after = change(before)
                if after == before:
                    return before
                if await self._write(after, expected=str(before.version)):
                    return replace(after, version=before.version + 1)
        raise Conflict(session_id)

    async def discard(self, session_id: str) -> None:
        try:
            session = await self.load(session_id)
        except Refusal:
            return
        await self.drop_images(session)
        async with self._bounded():
            await self._redis.delete(session_key(session_id))
            await self._redis.zrem(user_key(session.team, session.user), session_id)

    async def sessions_of(self, team: str, user: str) -> list[str]:
        async with self._bounded():
            ids: list[str] = await self._redis.zrevrange(user_key(team, user), 0, -1)
        return ids

    async def keep_image(self, session_id: str, attempt: int, encoded: str) -> None:
        async with self._bounded():
            await self._redis.set(image_key(session_id, attempt), encoded, ex=self._image_ttl)

    async def load_image(self, session_id: str, attempt: int) -> str | None:
        async with self._bounded():
            key = image_key(session_id, attempt)
            encoded: str | None = await self._redis.getex(key, ex=self._image_ttl)
        return encoded

    async def drop_images(self, session: Session) -> None:
        keys = [image_key(session.id, attempt.number) for attempt in session.attempts]
        if keys:
            async with self._bounded():
                await self._redis.unlink(*keys)

    async def unfinished(self, quiet_for: float) -> list[Unfinished]:
        async with self._bounded():
            entries = await self._redis.zrange(
                UNFINISHED, "-inf", str(time.time() - quiet_for), byscore=True, withscores=True
            )
        return [Unfinished(session_id, touched) for session_id, touched in entries]

    async def settled(self, entry: Unfinished) -> None:
        async with self._bounded():
            await self._remove_if_untouched(
                keys=[UNFINISHED], args=[entry.session_id, repr(entry.touched)]
            )

    async def ping(self) -> None:
        async with self._bounded():
            await self._redis.ping()

    async def _write(self, session: Session, *, expected: str) -> bool:
        """Write `session` as the version after `expected`; False where somebody was faster."""
        now = time.time()
        if owed(session) is not None:
            await self._redis.zadd(UNFINISHED, {session.id: now})
        written = replace(session, version=int(expected or 0) + 1)
        pairs = [text for pair in to_fields(written).items() for text in pair]
        answer = await self._compare_and_set(
            keys=[session_key(session.id), user_key(session.team, session.user)],
            args=[expected, uuid4().hex, self._session_ttl * 1000, now, session.id, *pairs],
        )
        return bool(answer)

    @asynccontextmanager
    async def _bounded(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._patience):
                yield
        except (RedisError, OSError) as error:  # OSError: TimeoutError is one
            raise StoreUnavailable(type(error).__name__) from error
