"""`GenerateImage`: what it asks for, what it retries, and what it records of each candidate."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import pocketflow
import pytest

from bot.domain.attempt import Attempt, Candidate, ImageRef, Source
from bot.domain.costs import CallState
from bot.domain.errors import SlackAppBlocked, SlackUnavailable, StoreUnavailable
from bot.domain.failures import RETRYABLE, FailureKind, GenerationError
from bot.domain.images import BaseImage
from bot.domain.options import Options
from bot.domain.session import Session, with_attempt
from bot.flow import Shared, generate, shared_store
from bot.flow.generate import TRIES, WAIT, GenerateImage
from bot.generation import recording
from bot.generation.image_requests import ImageRequests
from bot.generation.recording import RunCheckpoint
from bot.ports import OnReading
from bot.telemetry.meters import GenerationMeter
from bot.views.failure_words import failure_words
from tests.fakes import (
    ID,
    IMAGE,
    PNG,
    PROMPT,
    FakeFiles,
    FakeHeartbeats,
    FakeImageBackend,
    FakeSessionStore,
    FakeSlackAccess,
    FakeTime,
    a_picture_loader,
    an_attempt,
    eventually,
    generating,
    with_latest,
)

ENCODED = base64.b64encode(PNG).decode()
OTHER = replace(IMAGE, data=b"other", response_id="resp_2")
KEPT = "a2VwdA=="
LOST = GenerationError(FailureKind.TIMED_OUT)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    """Nobody waits between the tries."""
    fake = FakeTime()
    quick = SimpleNamespace(**{**vars(asyncio), "sleep": fake.sleep})
    monkeypatch.setattr(generate, "time", fake)
    monkeypatch.setattr(recording, "time", fake)
    monkeypatch.setattr(recording, "asyncio", quick)
    monkeypatch.setattr(pocketflow, "asyncio", quick)
    return fake


class Run:
    """Runs of the node for one session."""

    def __init__(self, session: Session, *outcomes: object) -> None:
        self.store = FakeSessionStore(session)
        self.backend = FakeImageBackend(*outcomes)  # type: ignore[arg-type]
        self.files = FakeFiles()
        self.heartbeats = FakeHeartbeats()
        self.changed: list[str] = []
        self.previews: list[tuple[str, ImageRef, str]] = []
        self.shared: Shared = {}

    async def __call__(self, candidate: int = 1) -> str:
        self.shared = shared_store(self.session, candidate, repeated=False)
        node = GenerateImage(
            self.store,
            self.backend,
            ImageRequests(self.store, self.files, a_picture_loader(self.files, self.heartbeats)),
            self.changed.append,
            partial(
                RunCheckpoint,
                self.store,
                self.heartbeats,
                FakeSlackAccess(),
                lambda *offered: self.previews.append(offered),
            ),
            GenerationMeter("responses"),
        )
        action = await node.run_async(self.shared)
        assert isinstance(action, str)
        return action

    async def each(self) -> list[str]:
        """The run of every candidate, one after the other."""
        return [await self(c.number) for c in self.candidates]

    @property
    def session(self) -> Session:
        return self.store.sessions[ID]

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        return self.session.latest.candidates


def of(images: int, **first: Any) -> Session:
    """A session that generates so many candidates; these facts of the first are recorded."""
    attempt = an_attempt(images=images)
    candidate = replace(attempt.candidate(1), **first)
    return with_attempt(generating(), attempt.with_candidate(candidate))


def delivering(session: Session, candidate: int = 1) -> Session:
    """Its images are all made, this one last."""
    return with_latest(session, delivery_candidate=candidate)


def edit_of(base: ImageRef, **changes: Any) -> Session:
    """A session whose second attempt, under way, edits an image."""
    attempt = Attempt(2, PROMPT, change="friendlier", base=base)
    return with_attempt(generating(2, **changes), attempt)


def known_by_id() -> Session:
    """An edit of an image that the store has lost; the provider knew it by its id."""
    session = edit_of(ImageRef(1))
    first = session.attempt(1)
    candidate = replace(first.candidate(1), response_id="resp_0")
    return with_attempt(session, first.with_candidate(candidate))


EDIT_BY_ID = known_by_id()


async def test_an_image_goes_into_the_shared_store_and_its_facts_into_the_session(
    time: FakeTime,
) -> None:
    run = Run(generating())
    assert await run() == "generated"
    assert run.shared["generated_image"] == ENCODED
    assert run.shared["input_used_by_process"] == PROMPT
    assert run.store.images[ID, ImageRef(1)] == ENCODED
    (candidate,) = run.candidates
    assert (candidate.mime_type, candidate.width, candidate.height) == ("image/png", 1024, 768)
    assert (candidate.response_id, run.session.latest.generated_at) == ("resp_1", 1000.0)
    assert run.changed == [ID, ID]


async def test_partial_images_are_offered_as_previews_of_their_image(time: FakeTime) -> None:
    run = Run(of(2))
    run.backend.partials = ["sketch"]
    await run(2)
    assert run.previews == [(ID, ImageRef(1, 2), "sketch")]


async def test_what_the_node_works_on_is_what_the_shared_store_says(time: FakeTime) -> None:
    """The session may have moved on since the dict was made."""
    run = Run(with_latest(generating(), prompt="a cat"))
    run.store.sessions[ID] = replace(run.session, task_input="a cat")
    await run()
    assert (run.shared["task_input"], run.shared["stage"]) == ("a cat", "generating")
    assert run.backend.requests[0].prompt == "a cat"


async def test_asks_for_the_attempts_prompt_and_options_and_hides_who_asks(time: FakeTime) -> None:
    options = Options(size="1536x1024", quality="high")
    session = replace(generating(2), task_input="a cat")
    run = Run(with_latest(session, prompt="a cat", options=options))
    await run()
    (request,) = run.backend.requests
    assert (request.prompt, request.attempt, request.candidate) == ("a cat", 2, 1)
    assert (request.options, request.response_id, request.base) == (options, "", None)
    assert request.end_user == hashlib.sha256(b"T1.U1").hexdigest()
    assert len(request.end_user) <= 128


async def test_the_start_is_recorded_once(time: FakeTime) -> None:
    run = Run(generating())
    await run()
    assert run.session.latest.started_at == 1000.0
    resumed = Run(with_latest(generating(), started_at=5.0))
    await resumed()
    assert resumed.session.latest.started_at == 5.0


async def test_the_bytes_are_kept_before_the_session_claims_an_image(time: FakeTime) -> None:
    run = Run(generating())
    run.store.writes_until_away = (
        2  # the start and the call are recorded, the image's facts are not
    )
    with pytest.raises(StoreUnavailable):
        await run()
    assert run.store.images[ID, ImageRef(1)] == ENCODED
    assert not run.candidates[0].has_image


async def test_the_response_id_is_recorded_before_the_image_is_there(time: FakeTime) -> None:
    run = Run(generating(), LOST)
    run.backend.tells = "resp_7"
    assert await run() == "failed"
    assert run.candidates[0].response_id == "resp_7"


async def test_an_id_that_cannot_be_recorded_does_not_cost_the_image(time: FakeTime) -> None:
    run = Run(generating())
    run.backend.tells = "resp_7"
    run.store.writes_until_away = 2
    with pytest.raises(StoreUnavailable):
        await run()
    assert len(run.backend.requests) == 1
    assert run.store.images[ID, ImageRef(1)] == ENCODED


async def test_a_repeated_run_goes_on_from_the_recorded_response(time: FakeTime) -> None:
    run = Run(of(1, response_id="resp_7"))
    await run()
    assert run.backend.requests[0].response_id == "resp_7"


async def test_a_recorded_image_is_not_asked_for_again(time: FakeTime) -> None:
    run = Run(delivering(of(1, width=9, height=9)))
    run.store.images[ID, ImageRef(1)] = KEPT
    assert await run() == "generated"
    assert run.backend.requests == []
    assert run.shared["input_used_by_process"] == PROMPT


async def test_an_uploaded_file_needs_no_image_even_when_that_has_expired(time: FakeTime) -> None:
    run = Run(delivering(of(1, width=9, height=9, file_id="F1")))
    assert await run() == "generated"
    assert run.backend.requests == []
    assert run.shared["generated_image"] == ""


async def test_an_image_that_expired_before_its_upload_is_asked_for_by_its_response(
    time: FakeTime,
) -> None:
    run = Run(delivering(of(1, width=9, height=9, response_id="resp_7")))
    assert await run() == "generated"
    assert [request.response_id for request in run.backend.requests] == ["resp_7"]
    assert run.store.images[ID, ImageRef(1)] == ENCODED


@pytest.mark.parametrize("kind", sorted(set(FailureKind) - RETRYABLE))
async def test_a_failure_that_retrying_cannot_mend_is_not_retried(
    time: FakeTime, kind: FailureKind
) -> None:
    run = Run(generating(), GenerationError(kind, said="no"))
    assert await run() == "failed"
    assert len(run.backend.requests) == 1
    assert run.shared["failure"] == kind.value
    assert run.shared["error_message"] == failure_words(kind, said="no")
    assert (run.candidates[0].failure, run.candidates[0].said) == (kind, "no")
    assert run.shared["generated_image"] == ""
    assert sum(time.slept) == 0


@pytest.mark.parametrize("kind", sorted(RETRYABLE))
async def test_a_failure_that_may_pass_is_retried_until_the_tries_are_used_up(
    time: FakeTime, kind: FailureKind
) -> None:
    run = Run(generating(), GenerationError(kind))
    assert await run() == "failed"
    assert len(run.backend.requests) == TRIES == 3
    assert time.slept == [WAIT] * (TRIES - 1)
    assert run.shared["failure"] == kind.value


async def test_a_retry_waits_as_long_as_the_provider_says(time: FakeTime) -> None:
    limited = GenerationError(FailureKind.RATE_LIMITED, retry_after=7.5)
    run = Run(generating(), limited, GenerationError(FailureKind.PROVIDER_DOWN), IMAGE)
    assert await run() == "generated"
    assert time.slept == [7.5, WAIT]


@pytest.mark.parametrize(
    ("kind", "state"),
    [(FailureKind.RATE_LIMITED, CallState.FREE), (FailureKind.PROVIDER_DOWN, CallState.OPEN)],
)
async def test_a_call_that_costs_nothing_is_recorded_before_the_pause_until_the_next(
    time: FakeTime, monkeypatch: pytest.MonkeyPatch, kind: FailureKind, state: CallState
) -> None:
    run, seen = Run(generating(), GenerationError(kind), IMAGE), list[CallState]()

    async def sleep(seconds: float) -> None:
        seen.extend(call.state for call in run.candidates[0].calls)

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(pocketflow, "asyncio", SimpleNamespace(**{**vars(asyncio), "sleep": sleep}))
    assert await run() == "generated"
    assert seen == [state]
    ends = [call.state for call in run.candidates[0].calls]
    lost = CallState.ESTIMATED if state is CallState.OPEN else state
    assert ends == [lost, CallState.ESTIMATED]  # the image told no usage


async def test_every_try_is_logged_and_then_that_there_is_no_image(
    time: FakeTime, caplog: pytest.LogCaptureFixture
) -> None:
    run = Run(generating(), GenerationError(FailureKind.PROVIDER_DOWN))
    assert await run() == "failed"
    tried = ["a try brought no image: provider_down"] * (TRIES - 1)
    assert caplog.messages[-TRIES:] == [*tried, "no image: provider_down"]


async def test_a_bug_in_building_the_request_fails_the_job_before_anything_is_paid(
    time: FakeTime,
) -> None:
    run = Run(edit_of(ImageRef(0), source=Source("F9")))

    async def broken(file_id: str, on_reading: OnReading | None = None) -> BaseImage:
        raise RuntimeError("a bug")

    run.files.fetch = broken  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        await run()
    assert run.backend.requests == []


async def test_a_slack_that_is_away_while_the_picture_is_read_fails_the_job_at_once(
    time: FakeTime,
) -> None:
    run = Run(edit_of(ImageRef(0), source=Source("F9")))
    asked: list[str] = []

    async def away(file_id: str, on_reading: OnReading | None = None) -> BaseImage:
        asked.append(file_id)
        raise SlackUnavailable("away")

    run.files.fetch = away  # type: ignore[method-assign]
    with pytest.raises(SlackUnavailable):
        await run()
    assert (asked, run.backend.requests, run.candidates[0].failure) == (["F9"], [], None)


async def test_a_picture_that_is_read_is_read_once_however_often_the_call_is_tried(
    time: FakeTime,
) -> None:
    run = Run(
        edit_of(ImageRef(0), source=Source("F9")),
        GenerationError(FailureKind.PROVIDER_DOWN),
        IMAGE,
    )
    run.files.kept["F9"] = PNG
    assert await run() == "generated"
    first, second = run.backend.requests
    assert run.files.fetched == ["F9"]
    assert first.base == second.base
    assert first.base is not None


@pytest.mark.parametrize(
    "error",
    [
        SlackAppBlocked("chat.update", "token_revoked"),
        StoreUnavailable("away"),
        SlackUnavailable("x"),
    ],
)
async def test_what_another_try_of_the_run_cannot_mend_fails_the_job_at_once(
    time: FakeTime, error: Exception
) -> None:
    run = Run(generating(), error)
    with pytest.raises(type(error)):
        await run()
    assert len(run.backend.requests) == 1
    assert sum(time.slept) == 0


async def test_a_wait_that_is_too_long_is_reported_instead(time: FakeTime) -> None:
    run = Run(generating(), GenerationError(FailureKind.RATE_LIMITED, retry_after=60.1))
    assert await run() == "failed"
    assert len(run.backend.requests) == 1


async def test_a_retry_goes_on_from_the_response_of_the_try_before(time: FakeTime) -> None:
    run = Run(generating(), GenerationError(FailureKind.PROVIDER_DOWN), IMAGE)
    run.backend.tells = "resp_7"
    assert await run() == "generated"
    assert [request.response_id for request in run.backend.requests] == ["", "resp_7"]


async def test_a_backend_that_breaks_is_not_asked_again_and_nothing_of_it_is_told(
    time: FakeTime, caplog: pytest.LogCaptureFixture
) -> None:
    run = Run(generating(), RuntimeError("sk-secret"))
    assert await run() == "failed"
    assert len(run.backend.requests) == 1
    assert run.shared["failure"] == "internal"
    assert "sk-secret" not in caplog.text


async def test_a_store_that_is_away_ends_the_run_before_anything_is_paid(time: FakeTime) -> None:
    run = Run(generating())
    run.store.away = True
    with pytest.raises(StoreUnavailable):
        await run()
    assert run.backend.requests == []


# the image to edit


async def test_an_edit_that_the_provider_has_forgotten_is_asked_for_with_slacks_copy(
    time: FakeTime,
) -> None:
    run = Run(EDIT_BY_ID, GenerationError(FailureKind.BASE_GONE), IMAGE)
    fetch, slow = run.files.fetch, [True]

    async def slow_at_first(file_id: str, on_reading: OnReading | None = None) -> BaseImage:
        if slow:
            slow.clear()
            raise SlackUnavailable("slow")
        return await fetch(file_id, on_reading)

    run.files.fetch = slow_at_first  # type: ignore[method-assign]
    run.files.kept = {EDIT_BY_ID.attempt(1).candidate(1).file_id: b"from Slack"}
    assert await run() == "generated"
    first, second = (request.base for request in run.backend.requests)
    assert first is not None
    assert second is not None
    assert (first.data, first.response_id) == (b"", "resp_0")
    assert (second.data, second.response_id) == (b"from Slack", "")


async def test_an_edit_of_what_neither_the_provider_nor_slack_has_says_that_it_is_gone(
    time: FakeTime,
) -> None:
    run = Run(EDIT_BY_ID, GenerationError(FailureKind.BASE_GONE), IMAGE)
    assert await run() == "failed"
    assert run.candidates[0].failure is FailureKind.BASE_GONE
    assert len(run.backend.requests) == 1


# several candidates


async def test_each_candidate_is_recorded_and_the_last_one_goes_on(time: FakeTime) -> None:
    run = Run(of(3), IMAGE, OTHER, IMAGE)
    assert await run.each() == ["recorded", "recorded", "generated"]
    assert [request.candidate for request in run.backend.requests] == [1, 2, 3]
    assert [c.response_id for c in run.candidates] == ["resp_1", "resp_2", "resp_1"]
    assert run.shared["generated_image"] == ENCODED
    assert set(run.store.images) == {(ID, ImageRef(1, n)) for n in (1, 2, 3)}
    assert run.session.latest.delivery_candidate == 3


async def test_of_candidates_made_at_once_one_goes_on(time: FakeTime) -> None:
    run = Run(of(4))
    actions = await asyncio.gather(*(run(n) for n in (4, 2, 1, 3)))
    assert sorted(actions) == ["generated", "recorded", "recorded", "recorded"]


async def test_one_that_fails_does_not_lose_the_others(time: FakeTime) -> None:
    run = Run(of(3), LOST, IMAGE, OTHER)
    assert await run.each() == ["recorded", "recorded", "generated"]
    assert [c.failure for c in run.candidates] == [FailureKind.TIMED_OUT, None, None]
    assert [c.number for c in run.session.latest.images] == [2, 3]
    assert run.shared["failure"] is None


async def test_one_that_fails_last_delivers_what_the_others_brought(time: FakeTime) -> None:
    run = Run(of(2), IMAGE, LOST)
    assert await run.each() == ["recorded", "generated"]
    assert (run.shared["generated_image"], run.session.latest.delivery_candidate) == ("", 2)


async def test_an_attempt_is_not_generated_before_all_are_made(time: FakeTime) -> None:
    run = Run(of(2))
    assert await run() == "recorded"
    assert not run.session.latest.generated_at
    assert await run(2) == "generated"
    assert run.session.latest.generated_at


async def test_a_repeated_run_of_one_that_was_made_leaves_the_delivery_to_the_last(
    time: FakeTime,
) -> None:
    run = Run(of(2))
    assert await run.each() == ["recorded", "generated"]
    run.backend.requests.clear()
    assert await run(1) == "recorded"
    assert await run(2) == "generated", "its worker may have died"
    assert run.backend.requests == []


async def test_a_candidate_that_failed_before_is_not_asked_for_again(time: FakeTime) -> None:
    run = Run(of(2, failure=FailureKind.MODERATION))
    assert await run.each() == ["recorded", "generated"]
    assert [request.candidate for request in run.backend.requests] == [2]


async def test_when_all_failed_the_most_telling_is_reported(time: FakeTime) -> None:
    failures = [
        GenerationError(FailureKind.TIMED_OUT),
        GenerationError(FailureKind.DECLINED, said="I'd rather not."),
        GenerationError(FailureKind.QUOTA),
    ]
    run = Run(of(3), *failures)
    assert await run.each() == ["recorded", "recorded", "failed"]
    assert run.shared["failure"] == "declined"
    assert "I'd rather not." in run.shared["error_message"]
    assert not run.session.latest.generated_at


async def test_failures_are_remembered_by_a_repeated_run(time: FakeTime) -> None:
    run = Run(of(2), GenerationError(FailureKind.BAD_KEY), LOST)
    await run.each()
    run.backend.requests.clear()
    assert await run(2) == "failed"
    assert run.backend.requests == []
    assert run.shared["failure"] == "bad_key"


async def test_a_cancelled_run_has_recorded_what_was_on_its_way_into_the_store() -> None:
    """The provider's ids are what the provider is stopped by."""
    run = Run(of(1))
    run.backend.tells = "resp_7"
    run.backend.gate = asyncio.Event()
    update, held = run.store.update, asyncio.Event()

    async def slowly(session_id: str, change: Any, *extra: Any) -> Session:
        if run.backend.requests:
            held.set()
            await asyncio.sleep(0.05)
        return await update(session_id, change)

    run.store.update = slowly  # type: ignore[method-assign, assignment]
    running = asyncio.create_task(run())
    await held.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [c.response_id for c in run.candidates] == ["resp_7"]


