"""A job that is stale does nothing; one whose store is away is put off."""

from __future__ import annotations

import pytest

from bot.domain.errors import (
    StoreUnavailable,
)
from bot.domain.jobs import Job
from bot.domain.session import Session
from bot.domain.stages import Publication, Stage
from tests.fakes import a_session, generating
from tests.unit.jobs.setup import (
    CANCELLED,
    Worker,
    announce,
    generate,
    publish,
    show_cancelled,
)


@pytest.mark.parametrize(
    "session",
    [
        a_session(Stage.INITIAL_INPUT),
        a_session(),
        generating(2),
        a_session(Stage.FINAL, final_ts="9.0", publication=Publication.SHOWN),
    ],
    ids=["initial_input", "user_feedback", "newer attempt", "final"],
)
@pytest.mark.parametrize("job", [announce(), generate(), show_cancelled(), publish()])
async def test_a_stale_job_does_nothing(session: Session, job: Job) -> None:
    worker = Worker(session)
    await worker.run(job)
    assert worker.backend.requests == []
    assert worker.queue.added == []
    assert not {"post_root", "upload", "post_draft", "post_final"} & set(worker.publisher.names())
    assert worker.session == session


async def test_a_job_of_an_expired_session_does_nothing() -> None:
    worker = Worker(generating())
    worker.store.sessions.clear()
    for job in (announce(), generate(), publish()):
        await worker.run(job)
    assert worker.publisher.shown == []


async def test_a_job_is_put_off_while_the_store_is_away() -> None:
    worker = Worker(generating())
    worker.store.away = True
    with pytest.raises(StoreUnavailable):
        await worker.run(generate())


async def test_a_cancelled_attempt_that_was_queued_is_neither_announced_nor_generated() -> None:
    worker = Worker(CANCELLED)
    for job in (announce(), generate()):
        await worker.run(job)
        await worker.run(job, True)
    assert worker.publisher.shown == []
    assert worker.backend.requests == []
