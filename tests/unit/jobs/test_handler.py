"""What each kind of job does, and that a stale one does nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.attempt import Candidate
from bot.domain.ending import not_published, publish_again
from bot.domain.errors import (
    FailureKind,
    NotInChannel,
    QueueFull,
    QueueUnavailable,
    SlackRefused,
    SlackUnavailable,
    StoreTrouble,
    StoreUnavailable,
)
from bot.domain.jobs import Job, JobKind, owed
from bot.domain.publication import Publication
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.domain.steps import start_over
from bot.generation import store_retries
from bot.ports import JobState
from bot.views.messages import root_message
from tests.fakes import ID, a_candidate, a_session, an_attempt, eventually, generating, with_latest
from tests.unit.jobs.setup import (
    CANCELLED,
    CANCELLED_2,
    Worker,
    announce,
    generate,
    publish,
    show_cancelled,
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
    worker = Worker(with_latest(NEW, run=job.run))
    await worker.run(job, repeated)
    assert worker.publisher.shown[0].details["repeated"] is True
    assert worker.queue.added == [generate()]


async def test_each_candidate_gets_a_job_of_its_own() -> None:
    worker = Worker(
        with_latest(NEW, candidates=(Candidate(1), Candidate(2, run=1), a_candidate(3)))
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


async def test_a_generation_brings_the_draft_and_keeps_the_status_true() -> None:
    worker = Worker(generating())
    await worker.run(generate())
    assert worker.without_status() == ["upload", "post_draft"]
    assert worker.session.stage is Stage.USER_FEEDBACK
    assert worker.publisher.shown[-1].what == "show_status"
    assert worker.publisher.shown[-1].session.stage is Stage.USER_FEEDBACK


@pytest.mark.parametrize(
    ("job", "told", "repeated"),
    [(generate(), False, False), (generate(), True, True), (generate(run=2), False, True)],
)
async def test_a_repeated_generation_says_so(job: Job, told: bool, repeated: bool) -> None:
    worker = Worker(generating())
    await worker.run(job, told)
    assert worker.publisher.of("post_draft")[0].details["repeated"] is repeated


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


async def test_a_finish_posts_the_final_image_and_marks_all_drafts_and_the_root() -> None:
    worker = Worker(a_session(Stage.FINAL, attempts=2))
    await worker.run(publish(2))
    assert worker.publisher.names() == [
        "post_final",
        "refresh_draft",
        "refresh_draft",
        "show_status",
    ]
    assert [s.details["number"] for s in worker.publisher.of("refresh_draft")] == [2, 1]
    assert worker.session.final_ts == "post_final:0"
    assert worker.session.publication is Publication.SHOWN


async def test_a_finish_that_died_after_its_post_does_the_rest_and_posts_nothing() -> None:
    worker = Worker(a_session(Stage.FINAL))
    worker.publisher.failures["refresh_draft"] = [AWAY]
    with pytest.raises(SlackUnavailable):
        await worker.run(publish())
    assert worker.session.final_ts == "post_final:0"
    await worker.run(publish(), True)
    assert worker.publisher.names()[2:] == ["refresh_draft", "show_status"]
    assert len(worker.publisher.of("post_final")) == 1
    assert owed(worker.session) == ()


async def test_a_finish_is_owed_until_its_drafts_show_it_however_often_workers_die() -> None:
    worker = Worker(a_session(Stage.FINAL))
    for run in range(3):
        worker.publisher.failures["refresh_draft"] = [AWAY]
        with pytest.raises(SlackUnavailable):
            await worker.run(publish(run=run))
        assert owed(worker.session) == (publish(),)
    await worker.run(publish(run=3))
    assert owed(worker.session) == ()


@pytest.mark.parametrize("refusals", [[REFUSED], [REFUSED, REFUSED]])
async def test_a_finish_that_died_after_it_was_refused_posts_and_tells_nothing_more(
    refusals: list[Exception],
) -> None:
    worker = Worker(a_session(Stage.FINAL))
    worker.publisher.failures = {"post_final": refusals, "refresh_draft": [AWAY]}
    with pytest.raises(SlackUnavailable):
        await worker.run(publish())
    await worker.run(publish(), True)
    assert worker.without_status() == ["post_final", "tell_owner", "refresh_draft", "refresh_draft"]
    assert (worker.session.final_ts, worker.session.publication) == ("", Publication.REFUSED)
    assert "Try again" in worker.session.error_message


async def test_what_is_asked_for_again_while_it_is_shown_as_refused_is_published() -> None:
    worker = Worker(a_session(Stage.FINAL))
    worker.publisher.failures["post_final"] = [REFUSED]
    refresh = worker.publisher.refresh_draft
    pressed: list[Session] = []

    async def pressed_meanwhile(session: Session, number: int) -> None:
        if not pressed:
            pressed.append(await worker.store.update(ID, lambda s: publish_again(s, 1)))
        await refresh(session, number)

    worker.publisher.refresh_draft = pressed_meanwhile  # type: ignore[method-assign]
    await worker.run(publish())
    assert owed(worker.session) == (publish(run=1),)
    await worker.run(publish(), True)  # its first run comes again, too late
    assert len(worker.publisher.of("post_final")) == 1
    await worker.run(publish(run=1))
    assert (worker.session.final_ts, worker.session.error_message) == ("post_final:0", "")
    assert owed(worker.session) == ()


STARTED_OVER = start_over(
    a_session(Stage.FINAL, attempts=2, final_ts="9.0", publication=Publication.SHOWN),
    "T1.U1.next",
    50.0,
)

STARTED_OVER_EARLY = start_over(a_session(Stage.FINAL, attempts=2), "T1.U1.next", 50.0)


async def test_a_session_that_was_started_over_loses_its_button_and_is_forgotten() -> None:
    worker = Worker(STARTED_OVER)
    await worker.run(Job(JobKind.RETIRE, ID, 2))
    assert worker.publisher.names() == ["retire_final"]
    shown = worker.publisher.shown[0].session
    assert (shown.final_ts, shown.final_result) == ("9.0", 2)
    assert worker.session.attempts == ()
    assert owed(worker.session) == ()


async def test_a_session_that_was_started_over_early_is_published_and_shown_first() -> None:
    worker = Worker(STARTED_OVER_EARLY)
    await worker.run(Job(JobKind.RETIRE, ID, 2))
    calls = ["post_final", "refresh_draft", "refresh_draft", "retire_final"]
    assert worker.without_status() == calls
    assert worker.publisher.shown[0].details["repeated"] is True
    assert {call.session.final_result for call in worker.publisher.shown} == {2}
    assert {call.session.stage for call in worker.publisher.shown} == {Stage.FINAL}
    assert (worker.session.attempts, owed(worker.session)) == ((), ())


async def test_what_was_refused_and_then_started_over_is_not_posted_and_offers_nothing() -> None:
    refused = not_published(a_session(Stage.FINAL), "words")
    worker = Worker(start_over(refused, "T1.U1.next", 60.0))
    await worker.run(Job(JobKind.RETIRE, ID, 1))
    assert worker.publisher.names() == ["refresh_draft", "show_status"]
    root = str(root_message(worker.publisher.shown[-1].session, None, 0.0))
    assert "did not let me post it" in root
    assert "button" not in root
    assert (worker.session.attempts, worker.session.error_message) == ((), "")


async def test_what_is_refused_once_it_was_started_over_cannot_be_tried_again() -> None:
    worker = Worker(STARTED_OVER_EARLY)
    worker.publisher.failures["post_final"] = [REFUSED]
    await worker.run(Job(JobKind.RETIRE, ID, 2))
    (told,) = worker.publisher.of("tell_owner")
    assert "before you started over" in told.details["words"]
    assert "Try again" not in told.details["words"]
    assert "button" not in str(root_message(worker.publisher.shown[-1].session, None, 0.0))


@pytest.mark.parametrize("early", [False, True])
async def test_a_final_message_that_is_gone_is_no_reason_to_remember(early: bool) -> None:
    worker = Worker(STARTED_OVER_EARLY if early else STARTED_OVER)
    worker.publisher.failures["retire_final"] = [REFUSED]
    worker.publisher.failures["post_final"] = [REFUSED]
    await worker.run(Job(JobKind.RETIRE, ID, 2))
    assert (worker.session.error_message, owed(worker.session)) == ("", ())


async def test_a_retirement_goes_on_when_slack_is_back() -> None:
    worker = Worker(STARTED_OVER)
    worker.publisher.failures["retire_final"] = [AWAY]
    with pytest.raises(SlackUnavailable):
        await worker.run(Job(JobKind.RETIRE, ID, 2))
    assert owed(worker.session) == (Job(JobKind.RETIRE, ID, 2),)


async def test_a_generation_that_died_after_its_draft_brings_the_status_up_to_date() -> None:
    worker = Worker(a_session())
    await worker.run(generate(), True)
    assert worker.without_status() == ["refresh_draft"]
    assert worker.publisher.shown[-1].what == "show_status"
    assert worker.backend.requests == []


async def test_a_repeated_job_of_an_image_that_is_made_leaves_the_preview_of_the_others() -> None:
    made = (Candidate(1, width=9, height=9), Candidate(2, runner="another"))
    worker = Worker(with_latest(generating(), candidates=made, preview_ts="7.7"), previews=True)
    await worker.run(generate(), repeated=True)
    assert worker.publisher.shown == []
    assert worker.session.latest.preview_ts == "7.7"


async def test_an_announcement_that_died_late_still_takes_the_old_buttons_away() -> None:
    """The generation that it had queued has brought its draft meanwhile."""
    worker = Worker(a_session(attempts=3))
    await worker.run(announce(2), repeated=True)
    assert worker.publisher.names() == ["refresh_draft"]
    assert worker.publisher.shown[0].details == {"number": 1}


async def test_a_generation_that_died_after_its_failure_gives_the_earlier_draft_back() -> None:
    failed = with_latest(a_session(attempts=2), message_ts="", failure=FailureKind.QUOTA)
    worker = Worker(replace(failed, error_message="w"))
    await worker.run(generate(2), True)
    assert worker.publisher.of("refresh_draft")[0].details == {"number": 1}


async def test_a_finish_that_died_marks_an_older_draft_too() -> None:
    """Approved after a later attempt had failed."""
    failed = with_latest(
        a_session(Stage.FINAL, attempts=2), message_ts="", failure=FailureKind.QUOTA
    )
    worker = Worker(
        replace(failed, final_result=1, final_ts="9.9", publication=Publication.PUBLISHED)
    )
    await worker.run(publish(1), True)
    assert worker.publisher.of("refresh_draft")[0].details == {"number": 1}
    assert worker.publisher.shown[-1].what == "show_status"


async def test_a_repeated_finish_looks_for_its_message_first() -> None:
    worker = Worker(a_session(Stage.FINAL))
    await worker.run(publish(run=1))
    assert worker.publisher.shown[0].details["repeated"] is True


async def test_a_final_image_that_cannot_be_posted_is_told_its_owner() -> None:
    worker = Worker(a_session(Stage.FINAL))
    worker.publisher.failures["post_final"] = [SlackRefused("chat.postMessage", "is_archived")]
    await worker.run(publish())
    assert worker.without_status() == ["post_final", "tell_owner", "refresh_draft"]
    assert "approved" in worker.session.error_message
    assert worker.session.final_ts == ""


async def test_a_draft_that_cannot_be_marked_does_not_undo_the_final() -> None:
    worker = Worker(a_session(Stage.FINAL))
    worker.publisher.failures["refresh_draft"] = [REFUSED]
    await worker.run(publish())
    assert worker.publisher.names()[-1] == "show_status"
    assert worker.session.final_ts


async def test_a_generation_that_died_after_its_draft_leaves_no_preview() -> None:
    worker = Worker(with_latest(a_session(), preview_ts="7.7"))
    await worker.run(generate(), True)
    assert worker.without_status() == ["remove_preview", "refresh_draft"]
    assert worker.session.latest.preview_ts == ""


# cancelling


async def test_a_cancellation_is_shown_by_edits_alone_and_recorded() -> None:
    worker = Worker(CANCELLED_2)
    await worker.run(show_cancelled(2))
    assert worker.cancellations.sent == [ID]
    assert worker.publisher.names() == ["show_status", "refresh_draft"]
    assert worker.publisher.of("refresh_draft")[0].details == {"number": 1}
    assert worker.session.latest.cancel_shown
    assert owed(worker.session) == ()


async def test_without_a_draft_there_is_only_the_root_to_edit() -> None:
    worker = Worker(CANCELLED)
    await worker.run(show_cancelled())
    assert worker.publisher.names() == ["show_status"]
    assert owed(worker.session) == ()


async def test_a_session_that_was_cancelled_before_its_root_is_shown_nowhere() -> None:
    worker = Worker(replace(CANCELLED, root_ts="", thread_ts=""))
    await worker.run(show_cancelled())
    assert worker.publisher.shown == []
    assert owed(worker.session) == ()


async def test_while_slack_is_away_the_cancellation_is_shown_later() -> None:
    worker = Worker(CANCELLED_2)
    worker.publisher.failures["refresh_draft"] = [AWAY]
    with pytest.raises(SlackUnavailable):
        await worker.run(show_cancelled(2))
    assert owed(worker.session) == (show_cancelled(2),)
    await worker.run(show_cancelled(2), True)
    assert owed(worker.session) == ()


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

    async def cancelled_meanwhile(session: Session, words: str) -> None:
        await tell(session, words)
        await worker.cancel()

    worker.publisher.tell_owner = cancelled_meanwhile  # type: ignore[method-assign]
    await worker.run(announce())
    assert worker.session.latest.cancelled


async def test_a_cancelled_attempt_that_was_queued_is_neither_announced_nor_generated() -> None:
    worker = Worker(CANCELLED)
    for job in (announce(), generate()):
        await worker.run(job)
        await worker.run(job, True)
    assert worker.publisher.shown == []
    assert worker.backend.requests == []


async def test_an_announcement_waits_for_a_full_queue_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store_retries, "FIRST_PAUSE", 0.002)
    monkeypatch.setattr(store_retries, "LONGEST_PAUSE", 0.004)
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
