"""The status line: newest wins, the last one is always sent, a busy Slack gets no repeats."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from bot.domain.attempt import Candidate
from bot.domain.errors import (
    SlackBusy,
    SlackRefused,
    SlackUnavailable,
    StoreUnavailable,
)
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.ports import Priority
from bot.progress import live_status
from bot.progress.live_status import LiveStatus
from bot.sandbox import PATIENCE
from tests.fakes import (
    ID,
    FakePublisher,
    FakeSessionStore,
    a_session,
    eventually,
    generating,
    tried_again,
    with_latest,
)

INTERVAL = 0.03


class Line:
    """A status line of one session."""

    def __init__(self, session: Session, *failures: Exception, interval: float = INTERVAL) -> None:
        self.store = FakeSessionStore(session)
        self.publisher = FakePublisher()
        self.publisher.failures["show_status"] = list(failures)
        self.status = LiveStatus(self.store, self.publisher, interval)

    @property
    def stages(self) -> list[Stage]:
        return [shown.session.stage for shown in self.publisher.shown]

    def move(self, stage: Stage) -> None:
        session = self.store.sessions[ID]
        self.store.sessions[ID] = replace(session, stage=stage, version=session.version + 1)


async def test_it_is_edited_while_the_work_goes_on_and_once_more_after_it() -> None:
    line = Line(generating())
    async with line.status.following(ID):
        await eventually(lambda: len(line.stages) >= 3)
        line.move(Stage.USER_FEEDBACK)
    assert line.stages[-1] is Stage.USER_FEEDBACK
    assert line.stages.count(Stage.USER_FEEDBACK) == 1


async def test_a_last_status_shows_what_there_is_when_its_turn_comes() -> None:
    line = Line(generating())
    line.publisher.before_turn = partial(line.move, Stage.USER_FEEDBACK)
    async with line.status.following(ID):
        await asyncio.sleep(0)
    assert line.stages == [Stage.USER_FEEDBACK]


async def test_a_status_that_somebody_waits_for_goes_before_those_of_work_that_has_ended() -> None:
    line = Line(a_session())
    async with line.status.following(ID):
        await asyncio.sleep(0)
    await line.status.show_now(ID)
    assert line.publisher.turns == [Priority.EDIT, Priority.ANSWER]


@pytest.mark.parametrize(("session", "in_draft"), [(generating(), 0), (generating(3), 2)])
async def test_where_there_is_a_draft_every_other_edit_is_its_own(
    session: Session, in_draft: int
) -> None:
    line = Line(session)
    async with line.status.following(ID):
        await eventually(lambda: len(line.stages) >= 4)
    names = line.publisher.names()[:4]
    wanted = ["show_thread_status", "show_status"] * 2 if in_draft else ["show_status"] * 4
    assert names == wanted
    assert line.publisher.names()[-1] == "show_status", "the last one is the root's"


async def test_below_a_failure_every_other_edit_is_the_failures() -> None:
    line = Line(tried_again())
    async with line.status.following(ID):
        await eventually(lambda: len(line.publisher.names()) >= 4)
    assert line.publisher.names()[:4] == ["show_thread_status", "show_status"] * 2


@pytest.mark.parametrize(
    "now",
    [Stage.INITIAL_INPUT, Stage.USER_FEEDBACK],
    ids=["cancelled", "the draft came"],
)
async def test_a_failure_whose_session_went_on_while_it_was_edited_is_edited_again(
    now: Stage,
) -> None:
    line = Line(tried_again(), interval=60)
    show = line.publisher.show_thread_status

    async def overtaken(session: Session) -> None:
        await show(session)
        line.move(now)

    line.publisher.show_thread_status = overtaken  # type: ignore[method-assign]
    async with line.status.following(ID):
        await eventually(lambda: "refresh_failure" in line.publisher.names())
    assert line.publisher.of("refresh_failure")[0].session.stage is now


async def test_a_draft_whose_session_went_on_while_it_was_edited_is_edited_again() -> None:
    line = Line(generating(2), interval=60)
    show = line.publisher.show_thread_status

    async def overtaken(session: Session) -> None:
        await show(session)
        line.move(Stage.USER_FEEDBACK)

    line.publisher.show_thread_status = overtaken  # type: ignore[method-assign]
    async with line.status.following(ID):
        await eventually(lambda: "refresh_draft" in line.publisher.names())
    assert line.publisher.of("refresh_draft")[0].session.stage is Stage.USER_FEEDBACK


async def test_edits_keep_their_distance() -> None:
    line = Line(generating(), interval=60)
    async with line.status.following(ID):
        await eventually(lambda: line.stages)
        await asyncio.sleep(0.05)
        assert len(line.stages) == 1


async def test_the_work_does_not_wait_for_the_next_edit_when_it_ends() -> None:
    line = Line(generating(), interval=60)
    async with asyncio.timeout(PATIENCE), line.status.following(ID):
        await asyncio.sleep(0.01)
    assert len(line.stages) == 1, "what is quick needs no edit but the last"


async def test_a_new_step_is_shown_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_status, "GAP", 0.01)
    line = Line(generating(), interval=60)

    def shown(times: int) -> bool:
        return len(line.stages) == times

    async with line.status.following(ID):
        for step in (1, 2, 3):
            line.status.changed(ID)
            await eventually(partial(shown, step))
    line.status.changed(ID)  # nobody follows it any more
    assert len(line.stages) == 4


async def test_in_a_crowd_each_line_is_edited_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_status, "GAP", 0.01)
    line = Line(generating())
    edits, seconds = {}, 0.0
    for others in (0, 40):
        async with AsyncExitStack() as stack:
            for number in range(others):  # of sessions that are gone: nothing is shown of them
                await stack.enter_async_context(line.status.following(f"{ID}{number}"))
            await stack.enter_async_context(line.status.following(ID))
            await eventually(lambda: line.stages)
            line.publisher.shown.clear()
            began = time.monotonic()
            for _ in range(10):
                await asyncio.sleep(0.03)
                line.status.changed(ID)
            edits[others], seconds = len(line.stages), time.monotonic() - began
            line.publisher.shown.clear()
    assert edits[0] >= 5
    wait = INTERVAL * live_status.SHARE * 41
    assert edits[40] <= 3 + seconds / wait, "however busy the machine is"


async def test_a_status_that_was_overtaken_while_it_was_sent_is_followed_by_the_newest() -> None:
    line = Line(generating())
    show = line.publisher.show_status

    async def slow(session: Session, ahead: int | None, **more: Any) -> None:
        await show(session, ahead, **more)
        if len(line.publisher.shown) == 1:
            line.move(Stage.USER_FEEDBACK)

    line.publisher.show_status = slow  # type: ignore[method-assign]
    await line.status.show_now(ID)
    assert line.stages == [Stage.GENERATING, Stage.USER_FEEDBACK]


async def test_a_busy_slack_is_left_alone_for_as_long_as_it_asks() -> None:
    line = Line(generating(), SlackBusy(60))
    async with line.status.following(ID):
        await asyncio.sleep(INTERVAL * 4)
        assert len(line.stages) == 1
    assert len(line.stages) == 2


async def test_an_edit_that_was_turned_down_is_rendered_anew() -> None:
    line = Line(generating(), SlackBusy(0.02))
    settling = asyncio.create_task(line.status.show_now(ID))
    await asyncio.sleep(0.01)
    line.move(Stage.USER_FEEDBACK)
    await settling
    assert line.stages == [Stage.GENERATING, Stage.USER_FEEDBACK]


@pytest.mark.parametrize(
    "error", [SlackBusy(0.01), SlackUnavailable("away"), StoreUnavailable("away")]
)
async def test_the_last_one_is_sent_whatever_it_takes(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    naps: list[float] = []
    sleep = asyncio.sleep

    async def nap(seconds: float) -> None:
        naps.append(seconds)
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", nap)
    line = Line(a_session(), error, error, error)
    await line.status.show_now(ID)
    assert len(line.stages) == 4
    expected = error.retry_after if isinstance(error, SlackBusy) else 1.0
    assert [seconds for seconds in naps if seconds] == [expected] * 3


async def test_it_is_given_up_after_some_time(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(live_status, "LAST_EDIT_WITHIN", 0.05)
    line = Line(a_session(), *[SlackBusy(0.01)] * 100)
    await line.status.show_now(ID)
    assert "could not be shown" in caplog.text


@pytest.mark.parametrize(
    "failures", [[SlackRefused("chat.update", "message_not_found")], []], ids=["refused", "no root"]
)
async def test_what_cannot_be_shown_is_not_tried_again(failures: list[Exception]) -> None:
    line = Line(a_session(root_ts="1.0" if failures else ""), *failures)
    await line.status.show_now(ID)
    assert len(line.stages) == len(failures)


async def test_an_expired_session_has_no_status() -> None:
    line = Line(a_session())
    line.store.sessions.clear()
    await line.status.show_now(ID)
    assert line.stages == []


async def test_work_that_fails_is_not_hidden_and_not_held_up() -> None:
    line = Line(generating())

    async def work() -> None:
        async with line.status.following(ID):
            await asyncio.sleep(0)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await work()


async def test_a_newer_attempt_keeps_its_line_when_the_one_before_ends() -> None:
    """Cancelled, and tried again on the same worker before all of it had come to its end."""
    line = Line(generating(), interval=60)
    before = line.status.following(ID)
    await before.__aenter__()
    async with line.status.following(ID):
        await before.__aexit__(None, None, None)
        shown = len(line.stages)
        line.status.changed(ID)
        await eventually(lambda: len(line.stages) > shown)


async def test_of_several_candidates_made_here_the_last_one_ends_the_line() -> None:
    line = Line(with_latest(generating(), candidates=(Candidate(1), Candidate(2))), interval=60)
    async with line.status.following(ID, 1):
        async with line.status.following(ID, 2):
            await eventually(lambda: line.stages)
        shown = len(line.stages)
        line.status.changed(ID)
        await eventually(lambda: len(line.stages) > shown)
        line.move(Stage.USER_FEEDBACK)
    assert line.stages[-1] is Stage.USER_FEEDBACK


async def test_an_attempt_is_told_of_by_the_process_that_makes_the_candidate_at_work() -> None:
    session = with_latest(generating(), candidates=(Candidate(1, run_id="a"), Candidate(2)))
    line = Line(session)
    async with line.status.following(ID, 2):
        await asyncio.sleep(INTERVAL * 4)
    assert line.stages == []
    async with line.status.following(ID, 1):
        await eventually(lambda: line.stages)
        line.move(Stage.USER_FEEDBACK)
    assert line.stages[-1] is Stage.USER_FEEDBACK
