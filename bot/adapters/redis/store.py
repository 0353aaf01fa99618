"""`RedisSessionStore`: the session store on Redis."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import replace
from typing import Any
from uuid import uuid4

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.adapters.redis.books import book_writes
from bot.adapters.redis.commit import (
    COMMIT,
    CORRECT_WAITING,
    DISCARD,
    REMOVE_IF_UNTOUCHED,
    SESSIONS_OF_A_THREAD,
    Lifetimes,
    released_images,
    waiting_writes,
    writes_with,
)
from bot.adapters.redis.image_bytes import ImageBytes
from bot.adapters.redis.questions import RedisQuestions
from bot.adapters.redis.record import RedisRecord
from bot.adapters.redis.record_schema import RecordPolicy, record_writes, words_key
from bot.adapters.redis.schema import (
    WORKSPACES,
    defaults_key,
    extra_key,
    image_key,
    session_key,
    thread_key,
    thread_keys,
    unfinished_key,
    user_key,
    waiting_key,
)
from bot.adapters.redis.session_fields import (
    from_fields,
    options_from_json,
    options_to_json,
    to_fields,
)
from bot.adapters.redis_connections import bounded
from bot.domain.attempt import ImageRef
from bot.domain.books import changes as book_changes
from bot.domain.errors import Conflict, Reason, Refusal, StoreUnavailable
from bot.domain.limits import LimitReached
from bot.domain.options import Options
from bot.domain.record import deleted, events_between, refused
from bot.domain.session import IN_PROGRESS, NEWEST_SCHEMA, SCHEMA, Session, can_be_restored
from bot.domain.stages import ENDED_BY_DISCARD, Stage
from bot.ports import Change, ChangeBoth, ExtraWrites, Limit, SessionSummary, Unfinished
from bot.telemetry.metrics import APPROVAL_SECONDS, STAGE_CHANGES

log = logging.getLogger(__name__)

_MAX_TRIES = 20
_SUMMARY = ("stage", "schema", "discard", "discarded_at")
_LISTED_FOR = 10.0
"""Seconds for which a process takes a workspace that it has listed as still listed."""
UNRECORDED_TTL = 24 * 3600
"""Seconds at least for an image before its session tells of it, unless the session's are fewer."""
LEDGER_TTL = 400 * 24 * 3600
"""Seconds for which the ledger keeps a line."""
DEFAULTS_TTL = 365 * 24 * 3600
"""Seconds without use, after which a user's default options are forgotten."""


