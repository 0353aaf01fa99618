"""`SessionWriter`: how sessions are written, each with all that changes with it."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from uuid import uuid4

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.adapters.redis.atomic_writes import WRITE_IF_UNCHANGED, Write
from bot.adapters.redis.books import book_writes
from bot.adapters.redis.command_batches import CommandBatches
from bot.adapters.redis.commit import (
    COMMIT,
    Lifetimes,
    released_images,
    session_writes,
    waiting_writes,
    writes_with,
)
from bot.adapters.redis.image_bytes import ImageBytes
from bot.adapters.redis.json_text import json_text
from bot.adapters.redis.record import RedisRecord
from bot.adapters.redis.record_schema import RecordPolicy, record_writes, words_key
from bot.adapters.redis.schema import (
    WORKSPACES,
    extra_key,
    image_key,
    session_key,
    thread_keys,
    unfinished_key,
    user_key,
    waiting_key,
)
from bot.domain.books import changes as book_changes
from bot.domain.books import changes_of_deletion
from bot.domain.errors import StoreUnavailable
from bot.domain.limits import LimitReached
from bot.domain.record import deleted, events_between, refused
from bot.domain.refusals import Refusal
from bot.domain.session import Session
from bot.domain.session_ids import SessionId
from bot.domain.stages import Stage
from bot.ports import ExtraWrites, Limit
from bot.telemetry.metrics import APPROVAL_SECONDS, STAGE_CHANGES

log = logging.getLogger(__name__)

_LISTED_FOR = 10.0
"""Seconds for which a process takes a workspace that it has listed as still listed."""


class SessionWriter:
    """`images` removes a person's oldest images once others were released. `ledger_ttl` is seconds.
    The callers bound each call in time."""

    def __init__(
        self,
        redis: Redis,
        batches: CommandBatches,
        ttls: Lifetimes,
        images: ImageBytes,
        record: RedisRecord,
        record_policy: RecordPolicy,
        ledger_ttl: int,
    ) -> None:
        self._redis = redis
        self._batches = batches
        self._ttls = ttls
        self._images = images
        self._record = record
        self._record_policy = record_policy
        self._ledger_ttl = ledger_ttl
        self._listed: dict[str, float] = {}
        self._commit = redis.register_script(COMMIT)
        self._discard = redis.register_script(WRITE_IF_UNCHANGED)

    @property
    def workspaces(self) -> Iterable[str]:
        """The workspaces that this process has written to."""
        return self._listed

    async def commit(
        self,
        before: Session | None,
        after: Session,
        extra: ExtraWrites | None = None,
        write_id: str = "",
    ) -> Session | None:
        """Write a session in the place of the one before it (None for a new one), and what `extra`
        makes of it, or nothing. Answers the session as it is stored, or None where somebody was
        faster. Raises the refusal of a limit."""
        now, team = time.time(), after.team
        await self._list_workspace(team, now)
        written = replace(after, version=before.version + 1 if before else 1)
        write_id = write_id or uuid4().hex
        writes = list(session_writes(before, written, write_id, self._ttls.session))
        writes += self._writes_with(before, written, now)
        limits: dict[int, Limit] = {}
        for command, name, arguments, limit in extra(written) if extra else ():
            writes.append((extra_key(team, name), [command, *arguments]))
            if limit:
                limits[len(writes)] = limit
        writes += record_writes(team, events_between(before, written), now, self._record_policy)
        answer = await self._run_commit(before, written, writes, limits, write_id)
        if isinstance(answer, list):
            refusal = _refusal(limits, *answer)
            await self._record_refusal(before, after, refusal)
            raise refusal
        if not answer:
            return None
        _count(before, written)
        if released_images(before, written):
            await self._trim(written)
        return written

    def _writes_with(self, before: Session | None, after: Session, now: float) -> Iterator[Write]:
        yield from writes_with(before, after, now, self._ttls)
        yield from waiting_writes(before, after, self._ttls.session)
        yield from book_writes(after.team, book_changes(before, after), now, self._ledger_ttl)

    async def _run_commit(
        self,
        before: Session | None,
        after: Session,
        writes: Sequence[Write],
        limits: dict[int, Limit],
        write_id: str,
    ) -> int | list[int]:
        keys, commands = zip(*writes, strict=True)
        most = {number: limit.at_most for number, limit in limits.items()}
        version = before.version if before else ""
        args = [write_id, version, json_text(commands), json_text(most)]
        answer: int | list[int] = await self._batches.run_script(
            self._commit, [session_key(after.id), *keys], args
        )
        return answer

    async def discard(self, session: Session, write_id: str) -> None:
        """Delete a session that this write created, with all that was written with it, where no
        other write has come since."""
        key, now = session_key(session.id), time.time()
        events = [deleted(session.id)] if session.attempts else []
        given_back = changes_of_deletion(session)
        writes = list(_deletion_of(session))
        writes += record_writes(session.team, events, now, self._record_policy)
        writes += book_writes(session.team, given_back, now, self._ledger_ttl)
        keys, commands = zip(*writes, strict=True)
        await self._discard(keys=[key, *keys], args=["write_id", write_id, json_text(commands)])

    async def _trim(self, session: Session) -> None:
        """A failure is logged and no more: the session is stored already."""
        team, user, _ = SessionId.parse(session.id)
        try:
            await self._images.trim(team, user)
        except (RedisError, OSError) as error:  # OSError: TimeoutError is one
            log.info("the oldest of a person's images stay for now: %s", type(error).__name__)

    async def _record_refusal(
        self, before: Session | None, after: Session, refusal: Refusal
    ) -> None:
        """Record that a limit refused an attempt. The person is told even if that is not stored."""
        if len(after.attempts) == len(before.attempts if before else ()):
            return
        try:
            await self._record.write(after.team, refused(after, after.latest, refusal))
        except StoreUnavailable as error:
            log.warning("a refusal is not in the record: %s", error)

    async def _list_workspace(self, team: str, now: float) -> None:
        """Before the commit, because the list is a key of the server's; and from time to time, so
        that a server that lost its data has the list again."""
        if now - self._listed.get(team, 0.0) < _LISTED_FOR:
            return
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.zadd(WORKSPACES, {team: now})
        pipeline.zremrangebyscore(WORKSPACES, "-inf", now - self._ttls.session - _LISTED_FOR)
        pipeline.expire(WORKSPACES, self._ttls.session + int(_LISTED_FOR))
        await pipeline.execute()
        self._listed[team] = now


def _deletion_of(session: Session) -> Iterator[Write]:
    """The writes that delete a session and what is written with it alone."""
    team, user, _ = SessionId.parse(session.id)
    yield waiting_key(team, user), ["HDEL", session.id]
    for key in (user_key(team, user), unfinished_key(team), *thread_keys(session)):
        yield key, ["ZREM", session.id]
    for key in (session_key(session.id), words_key(session.id)):
        yield key, ["UNLINK"]
    for image in session.all_images():
        yield image_key(session.id, image), ["UNLINK"]


def _count(before: Session | None, after: Session) -> None:
    if before is None or after.stage is not before.stage:
        STAGE_CHANGES.labels(after.stage.value).inc()
    if after.stage is Stage.FINAL and before and before.stage is not Stage.FINAL:
        asked_at = after.attempts[0].queued_at
        APPROVAL_SECONDS.observe(max(0.0, after.updated_at - asked_at))


def _refusal(limits: dict[int, Limit], number: int, *lefts: int) -> Refusal:
    """The refusal of the limit of that write. `lefts` are the numbers of all writes with limits,
    each with what it would leave, for the words."""
    by_number = dict(zip(lefts[::2], lefts[1::2], strict=True))
    known = {
        refusal: by_number[n]
        for n, limit in limits.items()
        if isinstance(refusal := limit.refusal, LimitReached)
    }
    refusal = limits[number].refusal
    return refusal.in_view_of(known) if isinstance(refusal, LimitReached) else refusal
