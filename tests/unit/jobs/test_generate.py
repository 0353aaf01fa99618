"""Stopping what runs: a cancelled attempt ends here and at the provider, a shutdown is none."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from typing import Any

import pytest

from bot.domain import begin
from bot.domain.attempt import Candidate, ImageRef
from bot.domain.errors import SlackRefused, SlackUnavailable, StoreTrouble
from bot.domain.failures import FailureKind
from bot.domain.jobs import Job
from bot.domain.session import Session, with_attempt
from bot.domain.stages import Stage
from bot.generation import recording
from bot.jobs import cancellation
from bot.jobs import generate as generations
from tests.fakes import (
    ID,
    PNG,
    a_candidate,
    a_session,
    an_attempt,
    eventually,
    generating,
    with_latest,
)
from tests.unit.jobs.setup import (
    Worker,
    generate,
)

TOO_LONG = 30.0


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cancellation, "SEARCH_AGAIN_AFTER", 0.01)


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks at a session without having had word."""
    monkeypatch.setattr(generations, "LOOK_EVERY", 600.0)


def of(images: int = 1, number: int = 1) -> Session:
    return with_latest(generating(number), candidates=an_attempt(images=images).candidates)


async def making(session: Session, **settings: Any) -> tuple[Worker, asyncio.Future[Any]]:
    """A worker in the middle of making the images; the provider's ids are recorded."""
    worker = Worker(session, **settings)
    worker.backend.tells = "resp_7"
    worker.backend.gate = asyncio.Event()
    running = worker.start_each()
    wanted = len(session.latest.candidates)
    await eventually(lambda: ids(worker) == ["resp_7"] * wanted, TOO_LONG)
    return worker, running


def ids(worker: Worker) -> list[str]:
    return [c.response_id for c in worker.session.latest.candidates]


def runners(worker: Worker) -> list[str]:
    return [c.run_id for c in worker.session.latest.candidates]


@pytest.mark.usefixtures("deaf")
async def test_word_of_a_cancellation_stops_the_work_here_and_at_the_provider() -> None:
    worker, running = await making(of(2))
    await worker.cancel()
    worker.watch.cancelled(ID)
    async with asyncio.timeout(TOO_LONG):
        await running
    assert worker.backend.cancelled == ["resp_7", "resp_7"]
    assert worker.without_status() == []
    assert worker.publisher.shown[-1].session.latest.cancelled


@pytest.mark.usefixtures("deaf")
async def test_word_that_was_lost_is_made_up_for_when_the_listening_begins_again() -> None:
    worker, running = await making(of())
    await worker.cancel()
    worker.watch.look_soon()
    async with asyncio.timeout(TOO_LONG):
        await running
    assert worker.backend.cancelled == ["resp_7"]


async def test_without_any_word_it_is_found_out_all_the_same() -> None:
    worker, running = await making(of())
    await worker.cancel()
    async with asyncio.timeout(TOO_LONG):
        await running
    assert worker.backend.cancelled == ["resp_7"]
    assert generations.LOOK_EVERY < 1.0


@pytest.mark.usefixtures("deaf")
async def test_word_of_other_sessions_or_of_none_that_is_cancelled_stops_nothing() -> None:
    worker, running = await making(of())
    worker.watch.cancelled("T1.U9.abc")
    worker.watch.cancelled(ID)
    worker.watch.look_soon()
    await asyncio.sleep(0.05)
    assert not running.done()
    assert worker.backend.gate is not None
    worker.backend.gate.set()
    await running
    assert worker.session.stage is Stage.USER_FEEDBACK
    assert worker.backend.cancelled == []


async def test_a_store_that_is_away_for_a_while_stops_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(generations, "LOOK_EVERY", 0.001)
    worker, running = await making(of())
    worker.store.away = True
    await asyncio.sleep(0.05)
    worker.store.away = False
    assert worker.backend.gate is not None
    worker.backend.gate.set()
    await running
    assert worker.session.stage is Stage.USER_FEEDBACK


async def test_word_that_came_while_the_store_was_away_is_not_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(generations, "LOOK_EVERY", 0.001)
    worker, running = await making(of())
    await worker.cancel()
    worker.store.away = True
    worker.watch.cancelled(ID)
    await asyncio.sleep(0.02)
    assert not running.done()
    worker.store.away = False
    async with asyncio.timeout(TOO_LONG):
        await running
    assert worker.backend.cancelled == ["resp_7"]


async def test_what_has_an_image_already_needs_no_stopping_at_the_provider() -> None:
    worker = Worker(of(2))
    worker.backend.tells = "resp_7"
    worker.backend.gates[2] = asyncio.Event()
    running = worker.start_each()
    await eventually(lambda: worker.session.latest.candidate(1).has_image, TOO_LONG)
    await worker.cancel()
    async with asyncio.timeout(TOO_LONG):
        await running
    assert worker.backend.cancelled == ["resp_7"]


