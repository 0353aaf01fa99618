"""`RedisSessionStore`: the session store on Redis."""

from __future__ import annotations

import asyncio
import logging
import time

from redis.asyncio import Redis

from bot.adapters.redis.command_batches import CommandBatches
from bot.adapters.redis.commit import (
    CORRECT_WAITING,
    SESSIONS_OF_A_THREAD,
    Lifetimes,
)
from bot.adapters.redis.image_bytes import ImageBytes
from bot.adapters.redis.questions import RedisQuestions
from bot.adapters.redis.recent_sessions import RecentSessions
from bot.adapters.redis.record import RedisRecord
from bot.adapters.redis.record_schema import RecordPolicy
from bot.adapters.redis.schema import (
    defaults_key,
    image_key,
    session_key,
    thread_key,
    user_key,
    waiting_key,
)
from bot.adapters.redis.session_fields import (
    options_from_json,
    options_to_json,
)
from bot.adapters.redis.session_writer import SessionWriter
from bot.adapters.redis.unfinished import UnfinishedLists
from bot.adapters.redis_errors import bounded, whole_number
from bot.domain.attempt import ImageRef
from bot.domain.errors import Conflict
from bot.domain.options import Options
from bot.domain.refusals import Reason, Refusal
from bot.domain.session import IN_PROGRESS, NEWEST_SCHEMA, SCHEMA, Session, can_be_restored
from bot.domain.session_ids import SessionId
from bot.domain.stages import ENDED_BY_DISCARD, Stage
from bot.ports import Change, ExtraWrites, SessionSummary, Unfinished

log = logging.getLogger(__name__)

_MAX_TRIES = 20
_SUMMARY = ("stage", "schema", "discard", "discarded_at")
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
        self._batches = CommandBatches(redis, patience)
        self._recent = RecentSessions()
        policy = record or RecordPolicy()
        self._ttls = Lifetimes(session_ttl, image_ttl)
        self._images = ImageBytes(redis, most=user_bytes, list_ttl=max(self._ttls))
        recorder = RedisRecord(redis, patience, policy)
        self._writer = SessionWriter(
            redis, self._batches, self._ttls, self._images, recorder, policy, ledger_ttl
        )
        self._correct_waiting = redis.register_script(CORRECT_WAITING)
        self._unfinished = UnfinishedLists(redis, patience)

    async def create(
        self, session: Session, extra: ExtraWrites | None = None, *, write_id: str = ""
    ) -> Session:
        async with bounded(self._patience):
            written = await self._write(None, session, extra, write_id)
        return written or await self.load(session.id)

    async def load(self, session_id: str) -> Session:
        stored: dict[str, str] = await self._batches.run_command("HGETALL", session_key(session_id))
        if not stored:
            raise Refusal(Reason.EXPIRED)
        return self._recent.parse(stored)

    async def update(
        self, session_id: str, change: Change, extra: ExtraWrites | None = None
    ) -> Session:
        async with bounded(self._patience):
            if written := await self._update_known(session_id, change, extra):
                return written
            for _ in range(_MAX_TRIES):
                before = await self.load(session_id)
                after = change(before)
                if after == before:
                    return before
                if written := await self._write(before, after, extra):
                    return written
        raise Conflict(session_id)

    async def _update_known(
        self, session_id: str, change: Change, extra: ExtraWrites | None
    ) -> Session | None:
        """Write the change over what this process knows. None where that is not the newest, or
        where it is not known what the change makes of the newest."""
        known = self._recent.latest(session_id)
        if known is None:
            return None
        try:
            after = change(known)
        except Exception:  # noqa: BLE001 - the newest decides
            return None
        return None if after == known else await self._write(known, after, extra)

    async def _write(
        self,
        before: Session | None,
        after: Session,
        extra: ExtraWrites | None,
        write_id: str = "",
    ) -> Session | None:
        written = await self._writer.commit(before, after, extra, write_id)
        if written:
            self._recent.written(written)
        return written

    async def discard(self, session: Session, write_id: str) -> None:
        async with bounded(self._patience):
            await self._writer.discard(session, write_id)

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
        key = waiting_key(team, user)
        stored: dict[str, str] = await self._batches.run_command("HGETALL", key)
        return {id_: whole_number(number, key, id_) for id_, number in stored.items()}

    async def correct_images_waiting(self, session_id: str, was: int, right: int) -> None:
        team, user, _ = SessionId.parse(session_id)
        async with bounded(self._patience):
            await self._correct_waiting(
                keys=[waiting_key(team, user)], args=[session_id, was, right]
            )

    async def load_many(self, session_ids: list[str]) -> list[Session]:
        keys = [session_key(session_id) for session_id in session_ids]
        reads = (self._batches.run_command("HGETALL", key) for key in keys)
        stored: list[dict[str, str]] = await asyncio.gather(*reads)
        sessions = []
        for fields in filter(None, stored):
            try:
                sessions.append(self._recent.parse(fields))
            except ValueError as error:  # one of a newer version must not hide all others
                log.error("a session cannot be read: %s", type(error).__name__)
        return sessions

    async def versions(self, session_ids: list[str]) -> list[int]:
        keys = [session_key(session_id) for session_id in session_ids]
        async with bounded(self._patience):
            pipeline = self._redis.pipeline(transaction=False)
            for key in keys:
                pipeline.hget(key, "version")
            found: list[str | None] = await pipeline.execute()
        return [whole_number(n, key, "version") for n, key in zip(found, keys, strict=True)]

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
        key = defaults_key(team, user)
        stored: str | None = await self._batches.run_command("GETEX", key, "EX", DEFAULTS_TTL)
        return options_from_json(stored) if stored else Options()

    async def keep_defaults(self, team: str, user: str, options: Options) -> None:
        async with bounded(self._patience):
            key = defaults_key(team, user)
            await self._redis.set(key, options_to_json(options), ex=DEFAULTS_TTL)

    async def keep_image(self, session_id: str, image: ImageRef, encoded: str) -> None:
        async with bounded(self._patience):
            key, ttl = image_key(session_id, image), max(self._ttls.image, UNRECORDED_TTL)
            team, user, _ = SessionId.parse(session_id)
            ttl, unawaited = min(ttl, self._ttls.session), self._ttls.image
            await self._images.keep(team, user, key, encoded, ttl, unawaited)

    async def load_image(self, session_id: str, image: ImageRef) -> str | None:
        async with bounded(self._patience):
            encoded: str | None = await self._redis.get(image_key(session_id, image))
        return encoded

    async def unfinished(self, quiet_for: float) -> list[Unfinished]:
        return await self._unfinished.read(quiet_for, self._writer.workspaces)

    async def remove_unfinished(self, entry: Unfinished) -> None:
        await self._unfinished.remove(entry)


def _in_progress(stage: Stage, discard: str | None, discarded_at: str | None) -> bool:
    """A discarded session is listed as long as it can be restored."""
    if discard in ENDED_BY_DISCARD and not can_be_restored(float(discarded_at or 0), time.time()):
        return False
    return stage in IN_PROGRESS
