"""`RedisSessionStore`: the session store on Redis."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import replace
from typing import Any
from uuid import uuid4

from redis.asyncio import Redis

from bot.adapters.redis.books import book_writes
from bot.adapters.redis.questions import RedisQuestions
from bot.adapters.redis.schema import (
    COMMIT,
    DISCARD,
    REMOVE_IF_UNTOUCHED,
    SESSIONS_OF_A_THREAD,
    WORKSPACES,
    defaults_key,
    extra_key,
    from_fields,
    image_key,
    options_from_json,
    options_to_json,
    session_key,
    thread_key,
    thread_keys,
    to_fields,
    unfinished_key,
    user_key,
    writes_with,
)
from bot.adapters.redis_connections import bounded
from bot.domain.attempt import ImageRef
from bot.domain.books import changes as book_changes
from bot.domain.errors import Conflict, Reason, Refusal
from bot.domain.options import Options
from bot.domain.session import IN_PROGRESS, SCHEMA, Session
from bot.domain.stages import Stage
from bot.ports import Change, ChangeBoth, ExtraWrites, Limit, SessionSummary, Unfinished
from bot.telemetry.metrics import STAGE_CHANGES

log = logging.getLogger(__name__)

_MAX_TRIES = 20
_LISTED_FOR = 10.0
"""Seconds for which a process takes a workspace that it has listed as still listed."""
LEDGER_TTL = 400 * 24 * 3600
"""Seconds for which the ledger keeps a line."""
DEFAULTS_TTL = 365 * 24 * 3600
"""Seconds without use, after which a user's default options are forgotten."""