async def test_an_attempt_tried_again_at_once_does_not_keep_the_old_one_alive() -> None:
    worker, running = await making(of())
    await worker.cancel()
    await worker.store.update(ID, lambda s: begin.try_again(s, 1, 140.0))
    async with asyncio.timeout(TOO_LONG):
        await running
    assert worker.backend.cancelled == ["resp_7"]
    assert worker.session.stage is Stage.GENERATING


async def test_a_shutdown_is_no_cancellation() -> None:
    worker, running = await making(of(2))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert worker.backend.cancelled == []
    assert worker.session.stage is Stage.GENERATING
    assert ids(worker) == ["resp_7", "resp_7"], "what the next worker goes on from"


async def test_a_shutdown_ends_the_work_before_it_goes_on() -> None:
    _, running = await making(of())
    before = asyncio.all_tasks()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not [task for task in before if not task.done() and task is not asyncio.current_task()]


@pytest.mark.parametrize("step", ["upload", "post_draft"])
async def test_a_cancellation_while_slack_takes_its_time_leaves_no_draft(step: str) -> None:
    worker = Worker(of())
    reached, forever = asyncio.Event(), asyncio.Event()
    show = worker.publisher._show

    async def hanging(what: str, session: Session, **details: Any) -> str:
        answer = await show(what, session, **details)
        if what == step:
            reached.set()
            await forever.wait()
        return answer

    worker.publisher._show = hanging  # type: ignore[method-assign]
    running = worker.start(generate())
    await reached.wait()
    await worker.cancel()
    worker.watch.cancelled(ID)
    async with asyncio.timeout(TOO_LONG):
        await running
    removed = worker.publisher.of("remove_draft")
    assert [s.details for s in removed] == [{"number": 1}] * (2 if step == "post_draft" else 0)
    assert worker.backend.cancelled == []


async def test_a_preview_is_taken_away_with_the_attempt() -> None:
    worker = Worker(of(), previews=True)
    worker.backend.partials = [base64.b64encode(PNG).decode()]
    worker.backend.gate = asyncio.Event()
    running = worker.start(generate())
    await eventually(lambda: worker.session.latest.preview_ts, TOO_LONG)
    await worker.cancel()
    async with asyncio.timeout(TOO_LONG):
        await running
    assert [s.details["ts"] for s in worker.publisher.of("remove_preview")] == [
        "post_preview:1",
        "",
        "",  # once more: Slack may have been slow
    ]
    assert worker.session.latest.preview_ts == ""


async def test_an_error_of_the_work_is_the_jobs() -> None:
    worker, running = await making(of())
    worker.publisher.failures["post_draft"] = [SlackUnavailable("fake")]
    assert worker.backend.gate is not None
    worker.backend.gate.set()
    with pytest.raises(SlackUnavailable):
        await running


# what an earlier run left


def left(**changes: Any) -> Session:
    """A cancelled attempt of a run that died."""
    attempt = replace(
        an_attempt(started_at=1.0), failure=FailureKind.CANCELLED, preview_ts="7.7", **changes
    )
    return with_attempt(replace(generating(), stage=Stage.INITIAL_INPUT), attempt)


async def test_a_repeated_run_clears_up_after_one_that_died() -> None:
    worker = Worker(left(candidates=(a_candidate(response_id="resp_7"),)))
    await worker.run(generate(), repeated=True)
    assert worker.publisher.names() == ["remove_preview", "remove_draft"]
    assert worker.backend.cancelled == []
    assert worker.backend.requests == []


async def test_a_repeated_run_stops_what_still_goes_on_at_the_provider() -> None:
    candidate = replace(an_attempt().candidate(1), response_id="resp_7")
    worker = Worker(left(candidates=(candidate,)))
    await worker.run(generate(), repeated=True)
    assert worker.backend.cancelled == ["resp_7"]
    assert worker.publisher.names() == ["remove_preview"]


async def test_a_first_run_of_a_cancelled_attempt_has_nothing_to_clear_up() -> None:
    worker = Worker(left())
    await worker.run(generate())
    assert worker.publisher.shown == []


async def test_a_draft_that_cannot_be_taken_away_ends_the_trying() -> None:
    worker = Worker(left(candidates=(a_candidate(),)))
    worker.publisher.failures["remove_draft"] = [SlackRefused("chat.delete", "is_archived")]
    await worker.run(generate(), repeated=True)


