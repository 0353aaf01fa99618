"""A job that is stale does nothing; one whose store is away is put off. While Slack refuses the app
nothing is paid for, nothing is lost, and the person is told once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.app_blocked import REQUIRED_SCOPES
from bot.domain.errors import SlackAppBlocked, SlackRefused, StoreUnavailable
from bot.domain.failures import FailureKind
from bot.domain.jobs import Job
from bot.domain.session import Session
from bot.domain.stages import Publication, Stage
from bot.views.words import APP_BLOCKED
from tests.fakes import a_session, generating, with_latest
from tests.unit.jobs.setup import (
    CANCELLED,
    Worker,
    announce,
    generate,
    publish,
    show_cancelled,
)

NEW = generating(root_ts="", thread_ts="")
REVOKED = SlackAppBlocked("chat.postMessage", "token_revoked")
NO_PLACE = {"another channel", "nvite me", "/invite"}


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


# while Slack refuses the app


def shut(worker: Worker) -> Worker:
    worker.breaker.report("chat.postMessage", "token_revoked")
    return worker


@pytest.mark.parametrize("job", [announce(), generate()])
async def test_open_nothing_is_asked_of_slack_or_the_provider(job: Job) -> None:
    worker = shut(Worker(generating()))
    for _ in range(3):
        with pytest.raises(SlackAppBlocked):
            await worker.run(job, True)
    assert worker.backend.requests == []
    assert worker.publisher.names() == ["tell_owner"]
    assert worker.publisher.shown[0].details["words"] == APP_BLOCKED
    assert not any(place in APP_BLOCKED for place in NO_PLACE)
    assert worker.session.stage is Stage.GENERATING


@pytest.mark.parametrize("call", ["post_root", "show_status"])
async def test_an_announcement_that_is_shut_out_is_kept(call: str) -> None:
    worker = Worker(NEW if call == "post_root" else generating(2))
    worker.publisher.failures[call] = [REVOKED]
    with pytest.raises(SlackAppBlocked):
        await worker.run(announce(worker.session.latest.number))
    assert worker.queue.added == []
    assert worker.session.stage is Stage.GENERATING
    assert worker.publisher.names() == [call, "tell_owner"]


async def test_word_that_comes_between_the_first_look_and_the_call_is_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worker = Worker(generating())

    look = worker.breaker.require_access

    async def look_then_hear(*, paid: bool) -> None:
        if paid:
            await look(paid=True)
        worker.breaker.report("chat.update", "token_revoked")

    monkeypatch.setattr(worker.breaker, "require_access", look_then_hear)
    with pytest.raises(SlackAppBlocked):
        await worker.run(generate())
    assert worker.backend.requests == []


async def test_a_paid_image_waits_for_slack_and_is_paid_once() -> None:
    worker = Worker(generating())
    worker.publisher.failures["upload"] = [REVOKED]
    with pytest.raises(SlackAppBlocked):
        await worker.run(generate())
    assert len(worker.backend.requests) == 1
    await worker.run(generate(), True)
    assert len(worker.backend.requests) == 1
    assert worker.session.stage is Stage.USER_FEEDBACK


async def test_half_open_what_is_paid_is_shown_and_nothing_else_is_paid() -> None:
    worker = shut(Worker(generating()))
    worker.scopes = REQUIRED_SCOPES
    await worker.breaker.look()
    with pytest.raises(SlackAppBlocked):
        await worker.run(generate())
    assert worker.backend.requests == []
    worker.breaker.worked("chat.postMessage")
    await worker.run(generate(), True)
    assert len(worker.backend.requests) == 1
    assert worker.breaker.is_closed


async def test_giving_up_waits_for_slack() -> None:
    worker = Worker(generating())
    worker.publisher.failures["upload"] = [REVOKED]
    job = replace(generate(run=5), gives_up=True)
    with pytest.raises(SlackAppBlocked):
        await worker.run(job)
    assert worker.session.stage is Stage.GENERATING


# a refusal of the status alone


@pytest.mark.parametrize(
    "code", ["message_not_found", "cant_update_message", "edit_window_closed", "invalid_blocks"]
)
async def test_a_refused_status_is_not_paid_for_and_told_in_the_thread(code: str) -> None:
    worker = Worker(generating(2))
    worker.publisher.failures["show_status"] = [SlackRefused("chat.update", code)]
    await worker.run(announce(2))
    assert worker.queue.added == []
    assert worker.without_status() == ["post_failure"]
    assert worker.session.stage is Stage.USER_FEEDBACK
    assert worker.session.latest.failure is FailureKind.NOT_SHOWN
    assert "Try again" in worker.session.error_message
    assert worker.session.root_ts == ""


async def test_the_next_attempt_after_a_refused_status_posts_a_root_of_its_own() -> None:
    worker = Worker(generating(2, root_ts="", thread_ts="1.0"))
    await worker.run(announce(2))
    assert worker.publisher.names()[0] == "post_root"
    assert worker.queue.added == [generate(2)]
    assert (worker.session.root_ts, worker.session.thread_ts) == ("post_root:0", "1.0")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("is_archived", FailureKind.CHANNEL_ARCHIVED),
        ("restricted_action_read_only_channel", FailureKind.CHANNEL_CLOSED),
    ],
)
async def test_a_closed_channel_is_told_in_private(code: str, kind: FailureKind) -> None:
    worker = Worker(generating(2))
    worker.publisher.failures["show_status"] = [SlackRefused("chat.update", code)]
    await worker.run(announce(2))
    assert worker.queue.added == []
    assert worker.without_status() == ["tell_owner"]
    assert worker.session.latest.failure is kind


@pytest.mark.parametrize("code", ["is_archived", "message_not_found", "not_in_channel"])
async def test_what_has_waited_and_cannot_be_shown_any_more_is_not_paid(code: str) -> None:
    worker = Worker(generating())
    worker.publisher.failures["show_status"] = [SlackRefused("chat.update", code)]
    await worker.run(generate())
    assert worker.backend.requests == []
    assert worker.session.stage is Stage.INITIAL_INPUT
    assert worker.session.latest.failure is not None


async def test_what_was_begun_already_goes_on_all_the_same() -> None:
    worker = Worker(with_latest(generating(), started_at=101.0))
    worker.publisher.failures["show_status"] = [SlackRefused("chat.update", "is_archived")]
    await worker.run(generate(), True)
    assert len(worker.backend.requests) == 1