class RedisSessionStore(RedisQuestions):
    """Implements `bot.ports.SessionStore`.

    `patience` bounds each call, in seconds: short where a person waits for an answer, long where a
    paid image would be lost otherwise. `session_ttl`, `image_ttl` and `ledger_ttl` are seconds.
    `user_bytes` is how much one person's images may be; 0 sets no bound. Each commit writes the
    books of its sessions, and the entries of the record that follow from it, as `record` says.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        session_ttl: int,
        image_ttl: int,
        patience: float,
        user_bytes: int = 0,
        record: RecordPolicy | None = None,
        ledger_ttl: int = LEDGER_TTL,
    ) -> None:
        super().__init__(redis, patience=patience)
        self._record_policy = record or RecordPolicy()
        self._record = RedisRecord(redis, patience, self._record_policy)
        self._session_ttl = session_ttl
        self._ttls = Lifetimes(session_ttl, image_ttl)
        self._images = ImageBytes(redis, most=user_bytes, list_ttl=max(self._ttls))
        self._ledger_ttl = ledger_ttl
        self._workspaces: dict[str, float] = {}
        self._commit = redis.register_script(COMMIT)
        self._discard = redis.register_script(DISCARD)
        self._correct_waiting = redis.register_script(CORRECT_WAITING)
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
        team, user, _ = session.id.split(".", 2)
        owners, waiting = user_key(team, user), waiting_key(team, user)
        lists = [owners, unfinished_key(session.team), *thread_keys(session)]
        images = [image_key(session.id, image) for image in session.all_images()]
        now = time.time()
        events = [deleted(session.id)] if session.attempts else []
        given_back = book_changes(session, replace(session, attempts=()))
        writes = [(words_key(session.id), ["DEL"])]
        writes += record_writes(session.team, events, now, self._record_policy)
        writes += book_writes(session.team, given_back, now, self._ledger_ttl)
        keys, commands = zip(*writes, strict=True)
        async with bounded(self._patience):
            await self._discard(
                keys=[session_key(session.id), waiting, *lists, *images, *keys],
                args=[write_id, session.id, len(lists), json.dumps(commands)],
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
                pipeline.hmget(session_key(session_id), *_SUMMARY)
            rows: list[list[str | None]] = await pipeline.execute()
        return [
            SessionSummary(
                session_id, Stage(stage), _in_progress(Stage(stage), discard, discarded_at)
            )
            for session_id, (stage, schema, discard, discarded_at) in zip(ids, rows, strict=True)
            if stage and int(schema or SCHEMA) <= NEWEST_SCHEMA
        ]

    async def images_waiting(self, team: str, user: str) -> dict[str, int]:
        async with bounded(self._patience):
            stored: dict[str, str] = await self._redis.hgetall(waiting_key(team, user))
        return {session_id: int(number) for session_id, number in stored.items()}

    async def correct_images_waiting(self, session_id: str, was: int, right: int) -> None:
        team, user, _ = session_id.split(".", 2)
        async with bounded(self._patience):
            await self._correct_waiting(
                keys=[waiting_key(team, user)], args=[session_id, was, right]
            )

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
            key, ttl = image_key(session_id, image), max(self._ttls.image, UNRECORDED_TTL)
            team, user, _ = session_id.split(".", 2)
            ttl, unawaited = min(ttl, self._session_ttl), self._ttls.image
            await self._images.keep(team, user, key, encoded, ttl, unawaited)

    async def load_image(self, session_id: str, image: ImageRef) -> str | None:
        async with bounded(self._patience):
            encoded: str | None = await self._redis.get(image_key(session_id, image))
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
        befores = [before for before, _ in changes]
        writes = [
            write
            for before, s in zip(befores, written, strict=True)
            for write in writes_with(before, s, now, self._ttls)
        ]
        for before, after in zip(befores, written, strict=True):
            writes += waiting_writes(before, after, self._ttls.session)
            writes += book_writes(after.team, book_changes(before, after), now, self._ledger_ttl)
        limits: dict[int, Limit] = {}
        for command, name, arguments, limit in extra(written[0]) if extra else ():
            writes.append((extra_key(first.team, name), [command, *arguments]))
            if limit:
                limits[len(writes)] = limit
        pairs = zip((before for before, _ in changes), written, strict=True)
        events = [event for pair in pairs for event in events_between(*pair)]
        writes += record_writes(first.team, events, now, self._record_policy)
        keys, commands = zip(*writes, strict=True)
        most = {number: limit.at_most for number, limit in limits.items()}
        args: list[Any] = [write_id or uuid4().hex, self._session_ttl * 1000]
        args += [json.dumps(commands), json.dumps(most)]
        for version, session in zip(versions, written, strict=True):
            texts = [text for pair in to_fields(session).items() for text in pair]
            args += [version or "", len(texts), *texts]
        keys = (*(session_key(s.id) for s in written), *keys)
        answer: int | list[int] = await self._commit(keys=keys, args=args)
        if isinstance(answer, list):
            refusal = _refusal(limits, *answer)
            await self._record_refusal(*changes[0], refusal)
            raise refusal
        if not answer:
            return []
        for before, after in changes:
            if before is None or after.stage is not before.stage:
                STAGE_CHANGES.labels(after.stage.value).inc()
            if after.stage is Stage.FINAL and before and before.stage is not Stage.FINAL:
                asked_at = after.attempts[0].queued_at
                APPROVAL_SECONDS.observe(max(0.0, after.updated_at - asked_at))
            if released_images(before, after):
                await self._trim(after)
        return written

    async def _trim(self, session: Session) -> None:
        """What is stored already is not undone by a server that is away now."""
        team, user, _ = session.id.split(".", 2)
        try:
            await self._images.trim(team, user, session_key(session.id))
        except (RedisError, OSError) as error:  # OSError: TimeoutError is one
            log.info("the oldest of a person's images stay for now: %s", type(error).__name__)

    async def _record_refusal(
        self, before: Session | None, after: Session, refusal: Refusal
    ) -> None:
        """Of an attempt that a limit refuses. The person is told, even if this is not stored."""
        if len(after.attempts) == len(before.attempts if before else ()):
            return
        try:
            await self._record.write(after.team, refused(after, after.latest, refusal))
        except StoreUnavailable as error:
            log.warning("a refusal is not in the record: %s", error)

    async def _list_workspace(self, team: str, now: float) -> None:
        """Before the commit, because the list is a key of the server's; and from time to time, so
        that a server that lost its data has the list again."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.zadd(WORKSPACES, {team: now})
        pipeline.zremrangebyscore(WORKSPACES, "-inf", now - self._session_ttl - _LISTED_FOR)
        pipeline.expire(WORKSPACES, self._session_ttl + int(_LISTED_FOR))
        await pipeline.execute()
        self._workspaces[team] = now


def _refusal(limits: dict[int, Limit], number: int, *lefts: int) -> Refusal:
    """That of the write's limit. `lefts` are the numbers of all writes with limits, each with what
    it would leave, for the words."""
    by_number = dict(zip(lefts[::2], lefts[1::2], strict=True))
    known = {
        refusal: by_number[n]
        for n, limit in limits.items()
        if isinstance(refusal := limit.refusal, LimitReached)
    }
    refusal = limits[number].refusal
    return refusal.in_view_of(known) if isinstance(refusal, LimitReached) else refusal


def _in_progress(stage: Stage, discard: str | None, discarded_at: str | None) -> bool:
    """A discarded session is listed as long as it can be restored."""
    if discard in ENDED_BY_DISCARD and not can_be_restored(float(discarded_at or 0), time.time()):
        return False
    return stage in IN_PROGRESS