class RedisSessionStore(RedisQuestions):
    """Implements `bot.ports.SessionStore`.

    `patience` bounds each call, in seconds: short where a person waits for an answer, long where a
    paid image would be lost otherwise. `session_ttl`, `image_ttl` and `ledger_ttl` are seconds.
    Every commit writes the books of its sessions.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        session_ttl: int,
        image_ttl: int,
        patience: float,
        ledger_ttl: int = LEDGER_TTL,
    ) -> None:
        super().__init__(redis, patience=patience)
        self._session_ttl = session_ttl
        self._image_ttl = image_ttl
        self._ledger_ttl = ledger_ttl
        self._workspaces: dict[str, float] = {}
        self._commit = redis.register_script(COMMIT)
        self._discard = redis.register_script(DISCARD)
        self._remove_if_untouched = redis.register_script(REMOVE_IF_UNTOUCHED)

    async def create(
        self, session: Session, extra: ExtraWrites | None = None, *, write_id: str = ""
    ) -> Session:
        async with bounded(self._patience):
            written = await self._write([(None, session)], extra, write_id)
        return written[0] if written else await self.load(session.id)

    async def load(self, session_id: str) -> Session:
        async with bounded(self._patience):
            stored: dict[str, str] = await self._redis.hgetall(session_key(session_id))
        if not stored:
            raise Refusal(Reason.EXPIRED)
        return from_fields(stored)

    async def update(
        self, session_id: str, change: Change, extra: ExtraWrites | None = None
    ) -> Session:
        async with bounded(self._patience):
            for _ in range(_MAX_TRIES):
                before = await self.load(session_id)
                after = change(before)
                if after == before:
                    return before
                if written := await self._write([(before, after)], extra):
                    return written[0]
        raise Conflict(session_id)

    async def update_both(
        self, first_id: str, second_id: str, change: ChangeBoth, extra: ExtraWrites | None = None
    ) -> tuple[Session, Session]:
        async with bounded(self._patience):
            for _ in range(_MAX_TRIES):
                before = await self.load(first_id), await self.load(second_id)
                after = change(*before)
                if after == before:
                    return before
                if written := await self._write(list(zip(before, after, strict=True)), extra):
                    first, second = written
                    return first, second
        raise Conflict(first_id)

    async def discard(self, session: Session, write_id: str) -> None:
        owners = user_key(*session.id.split(".")[:2])
        lists = [owners, unfinished_key(session.team), *thread_keys(session)]
        images = [image_key(session.id, image) for image in session.all_images()]
        given_back = book_changes(session, replace(session, attempts=()))
        books = list(book_writes(session.team, given_back, time.time(), self._ledger_ttl))
        commands = json.dumps([command for _, command in books])
        async with bounded(self._patience):
            await self._discard(
                keys=[session_key(session.id), *(key for key, _ in books), *lists, *images],
                args=[write_id, session.id, len(lists), commands],
            )

    async def sessions_of(self, team: str, user: str) -> list[str]:
        async with bounded(self._patience):
            ids: list[str] = await self._redis.zrevrange(user_key(team, user), 0, -1)
        return ids

    async def summaries_of(self, team: str, user: str) -> list[SessionSummary]:
        ids = await self.sessions_of(team, user)
        async with bounded(self._patience):
            pipeline = self._redis.pipeline(transaction=False)
            for session_id in ids:
                pipeline.hmget(session_key(session_id), "stage", "schema")
            rows: list[list[str | None]] = await pipeline.execute()
        return [
            SessionSummary(session_id, Stage(stage), Stage(stage) in IN_PROGRESS)
            for session_id, (stage, schema) in zip(ids, rows, strict=True)
            if stage and int(schema or SCHEMA) <= SCHEMA
        ]

    async def load_many(self, session_ids: list[str]) -> list[Session]:
        async with bounded(self._patience):
            pipeline = self._redis.pipeline(transaction=False)
            for session_id in session_ids:
                pipeline.hgetall(session_key(session_id))
            stored: list[dict[str, str]] = await pipeline.execute()
        sessions = []
        for fields in filter(None, stored):
            try:
                sessions.append(from_fields(fields))
            except ValueError as error:  # one of a newer version must not hide all others
                log.error("a session cannot be read: %s", type(error).__name__)
        return sessions

    async def versions(self, session_ids: list[str]) -> list[int]:
        async with bounded(self._patience):
            pipeline = self._redis.pipeline(transaction=False)
            for session_id in session_ids:
                pipeline.hget(session_key(session_id), "version")
            found: list[str | None] = await pipeline.execute()
        return [int(version or 0) for version in found]

    async def in_thread(self, team: str, channel: str, thread_ts: str) -> list[str]:
        if not thread_ts:
            return []
        async with bounded(self._patience):
            key = thread_key(team, channel, thread_ts)
            newest: list[str] = await self._redis.zrevrange(key, 0, SESSIONS_OF_A_THREAD - 1)
            pipeline = self._redis.pipeline(transaction=False)
            for session_id in newest:
                pipeline.exists(session_key(session_id))
            there: list[int] = await pipeline.execute()
        return [id_ for id_, exists in zip(newest, there, strict=True) if exists]

    async def defaults_of(self, team: str, user: str) -> Options:
        async with bounded(self._patience):
            stored: str | None = await self._redis.getex(defaults_key(team, user), ex=DEFAULTS_TTL)
        return options_from_json(stored) if stored else Options()

    async def keep_defaults(self, team: str, user: str, options: Options) -> None:
        async with bounded(self._patience):
            key = defaults_key(team, user)
            await self._redis.set(key, options_to_json(options), ex=DEFAULTS_TTL)

    async def keep_image(self, session_id: str, image: ImageRef, encoded: str) -> None:
        async with bounded(self._patience):
            await self._redis.set(image_key(session_id, image), encoded, ex=self._image_ttl)

    async def load_image(self, session_id: str, image: ImageRef) -> str | None:
        async with bounded(self._patience):
            key = image_key(session_id, image)
            encoded: str | None = await self._redis.getex(key, ex=self._image_ttl)
        return encoded

    async def unfinished(self, quiet_for: float) -> list[Unfinished]:
        async with bounded(self._patience):
            teams = {*await self._redis.zrange(WORKSPACES, 0, -1), *self._workspaces}
            pipeline = self._redis.pipeline(transaction=False)
            until = str(time.time() - quiet_for)
            for team in sorted(teams):
                pipeline.zrange(unfinished_key(team), "-inf", until, byscore=True, withscores=True)
            listed = await pipeline.execute()
        return [Unfinished(id_, touched) for entries in listed for id_, touched in entries]

    async def remove_unfinished(self, entry: Unfinished) -> None:
        key = unfinished_key(entry.session_id.partition(".")[0])
        async with bounded(self._patience):
            await self._remove_if_untouched(
                keys=[key], args=[entry.session_id, repr(entry.touched)]
            )

    async def _write(
        self,
        changes: list[tuple[Session | None, Session]],
        extra: ExtraWrites | None,
        write_id: str = "",
    ) -> list[Session]:
        """Commit each session in the place of the one before it, and the `extra` of the first;
        answers them as they are stored, or none where somebody was faster. Raises the refusal of
        a limit."""
        now, first = time.time(), changes[0][1]
        if now - self._workspaces.get(first.team, 0.0) >= _LISTED_FOR:
            await self._list_workspace(first.team, now)
        versions = [before.version if before else 0 for before, _ in changes]
        written = [
            replace(after, version=version + 1)
            for version, (_, after) in zip(versions, changes, strict=True)
        ]
        writes = [write for s in written for write in writes_with(s, now, self._session_ttl)]
        for before, after in zip((b for b, _ in changes), written, strict=True):
            writes += book_writes(after.team, book_changes(before, after), now, self._ledger_ttl)
        limits: dict[int, Limit] = {}
        for command, name, arguments, limit in extra(written[0]) if extra else ():
            writes.append((extra_key(first.team, name), [command, *arguments]))
            if limit:
                limits[len(writes)] = limit
        keys, commands = zip(*writes, strict=True)
        most = {number: limit.at_most for number, limit in limits.items()}
        args: list[Any] = [write_id or uuid4().hex, self._session_ttl * 1000]
        args += [json.dumps(commands), json.dumps(most)]
        for version, session in zip(versions, written, strict=True):
            texts = [text for pair in to_fields(session).items() for text in pair]
            args += [version or "", len(texts), *texts]
        keys = (*(session_key(s.id) for s in written), *keys)
        answer: int = await self._commit(keys=keys, args=args)
        if answer < 0:
            raise limits[-answer].refusal
        if not answer:
            return []
        for before, after in changes:
            if before is None or after.stage is not before.stage:
                STAGE_CHANGES.labels(after.stage.value).inc()
        return written

    async def _list_workspace(self, team: str, now: float) -> None:
        """Before the commit, because the list is a key of the server's; and from time to time, so
        that a server that lost its data has the list again."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.zadd(WORKSPACES, {team: now})
        pipeline.zremrangebyscore(WORKSPACES, "-inf", now - self._session_ttl - _LISTED_FOR)
        pipeline.expire(WORKSPACES, self._session_ttl + int(_LISTED_FOR))
        await pipeline.execute()
        self._workspaces[team] = now
