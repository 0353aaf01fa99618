"""The announcement of an attempt, before anything is paid for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.attempt import Candidate
from bot.domain.errors import (
    NotInChannel,
    QueueFull,
    QueueUnavailable,
    SlackRefused,
    SlackUnavailable,
    StoreTrouble,
)
from bot.domain.failures import FailureKind
from bot.domain.jobs import Job, JobKind
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.generation import recording
from bot.progress.draft_refresher import DRAFTS_EDITED
from tests.fakes import IMAGE, a_candidate, a_session, eventually, generating, with_latest
from tests.unit.jobs.setup import (
    Worker,
    announce,
    generate,
)

NEW = with_latest(generating(root_ts="", thread_ts=""), announced=False)
REFUSED = SlackRefused("chat.update", "message_not_found")
AWAY = SlackUnavailable("away")


async def test_the_first_announcement_posts_the_root_and_queues_the_generation() -> None:
    worker = Worker(NEW)
    await worker.run(announce())
    assert worker.publisher.names() == ["post_root"]
    assert worker.publisher.shown[0].details == {"ahead": 0, "repeated": False}
    assert (worker.session.root_ts, worker.session.thread_ts) == ("post_root:0", "post_root:0")
    assert worker.queue.added == [generate()]


async def test_a_session_in_a_thread_of_others_stays_in_it() -> None:
    worker = Worker(replace(NEW, thread_ts="0.5"))
    await worker.run(announce())
    assert worker.publisher.names() == ["post_root"]
    assert (worker.session.root_ts, worker.session.thread_ts) == ("post_root:0", "0.5")


async def test_the_root_says_how_many_are_ahead() -> None:
    worker = Worker(NEW)
    for token in "abc":
        await worker.queue.add(Job(JobKind.GENERATE, f"T1.U9.{token}", 1))
    await worker.run(announce())
    assert worker.publisher.shown[0].details["ahead"] == 3


@pytest.mark.parametrize(("job", "repeated"), [(announce(run=1), False), (announce(), True)])
async def test_a_repeated_announcement_says_so(job: Job, repeated: bool) -> None:
    worker = Worker(with_latest(NEW, requeues=job.run))
    await worker.run(job, repeated)
    assert worker.publisher.shown[0].details["repeated"] is True
    assert worker.queue.added == [generate()]


async def test_each_candidate_gets_a_job_of_its_own() -> None:
    worker = Worker(
        with_latest(NEW, candidates=(Candidate(1), Candidate(2, requeues=1), a_candidate(3)))
    )
    await worker.run(announce())
    assert worker.queue.added == [generate(), generate(run=1, candidate=2)]
    assert worker.session.latest.announced


async def test_a_root_that_is_recorded_is_not_posted_again() -> None:
    worker = Worker(generating())
    await worker.run(announce(), True)
    assert "post_root" not in worker.publisher.names()
    assert worker.queue.added == [generate()]


async def test_the_queue_being_away_repeats_the_announcement_without_a_second_root() -> None:
    worker = Worker(NEW)
    add, calls = worker.queue.add, 0

    async def away_once(job: Job) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise QueueUnavailable("away")
        await add(job)

    worker.queue.add = away_once  # type: ignore[method-assign]
    with pytest.raises(QueueUnavailable):
        await worker.run(announce())
    await worker.run(announce(), True)
    assert len(worker.publisher.of("post_root")) == 1
    assert worker.queue.added == [generate()]


async def test_a_later_announcement_takes_the_old_buttons_away() -> None:
    worker = Worker(generating(2))
    await worker.run(announce(2))
    assert worker.publisher.names() == ["show_status", "refresh_draft"]
    assert worker.publisher.shown[0].details == {"ahead": 0, "waits_for": None}
    assert worker.publisher.shown[1].details == {"number": 1}
    assert worker.queue.added == [generate(2)]


@pytest.mark.parametrize("earlier", [2, 5, 10])
async def test_what_an_attempt_asks_of_slack_does_not_grow_with_the_drafts_before_it(
    earlier: int,
) -> None:
    number = earlier + 1
    worker = Worker(generating(number), IMAGE)
    await worker.run(announce(number))
    await worker.run(generate(number))
    assert worker.session.stage is Stage.USER_FEEDBACK
    edits = [call.details["number"] for call in worker.publisher.of("refresh_draft")]
    newest = [n for n in range(earlier, 0, -1) if n > earlier - DRAFTS_EDITED]
    assert edits == newest * 2, "without their buttons, and with them again"
    assert worker.without_status()[-2 - len(newest) :] == [
        "upload",
        "post_draft",
        *["refresh_draft"] * len(newest),
    ]


@pytest.mark.parametrize("code", ["not_in_channel", "channel_not_found", "is_archived"])
async def test_a_later_attempt_in_a_channel_that_is_lost_pays_nothing(code: str) -> None:
    worker = Worker(generating(2))
    worker.publisher.failures["show_status"] = [SlackRefused("chat.update", code)]
    await worker.run(announce(2))
    assert worker.queue.added == []
    assert worker.publisher.names()[-1] == "tell_owner"
    assert worker.session.stage is Stage.USER_FEEDBACK
    assert worker.session.error_message


@pytest.mark.parametrize(
    ("call", "error"),
    [("refresh_draft", REFUSED), ("show_status", AWAY)],
)
async def test_an_old_draft_that_cannot_be_edited_does_not_stop_the_next(
    call: str, error: Exception
) -> None:
    worker = Worker(generating(2))
    worker.publisher.failures[call] = [error]
    await worker.run(announce(2))
    assert worker.queue.added == [generate(2)]


async def test_an_old_draft_that_cannot_be_edited_now_is_edited_by_another_run() -> None:
    worker = Worker(generating(2))
    worker.publisher.failures["refresh_draft"] = [AWAY]
    with pytest.raises(SlackUnavailable):
        await worker.run(announce(2))
    assert worker.queue.added == [generate(2)]
    await worker.run(announce(2), True)
    assert [call.details["number"] for call in worker.publisher.of("refresh_draft")] == [1, 1]


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (
            NotInChannel("chat.postMessage", "not_in_channel"),
            FailureKind.NOT_IN_CHANNEL,
            "/invite @imagine",
        ),
        (
            SlackRefused("chat.postMessage", "restricted_action"),
            FailureKind.CHANNEL_CLOSED,
            "another channel",
        ),
    ],
)
async def test_where_nothing_can_be_shown_nothing_is_paid(
    error: Exception, kind: FailureKind, says: str
) -> None:
    worker = Worker(NEW)
    worker.publisher.failures["post_root"] = [error]
    await worker.run(announce())
    assert worker.queue.added == []
    assert worker.backend.requests == []
    assert worker.publisher.names() == ["post_root", "tell_owner"]
    assert says in worker.publisher.shown[1].details["words"]
    assert worker.session.stage is Stage.INITIAL_INPUT
    assert worker.session.latest.failure is kind
    assert says in worker.session.error_message


async def test_while_slack_is_away_the_announcement_is_put_off() -> None:
    worker = Worker(NEW)
    worker.publisher.failures["post_root"] = [AWAY]
    with pytest.raises(SlackUnavailable):
        await worker.run(announce())
    assert worker.session == NEW
    assert worker.queue.added == []


async def test_an_announcement_that_died_late_still_takes_the_old_buttons_away() -> None:
    """The generation that it had queued has brought its draft meanwhile."""
    worker = Worker(a_session(attempts=3))
    await worker.run(announce(2), repeated=True)
    assert worker.publisher.names() == ["refresh_draft"]
    assert worker.publisher.shown[0].details == {"number": 1}


@pytest.mark.parametrize("call", ["post_root", "show_status"])
async def test_what_is_cancelled_while_it_is_announced_says_so_and_is_not_generated(
    call: str,
) -> None:
    number = 1 if call == "post_root" else 2
    worker = Worker(NEW if number == 1 else generating(2))
    show = worker.publisher._show

    async def cancelled_meanwhile(what: str, session: Session, **details: Any) -> str:
        answer = await show(what, session, **details)
        await worker.cancel()
        return answer

    worker.publisher._show = cancelled_meanwhile  # type: ignore[method-assign]
    await worker.run(announce(number))
    assert worker.queue.added == []
    assert worker.publisher.names() == [call, "show_status"]
    assert worker.publisher.shown[-1].session.latest.cancelled


async def test_what_is_cancelled_while_the_channel_is_lost_stays_cancelled() -> None:
    worker = Worker(NEW)
    worker.publisher.failures["post_root"] = [NotInChannel("chat.postMessage", "not_in_channel")]
    tell = worker.publisher.tell_owner

    async def cancelled_meanwhile(
        session: Session, words: str, *, failed: int = 0, try_again: bool = True
    ) -> None:
        await tell(session, words, failed=failed, try_again=try_again)
        await worker.cancel()

    worker.publisher.tell_owner = cancelled_meanwhile  # type: ignore[method-assign]
    await worker.run(announce())
    assert worker.session.latest.cancelled


async def test_an_announcement_waits_for_a_full_queue_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recording, "FIRST_PAUSE", 0.002)
    monkeypatch.setattr(recording, "LONGEST_PAUSE", 0.004)
    worker = Worker(generating())
    add, full = worker.queue.add, [True]

    async def refused(job: Job) -> None:
        if full:
            raise QueueFull("fake")
        await add(job)

    worker.queue.add = refused  # type: ignore[method-assign]
    running = worker.start(announce())
    shown = worker.publisher.of
    await eventually(
        lambda: [s for s in shown("show_status") if s.details["waits_for"] is StoreTrouble.FULL]
    )
    full.clear()
    await running
    assert worker.queue.added == [generate()]


@pytest.mark.parametrize("posted", [True, False])
async def test_a_root_that_another_run_posted_while_it_waited_for_its_turn_is_left(
    posted: bool,
) -> None:
    worker = Worker(NEW)

    def meanwhile() -> None:
        if posted:
            worker.store.sessions[NEW.id] = replace(NEW, root_ts="9.0", thread_ts="9.0")

    worker.publisher.meanwhile = meanwhile
    await worker.run(announce())
    assert worker.publisher.names() == ([] if posted else ["post_root"])
    assert worker.queue.added == ([] if posted else [generate()])
