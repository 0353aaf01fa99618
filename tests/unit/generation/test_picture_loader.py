"""A person's picture is read once, and that it is being read is recorded before."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.attempt import Source
from bot.domain.errors import StoreUnavailable
from bot.domain.failures import FailureKind, GenerationError
from bot.domain.images import BaseImage
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.generation import picture_loader
from bot.ports import OnReading
from tests.fakes import FakeFiles, FakeHeartbeats, FakePictureStore, a_picture_loader, a_session

READ = BaseImage(b"read", "image/jpeg", width=40, height=30)
SESSION = replace(a_session(Stage.GENERATING), source=Source("F9"))


class ReadingFiles(FakeFiles):
    """Stops in the middle of reading, until told to go on, or breaks then."""

    def __init__(self, store: FakePictureStore, error: BaseException | None = None) -> None:
        super().__init__()
        self._store = store
        self._error = error
        self.readers: list[set[str]] = []
        self.reading, self.go_on = asyncio.Event(), asyncio.Event()

    async def fetch(self, file_id: str, on_reading: OnReading | None = None) -> BaseImage:
        assert on_reading is not None
        await on_reading()
        self.readers.append(await self._store.readers("T1", file_id))
        self.reading.set()
        await self.go_on.wait()
        if self._error:
            raise self._error
        return READ


class Setup:
    """Where one file is read; `lost` are runs that began to and live no more."""

    def __init__(self, *lost: str, error: BaseException | None = None) -> None:
        self.store = FakePictureStore()
        if lost:
            self.store.reading["F9"] = set(lost)
        self.files = ReadingFiles(self.store, error)
        self.heartbeats = FakeHeartbeats("run")
        self.pictures = a_picture_loader(self.files, self.heartbeats, self.store)

    async def get(self, reader: str = "run", session: Session = SESSION) -> BaseImage:
        return await self.pictures.source_of(session, reader)

    async def refused(self) -> FailureKind:
        with pytest.raises(GenerationError) as refused:
            await self.get()
        return refused.value.kind

    async def left(self) -> set[str]:
        return await self.store.readers("T1", "F9")


async def test_that_a_picture_is_being_read_is_recorded_before() -> None:
    setup = Setup("lost")
    setup.files.go_on.set()
    assert await setup.get() == READ
    assert setup.files.readers == [{"lost", "run"}]
    assert await setup.left() == set()
    assert setup.store.kept == {"F9": READ}


@pytest.mark.parametrize("kind", [FailureKind.SOURCE_UNREADABLE, FailureKind.SOURCE_TOO_DEMANDING])
async def test_a_picture_that_is_refused_has_cost_no_worker(kind: FailureKind) -> None:
    setup = Setup("lost", error=GenerationError(kind))
    setup.files.go_on.set()
    assert await setup.refused() is kind
    assert await setup.left() == set()


async def test_a_run_that_is_stopped_while_it_reads_is_no_lost_worker() -> None:
    setup = Setup("lost")
    asking = asyncio.create_task(setup.get())
    await setup.files.reading.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await setup.left() == {"lost"}


async def test_a_picture_that_stopped_two_workers_is_not_even_fetched() -> None:
    setup = Setup("lost", "lost too")
    assert await setup.refused() is FailureKind.SOURCE_STOPS_WORKERS
    assert setup.files.readers == []
    assert await setup.left() == {"lost", "lost too"}


async def test_nor_is_it_for_another_session() -> None:
    setup = Setup("lost", "lost too")
    other = replace(SESSION, id="T1.U2.other", user="U2")
    with pytest.raises(GenerationError) as refused:
        await setup.get("another run", other)
    assert refused.value.kind is FailureKind.SOURCE_STOPS_WORKERS


async def test_a_picture_that_is_kept_is_not_read() -> None:
    setup = Setup("lost", "lost too")
    setup.store.kept["F9"] = READ
    assert await setup.get() == READ
    assert setup.files.readers == []


async def test_a_picture_whose_reader_is_lost_is_read_by_another() -> None:
    setup = Setup("lost")
    setup.files.go_on.set()
    assert await setup.get() == READ


async def test_a_session_without_a_picture_has_none() -> None:
    with pytest.raises(GenerationError) as refused:
        await Setup().get(session=replace(SESSION, source=None))
    assert refused.value.kind is FailureKind.SOURCE_GONE


async def test_eight_mentions_of_one_file_read_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_loader, "LOOK_EVERY", 0.001)
    setup = Setup()
    sessions = [replace(SESSION, id=f"T1.U1.{n}") for n in range(8)]
    setup.heartbeats.alive |= {session.id for session in sessions}
    asked = [asyncio.create_task(setup.get(session.id, session)) for session in sessions]
    await setup.files.reading.wait()
    setup.files.go_on.set()
    assert [await one for one in asked] == [READ] * 8
    assert len(setup.files.readers) == 1
    assert await setup.left() == set()


async def test_a_store_that_is_away_at_the_end_costs_only_the_record() -> None:
    setup = Setup()
    setup.files.go_on.set()

    async def away(*_: Any) -> None:
        raise StoreUnavailable("away")

    setup.store.forget_readers = away  # type: ignore[assignment,method-assign]
    assert await setup.get() == READ
    assert await setup.left() == {"run"}
