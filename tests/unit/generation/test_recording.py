"""Before a paid call: who may make it, and that it is counted."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from bot.domain.attempt import MAX_PAID_CALLS, Candidate, ImageRef
from bot.domain.errors import Conflict, StoreUnavailable
from bot.domain.failures import FailureKind, GenerationError
from bot.domain.images import GeneratedImage, ImageRequest
from bot.domain.session import Session
from bot.flow import Shared, generate, shared_store
from bot.flow.generate import GenerateImage
from bot.generation import recording
from bot.generation.image_requests import ImageRequests
from bot.generation.recording import RetryingStore, RunCheckpoint
from bot.ports import Checkpoint
from bot.telemetry.meters import GenerationMeter
from tests.fakes import (
    ID,
    IMAGE,
    FakeFiles,
    FakeHeartbeats,
    FakeImageBackend,
    FakeSessionStore,
    FakeSlackAccess,
    a_picture_loader,
    an_attempt,
    eventually,
    generating,
    with_latest,
)

REF = ImageRef(1)
BUSY = GenerationError(FailureKind.PROVIDER_DOWN)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "LOOK_EVERY", 0.005)
    monkeypatch.setattr(recording, "FIRST_PAUSE", 0.002)
    monkeypatch.setattr(recording, "LONGEST_PAUSE", 0.004)
    monkeypatch.setattr(generate, "WAIT", 0.002)
    monkeypatch.setattr(recording, "RECORDED_WITHIN", 0.02)


class Workers:
    """Several runs of one attempt; the store holds what is written, as a worker's does."""

    def __init__(self, session: Session, *outcomes: GeneratedImage | Exception) -> None:
        self.store = FakeSessionStore(session)
        self.backend = FakeImageBackend(*outcomes)
        self.heartbeats = FakeHeartbeats()
        self.told: list[object] = []
        self.retrying = RetryingStore(self.store, lambda _, trouble: self.told.append(trouble))

    def node(self) -> GenerateImage:
        return GenerateImage(
            self.retrying,
            self.backend,
            ImageRequests(self.store, FakeFiles(), a_picture_loader(FakeFiles(), self.heartbeats)),
            lambda _: None,
            partial(
                RunCheckpoint, self.retrying, self.heartbeats, FakeSlackAccess(), lambda *_: None
            ),
            GenerationMeter("responses"),
        )

    def start(self, run_id: str, candidate: int = 1) -> tuple[asyncio.Task[Any], Shared]:
        """A run, alive until it is told otherwise."""
        self.heartbeats.alive.add(run_id)
        session = self.store.sessions[ID]
        shared = shared_store(session, candidate, repeated=True, run_id=run_id)
        return asyncio.create_task(self.node().run_async(shared)), shared

    @property
    def candidate(self) -> Candidate:
        return self.store.sessions[ID].latest.candidate(1)

    @property
    def calls(self) -> int:
        return len(self.backend.requests)

    def have_called(self, times: int) -> bool:
        return self.calls == times


async def test_a_call_is_counted_before_it_is_made() -> None:
    workers = Workers(generating())
    workers.backend.gate = asyncio.Event()
    run, _ = workers.start("a")
    await eventually(lambda: workers.calls)
    assert (workers.candidate.paid_calls, workers.candidate.paid_by_run) == (1, "a")
    workers.backend.gate.set()
    assert await run == "generated"


async def test_no_call_is_made_while_it_cannot_be_counted() -> None:
    workers = Workers(with_latest(generating(), started_at=1.0))
    workers.store.full = True
    run, _ = workers.start("a")
    await eventually(lambda: workers.store.refused > 3)
    assert workers.calls == 0
    workers.store.full = False
    assert await run == "generated"
    assert (workers.calls, workers.candidate.paid_calls) == (1, 1)
    assert workers.told[-1] is None


async def test_an_image_is_held_for_as_long_as_the_store_does_not_take_it() -> None:
    workers = Workers(generating())
    workers.backend.gate = asyncio.Event()
    run, shared = workers.start("a")
    await eventually(lambda: workers.calls)
    workers.store.full = True
    workers.backend.gate.set()
    await eventually(lambda: workers.store.refused > 10)
    assert not run.done()
    workers.store.full = False
    assert await run == "generated"
    assert workers.calls == 1
    assert shared["generated_image"]


async def test_a_held_image_ends_with_its_run() -> None:
    workers = Workers(generating())
    workers.backend.gate = asyncio.Event()
    run, _ = workers.start("a")
    await eventually(lambda: workers.calls)
    workers.store.full = True
    workers.backend.gate.set()
    await eventually(lambda: workers.store.refused)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run


async def test_a_second_run_waits_for_what_the_first_has_asked_for_and_shows_it() -> None:
    workers = Workers(generating())
    workers.backend.gate = asyncio.Event()
    first, _ = workers.start("a")
    await eventually(lambda: workers.calls)
    second, _ = workers.start("b")
    await asyncio.sleep(0.03)
    assert (workers.calls, second.done()) == (1, False)
    workers.backend.gate.set()
    assert await first == "cancelled"  # the other has taken over what is shown
    assert await second == "generated"
    assert (workers.calls, workers.candidate.paid_calls) == (1, 1)
    assert workers.candidate.has_image


async def test_a_second_run_goes_on_with_the_firsts_failure() -> None:
    workers = Workers(generating(), GenerationError(FailureKind.MODERATION))
    workers.backend.gate = asyncio.Event()
    first, _ = workers.start("a")
    await eventually(lambda: workers.calls)
    second, shared = workers.start("b")
    await asyncio.sleep(0.02)
    workers.backend.gate.set()
    await first
    assert await second == "failed"
    assert (workers.calls, shared["failure"]) == (1, "moderation")


