"""`GenerateImage`: what it asks for, what it retries, and what it records."""

from __future__ import annotations

import base64
import hashlib
from types import SimpleNamespace

import pytest

from bot.domain.errors import RETRYABLE, FailureKind, GenerationError, StoreUnavailable
from bot.domain.session import Session
from bot.flow import generate
from bot.flow.generate import TRIES, GenerateImage
from bot.flow.shared import Shared, shared_store
from tests.fakes import (
    ID,
    IMAGE,
    PNG,
    PROMPT,
    FakeImageBackend,
    FakeSessionStore,
    FakeTime,
    generating,
    with_latest,
)

ENCODED = base64.b64encode(PNG).decode()


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    """Nobody waits between the tries."""
    fake = FakeTime()

    async def to_thread(function: object, *args: object) -> object:
        assert callable(function)
        return function(*args)

    monkeypatch.setattr(generate, "time", fake)
    monkeypatch.setattr(generate, "asyncio", SimpleNamespace(sleep=fake.sleep, to_thread=to_thread))
    return fake


class Run:
    """One run of the node for a session."""

    def __init__(self, session: Session, *outcomes: object) -> None:
        self.store = FakeSessionStore(session)
        self.backend = FakeImageBackend(*outcomes)  # type: ignore[arg-type]
        self.shared: Shared = shared_store(session, repeated=False)

    async def __call__(self) -> str:
        node = GenerateImage(self.store, self.backend, lambda _: None)
        action = await node.run_async(self.shared)
        assert isinstance(action, str)
        return action

    @property
    def session(self) -> Session:
        return self.store.sessions[ID]


async def test_an_image_goes_into_the_shared_store_and_its_facts_into_the_session(
    time: FakeTime,
) -> None:
    run = Run(generating())
    assert await run() == "generated"
    assert run.shared["generated_image"] == ENCODED
    assert run.shared["input_used_by_process"] == PROMPT
    assert run.store.images[ID, 1] == ENCODED
    attempt = run.session.latest
    assert (attempt.mime_type, attempt.width, attempt.height) == ("image/png", 1024, 768)
    assert (attempt.response_id, attempt.generated_at) == ("resp_1", 1000.0)
    assert run.session.input_used_by_process == PROMPT


async def test_asks_for_the_attempts_prompt_and_hides_who_asks(time: FakeTime) -> None:
    run = Run(with_latest(generating(2), prompt="a cat"))
    await run()
    (request,) = run.backend.requests
    assert (request.prompt, request.attempt, request.response_id) == ("a cat", 2, "")
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
    run.store.writes_until_away = 1  # the start is recorded, the image's facts are not
    with pytest.raises(StoreUnavailable):
        await run()
    assert run.store.images[ID, 1] == ENCODED
    assert not run.session.latest.has_image


async def test_the_response_id_is_recorded_before_the_image_is_there(time: FakeTime) -> None:
    run = Run(generating(), GenerationError(FailureKind.TIMED_OUT))
    run.backend.tells = "resp_7"
    assert await run() == "failed"
    assert run.session.latest.response_id == "resp_7"


async def test_a_repeated_run_goes_on_from_the_recorded_response(time: FakeTime) -> None:
    run = Run(with_latest(generating(), started_at=5.0, response_id="resp_7"))
    await run()
    assert run.backend.requests[0].response_id == "resp_7"


async def test_a_recorded_image_is_not_asked_for_again(time: FakeTime) -> None:
    run = Run(with_latest(generating(), started_at=5.0, width=9, height=9))
    run.store.images[ID, 1] = "a2VwdA=="
    assert await run() == "generated"
    assert run.backend.requests == []
    assert run.shared["generated_image"] == "a2VwdA=="


async def test_an_uploaded_file_needs_no_image_even_when_that_has_expired(time: FakeTime) -> None:
    run = Run(with_latest(generating(), width=9, height=9, file_id="F1"))
    assert await run() == "generated"
    assert run.backend.requests == []


async def test_an_image_that_expired_before_its_upload_is_asked_for_by_its_response(
    time: FakeTime,
) -> None:
    run = Run(with_latest(generating(), width=9, height=9, response_id="resp_7"))
    assert await run() == "generated"
    assert [request.response_id for request in run.backend.requests] == ["resp_7"]
    assert run.store.images[ID, 1] == ENCODED


@pytest.mark.parametrize("kind", sorted(set(FailureKind) - RETRYABLE))
async def test_a_failure_that_retrying_cannot_mend_is_not_retried(
    time: FakeTime, kind: FailureKind
) -> None:
    run = Run(generating(), GenerationError(kind, said="no"))
    assert await run() == "failed"
    assert len(run.backend.requests) == 1
    assert run.shared["failure"] == {"kind": kind.value, "said": "no"}
    assert run.shared["generated_image"] == ""
    assert sum(time.slept) == 0


@pytest.mark.parametrize("kind", sorted(RETRYABLE))
async def test_a_failure_that_may_pass_is_retried_until_the_tries_are_used_up(
    time: FakeTime, kind: FailureKind
) -> None:
    run = Run(generating(), GenerationError(kind))
    assert await run() == "failed"
    assert len(run.backend.requests) == TRIES == 3
    assert time.slept == [0, 1, 2]
    assert run.shared["failure"]["kind"] == kind.value


async def test_a_retry_waits_as_long_as_the_provider_says(time: FakeTime) -> None:
    limited = GenerationError(FailureKind.RATE_LIMITED, retry_after=7.5)
    run = Run(generating(), limited, GenerationError(FailureKind.PROVIDER_DOWN), IMAGE)
    assert await run() == "generated"
    assert time.slept == [0, 7.5, 2]


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
    assert run.shared["failure"] == {"kind": "internal", "said": ""}
    assert "sk-secret" not in caplog.text


async def test_a_store_that_is_away_ends_the_run_before_anything_is_paid(time: FakeTime) -> None:
    run = Run(generating())
    run.store.away = True
    with pytest.raises(StoreUnavailable):
        await run()
    assert run.backend.requests == []