async def test_what_is_cancelled_at_the_last_moment_has_its_image_shown_nowhere() -> None:
    """The flow finds out by itself, as it records the draft."""
    worker = Worker(of())
    post = worker.publisher.post_draft

    async def cancelled_meanwhile(session: Session, number: int, **how: Any) -> str:
        ts = await post(session, number, **how)
        await worker.cancel()
        return ts

    worker.publisher.post_draft = cancelled_meanwhile  # type: ignore[method-assign]
    await worker.run(generate())
    assert worker.without_status() == ["upload", "post_draft", "remove_draft"]
    assert not worker.session.shows(ImageRef(1))


@pytest.mark.parametrize("images", [1, 3])
async def test_of_two_runs_that_overlap_the_one_that_began_last_goes_on(images: int) -> None:
    """The first one was taken for dead, because Redis was away for longer than its lease."""
    worker, first = await making(of(images))
    begun = runners(worker)
    second = worker.start_each(repeated=True)
    await eventually(lambda: not set(begun) & set(runners(worker)), TOO_LONG)
    assert worker.backend.gate is not None
    worker.backend.gate.set()
    async with asyncio.timeout(TOO_LONG):
        await asyncio.gather(first, second)
    (posted,) = worker.publisher.of("post_draft")
    assert posted.details["repeated"] is True
    assert worker.session.stage is Stage.USER_FEEDBACK
    assert worker.session.latest.message_ts == "post_draft:1"


async def test_of_two_runs_that_fail_the_one_that_began_last_says_so() -> None:
    worker, first = await making(of())
    begun = runners(worker)
    second = worker.start_each(repeated=True)
    await eventually(lambda: not set(begun) & set(runners(worker)), TOO_LONG)
    worker.publisher.failures["upload"] = [SlackRefused("upload", "no")] * 2
    assert worker.backend.gate is not None
    worker.backend.gate.set()
    async with asyncio.timeout(TOO_LONG):
        await asyncio.gather(first, second)
    assert len(worker.publisher.of("post_failure")) == 1
    assert worker.session.latest.failure is FailureKind.NOT_DELIVERED


# a store that takes nothing new


async def test_nothing_is_asked_for_before_the_store_takes_something_new(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recording, "FIRST_PAUSE", 0.002)
    monkeypatch.setattr(recording, "LONGEST_PAUSE", 0.004)
    worker = Worker(generating())
    worker.heartbeats.full = True
    running = worker.start(generate())
    shown = worker.publisher.of
    await eventually(
        lambda: [s for s in shown("show_status") if s.details["waits_for"] is StoreTrouble.FULL]
    )
    assert worker.backend.requests == []
    worker.heartbeats.full = False
    await running
    assert worker.session.stage is Stage.USER_FEEDBACK
    assert len(worker.backend.requests) == 1
    assert shown("show_status")[-1].details["waits_for"] is None
    assert worker.heartbeats.alive == set()


async def test_an_attempt_that_is_cancelled_while_it_waits_is_never_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(generations, "LOOK_EVERY", 0.01)
    worker = Worker(generating())
    worker.heartbeats.full = True
    running = worker.start(generate())
    await asyncio.sleep(0.02)
    await worker.cancel()
    worker.watch.cancelled(ID)
    await running
    assert worker.backend.requests == []


async def test_a_run_that_is_handed_back_says_that_it_has_ended() -> None:
    worker, running = await making(of())
    assert worker.heartbeats.alive
    running.cancel()
    await asyncio.wait({running})
    assert worker.heartbeats.alive == set()


# drafts and status


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


async def test_a_generation_that_died_after_its_draft_brings_the_status_up_to_date() -> None:
    worker = Worker(a_session())
    await worker.run(generate(), True)
    assert worker.without_status() == ["refresh_draft"]
    assert worker.publisher.shown[-1].what == "show_status"
    assert worker.backend.requests == []


async def test_a_generation_that_died_after_its_failure_gives_the_earlier_draft_back() -> None:
    failed = with_latest(a_session(attempts=2), message_ts="", failure=FailureKind.QUOTA)
    worker = Worker(replace(failed, error_message="w"))
    await worker.run(generate(2), True)
    assert worker.publisher.of("refresh_draft")[0].details == {"number": 1}


async def test_a_generation_that_died_after_its_draft_leaves_no_preview() -> None:
    worker = Worker(with_latest(a_session(), preview_ts="7.7"))
    await worker.run(generate(), True)
    assert worker.without_status() == ["remove_preview", "refresh_draft"]
    assert worker.session.latest.preview_ts == ""


async def test_a_repeated_job_of_an_image_that_is_made_leaves_the_preview_of_the_others() -> None:
    made = (Candidate(1, width=9, height=9), Candidate(2, run_id="another"))
    worker = Worker(with_latest(generating(), candidates=made, preview_ts="7.7"), previews=True)
    await worker.run(generate(), repeated=True)
    assert worker.publisher.shown == []
    assert worker.session.latest.preview_ts == "7.7"