async def test_a_second_run_asks_once_the_first_has_gone() -> None:
    asked = replace(Candidate(1), paid_calls=1, paid_by_run="a", run_id="a")
    workers = Workers(with_latest(generating(), candidates=(asked,)))
    workers.heartbeats.alive.add("a")
    second, _ = workers.start("b")
    await asyncio.sleep(0.03)
    assert workers.calls == 0
    await workers.heartbeats.end("a")
    assert await second == "generated"
    assert (workers.calls, workers.candidate.paid_calls, workers.candidate.paid_by_run) == (
        1,
        2,
        "b",
    )


async def test_a_run_that_was_overtaken_asks_no_more() -> None:
    """It would have, after a failure that passes."""
    workers = Workers(generating(), BUSY, IMAGE)
    workers.backend.gate = asyncio.Event()
    first, _ = workers.start("a")
    await eventually(lambda: workers.calls)
    second, _ = workers.start("b")
    await eventually(lambda: workers.candidate.run_id == "b")
    workers.backend.gate.set()
    assert await first == "cancelled"
    assert workers.calls == 1
    await workers.heartbeats.end("a")
    assert await second == "generated"
    assert workers.calls == 2


async def test_there_are_three_calls_at_most_however_many_runs_there_are() -> None:
    workers = Workers(generating())
    workers.backend.gate = asyncio.Event()
    for n in range(MAX_PAID_CALLS):
        run, _ = workers.start(f"run {n}")
        await eventually(partial(workers.have_called, n + 1))
        run.cancel()
        await asyncio.wait({run})
        await workers.heartbeats.end(f"run {n}")
    last, shared = workers.start("last")
    assert await last == "failed"
    assert (workers.calls, shared["failure"]) == (MAX_PAID_CALLS, FailureKind.INTERNAL)


async def test_calls_that_failed_count_and_the_last_failure_is_told() -> None:
    workers = Workers(
        with_latest(generating(), candidates=(replace(Candidate(1), paid_calls=2),)), BUSY
    )
    run, shared = workers.start("a")
    assert await run == "failed"
    assert (workers.calls, shared["failure"]) == (1, FailureKind.PROVIDER_DOWN)


async def test_going_on_with_a_known_response_is_no_new_call() -> None:
    spent = replace(
        Candidate(1), paid_calls=MAX_PAID_CALLS, paid_by_run="a", response_id="resp_7", run_id="a"
    )
    workers = Workers(with_latest(generating(), candidates=(spent,)), BUSY, BUSY, IMAGE)
    run, _ = workers.start("b")
    assert await run == "generated"
    assert [r.response_id for r in workers.backend.requests] == ["resp_7"] * 3
    assert workers.candidate.paid_calls == MAX_PAID_CALLS


class FillsUp(FakeImageBackend):
    """The store is full from the moment that the call is counted."""

    store: FakeSessionStore

    async def generate(self, request: ImageRequest, checkpoint: Checkpoint) -> GeneratedImage:
        count = checkpoint.before_paid_call

        async def then_full() -> None:
            await count()
            self.store.full = True

        checkpoint.before_paid_call = then_full  # type: ignore[method-assign]
        return await super().generate(request, checkpoint)


async def test_a_response_id_that_is_not_taken_is_recorded_beside_the_work() -> None:
    """The stream is read on meanwhile; the next run finds the id as soon as there is room."""
    workers = Workers(generating())
    workers.backend = backend = FillsUp()
    backend.store, backend.tells, backend.gate = workers.store, "resp_7", asyncio.Event()
    first, _ = workers.start("a")
    await eventually(lambda: workers.store.refused > 3)
    assert workers.candidate.response_id == ""
    workers.store.full = False
    await eventually(lambda: workers.candidate.response_id == "resp_7")
    backend.gate.set()
    assert await first == "generated"
    assert workers.calls == 1


async def test_four_candidates_are_each_paid_for_once_by_two_runs_each() -> None:
    workers = Workers(with_latest(generating(), candidates=an_attempt(images=4).candidates))
    workers.backend.gate = asyncio.Event()
    firsts = [workers.start(f"a{n}", n)[0] for n in range(1, 5)]
    await eventually(lambda: workers.calls == 4)
    seconds = [workers.start(f"b{n}", n)[0] for n in range(1, 5)]
    await asyncio.sleep(0.02)
    workers.backend.gate.set()
    assert await asyncio.gather(*firsts) == ["cancelled"] * 4
    assert sorted(await asyncio.gather(*seconds)) == ["generated", *["recorded"] * 3]
    assert workers.calls == 4


async def test_a_change_that_others_are_faster_with_again_and_again_is_made_in_the_end() -> None:
    """What has been paid for is in hand."""
    workers = Workers(generating())
    update, conflicts = workers.store.update, [Conflict(ID), Conflict(ID)]

    async def contended(session_id: str, change: Any, *extra: Any) -> Session:
        if workers.calls and conflicts:
            raise conflicts.pop()
        return await update(session_id, change)

    workers.store.update = contended  # type: ignore[method-assign, assignment]
    run, _ = workers.start("a")
    assert await run == "generated"
    assert (workers.calls, conflicts) == (1, [])


async def test_a_store_that_is_away_where_others_are_looked_for_costs_nothing() -> None:
    workers = Workers(generating())
    workers.store.away = True
    run, _ = workers.start("a")
    await eventually(lambda: workers.told)
    assert workers.calls == 0
    workers.store.away = False
    assert await run == "generated"


async def test_what_the_store_says_of_a_session_is_not_held_back() -> None:
    store = FakeSessionStore()
    retrying = RetryingStore(store, lambda *_: None)
    store.away = True
    with pytest.raises(StoreUnavailable):
        await retrying.load(ID)
