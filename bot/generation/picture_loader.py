"""The picture that a session starts from: read once for all sessions, and by one run at a time.

    stored? → use it
    another live run reads it? → wait until it is stored
    too many workers died while they read it? → give it up
    record that it is being read → read → store → remove the record

A picture is decoded in a child process, so that it crashes no worker. Where a worker dies all the
same (the kernel may end both), its record remains, and the picture is not read again and again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from weakref import WeakValueDictionary

from bot.concurrency import finish_before_cancel
from bot.domain.attempt import Source
from bot.domain.errors import ImagineError, ReadElsewhere
from bot.domain.failures import FailureKind, GenerationError
from bot.domain.images import BaseImage
from bot.domain.session import Session
from bot.domain.session_ids import SessionId
from bot.generation.recording import LAST_RECORD_WITHIN, RetryingStore
from bot.ports import Files, Heartbeats, OnReading, PictureStore

log = logging.getLogger(__name__)

MAX_UNFINISHED_READS = 2
"""Workers that died while they read a picture, after which no worker reads it again."""
LOOK_EVERY = 0.3
"""Seconds between two looks whether another run has read the picture."""


class PictureLoader:
    """People's pictures. `retries` repeats each write until the store takes it."""

    def __init__(
        self, store: PictureStore, files: Files, heartbeats: Heartbeats, retries: RetryingStore
    ) -> None:
        self._store = store
        self._files = files
        self._heartbeats = heartbeats
        self._retries = retries
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def source_of(self, session: Session, run_id: str) -> BaseImage:
        """The picture that the session starts from; `run_id` names the run. Raises
        `GenerationError`."""
        source = session.source
        if source is None:
            raise GenerationError(FailureKind.SOURCE_GONE)
        place = session.team, source.file_id
        turn = self._turns.setdefault(place, asyncio.Lock())
        async with turn:  # the runs of this process download the file once, too
            while True:
                if picture := await self._store.load(*place):
                    return picture
                others = await self._store.readers(*place) - {run_id}
                if not await self._any_alive(others):
                    if len(others) >= MAX_UNFINISHED_READS:
                        raise GenerationError(FailureKind.SOURCE_STOPS_WORKERS)
                    with suppress(ReadElsewhere):
                        return await self._read(session, source, run_id, others)
                await asyncio.sleep(LOOK_EVERY)

    async def _any_alive(self, readers: set[str]) -> bool:
        return any([await self._heartbeats.is_alive(run_id) for run_id in readers])

    async def _read(
        self, session: Session, source: Source, run_id: str, lost: set[str]
    ) -> BaseImage:
        async with self._recorded(session, source, run_id, lost) as begin:
            picture = await self._files.fetch(source.file_id, begin)
            team, user, _ = SessionId.parse(session.id)
            await self._retries.until_taken(
                session.id, lambda: self._store.keep(team, user, source.file_id, picture)
            )
        return picture

    @asynccontextmanager
    async def _recorded(
        self, session: Session, source: Source, run_id: str, lost: set[str]
    ) -> AsyncIterator[OnReading]:
        """Yields a function to await before the picture is decoded: it records that this run reads
        it, and raises `ReadElsewhere` where another run does. The end of the body removes all
        records of a picture that was read or refused, or this run's record where it stops."""
        begun = False
        place = session.team, source.file_id

        async def begin() -> None:
            nonlocal begun
            begun = True  # it may be recorded even where the call raises
            begun = await self._retries.until_taken(
                session.id, lambda: self._store.begin_reading(*place, run_id, lost)
            )
            if not begun:
                raise ReadElsewhere

        end: Callable[[], Awaitable[None]] = partial(self._store.end_reading, *place, run_id)
        try:
            yield begin
            end = partial(self._store.forget_readers, *place)
        except GenerationError:
            end = partial(self._store.forget_readers, *place)
            raise
        finally:
            if begun:
                await finish_before_cancel(_unless_away(end), LAST_RECORD_WITHIN)


async def _unless_away(record: Callable[[], Awaitable[None]]) -> None:
    try:
        await record()
    except ImagineError as error:
        log.warning("that a picture was read is not recorded: %s", type(error).__name__)
