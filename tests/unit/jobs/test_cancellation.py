"""What the messages say after a cancellation, and what is left of the attempt."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.errors import (
    SlackUnavailable,
)
from bot.domain.jobs import due_jobs
from bot.ports import JobState
from tests.fakes import ID, a_candidate, an_attempt, generating, with_latest
from tests.unit.jobs.setup import (
    CANCELLED,
    CANCELLED_2,
    Worker,
    generate,
    show_cancelled,
)

AWAY = SlackUnavailable("away")


async def test_a_cancellation_is_shown_by_edits_alone_and_recorded() -> None:
    worker = Worker(CANCELLED_2)
    await worker.run(show_cancelled(2))
    assert worker.cancellations.sent == [ID]
    assert worker.publisher.names() == ["show_status", "refresh_draft"]
    assert worker.publisher.of("refresh_draft")[0].details == {"number": 1}
    assert worker.session.latest.cancel_shown
    assert due_jobs(worker.session) == ()


async def test_without_a_draft_there_is_only_the_root_to_edit() -> None:
    worker = Worker(CANCELLED)
    await worker.run(show_cancelled())
    assert worker.publisher.names() == ["show_status"]
    assert due_jobs(worker.session) == ()


async def test_a_session_that_was_cancelled_before_its_root_is_shown_nowhere() -> None:
    worker = Worker(replace(CANCELLED, root_ts="", thread_ts=""))
    await worker.run(show_cancelled())
    assert worker.publisher.shown == []
    assert due_jobs(worker.session) == ()


async def test_while_slack_is_away_the_cancellation_is_shown_later() -> None:
    worker = Worker(CANCELLED_2)
    worker.publisher.failures["refresh_draft"] = [AWAY]
    with pytest.raises(SlackUnavailable):
        await worker.run(show_cancelled(2))
    assert due_jobs(worker.session) == (show_cancelled(2),)
    await worker.run(show_cancelled(2), True)
    assert due_jobs(worker.session) == ()


async def test_a_cancellation_that_was_tried_again_has_nothing_left_to_show() -> None:
    worker = Worker(generating(2))
    await worker.run(show_cancelled(1))
    assert worker.publisher.shown == []
    assert worker.cancellations.sent == []


async def test_what_was_tried_again_while_it_was_shown_is_left_as_it_is() -> None:
    worker = Worker(CANCELLED)
    send = worker.cancellations.send
    again = replace(generating(2), attempts=(CANCELLED.latest, an_attempt(2)))

    async def tried_again(session_id: str) -> None:
        await send(session_id)
        worker.store.sessions[ID] = again

    worker.cancellations.send = tried_again  # type: ignore[method-assign]
    await worker.run(show_cancelled())
    assert worker.session == again


@pytest.mark.parametrize(
    ("state", "cleared"), [(JobState.RUNNING, []), (None, ["remove_preview", "remove_draft"])]
)
async def test_what_a_dead_worker_left_is_cleared_up_unless_its_job_still_runs(
    state: JobState | None, cleared: list[str]
) -> None:
    candidates = (a_candidate(response_id="resp_7"),)
    worker = Worker(with_latest(CANCELLED, started_at=1.0, preview_ts="7.7", candidates=candidates))
    if state:
        worker.queue.states[generate().id] = state
    await worker.run(show_cancelled())
    assert worker.without_status() == cleared


async def test_the_queue_being_away_does_not_keep_a_cancellation_from_being_shown() -> None:
    worker = Worker(with_latest(CANCELLED, started_at=1.0))
    worker.queue.away = True
    await worker.run(show_cancelled())
    assert worker.publisher.names() == ["show_status"]