async def test_an_image_that_came_is_recorded_though_its_run_is_cancelled() -> None:
    run = Run(of(1))
    keep, held = run.store.keep_image, asyncio.Event()

    async def slowly(session_id: str, image: ImageRef, encoded: str) -> None:
        held.set()
        await asyncio.sleep(0.05)
        await keep(session_id, image, encoded)

    run.store.keep_image = slowly  # type: ignore[method-assign]
    running = asyncio.create_task(run())
    await held.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert run.candidates[0].has_image


# cancelled attempts, and images to edit


@pytest.mark.parametrize("when", ["before", "meanwhile"])
async def test_an_attempt_that_nobody_waits_for_ends_quietly(time: FakeTime, when: str) -> None:
    run = Run(generating())
    gone = with_latest(generating(), failure=FailureKind.CANCELLED)
    gone = replace(gone, stage=gone.stage.INITIAL_INPUT)
    node_shared = asyncio.create_task(run()) if when == "meanwhile" else None
    if node_shared is None:
        run.store.sessions[ID] = gone
        assert await run() == "cancelled"
        assert run.backend.requests == []
        return
    run.backend.gate = asyncio.Event()
    await eventually(lambda: run.backend.requests)
    run.store.sessions[ID] = gone
    run.backend.gate.set()
    assert await node_shared == "cancelled"


async def test_an_edit_asks_for_the_change_to_its_image(time: FakeTime) -> None:
    run = Run(edit_of(ImageRef(1)))
    run.store.images[ID, ImageRef(1)] = KEPT
    await run()
    (request,) = run.backend.requests
    assert request.base is not None
    assert (request.base.data, request.base.mime_type) == (b"kept", "image/png")
    assert (request.prompt, request.change) == (PROMPT, "friendlier")


@pytest.mark.parametrize("kind", [FailureKind.SOURCE_GONE, FailureKind.SOURCE_UNREADABLE])
async def test_an_image_that_cannot_be_had_fails_before_anything_is_paid(
    time: FakeTime, kind: FailureKind
) -> None:
    run = Run(edit_of(ImageRef(0), source=Source("F9")))

    async def refused(file_id: str, on_reading: OnReading | None = None) -> BaseImage:
        raise GenerationError(kind)

    run.files.fetch = refused  # type: ignore[method-assign]
    assert await run() == "failed"
    assert run.backend.requests == []
    assert run.shared["failure"] == kind.value
