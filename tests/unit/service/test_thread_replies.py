"""What is said in a thread: for which session it is, and that it counts once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.domain.attempt import ImageRef
from bot.domain.option_table import OPTIONS
from bot.domain.options import Options
from bot.domain.refusals import Reason
from bot.domain.stages import Stage
from tests.fakes import (
    ID,
    a_session,
    generating,
    with_latest,
)
from tests.unit.service.services import Setup, in_thread, refused

FIRST = ImageRef(1)


async def test_words_in_a_thread_refine_the_newest_draft_even_if_it_came_just_now() -> None:
    """What was said while the draft was being recorded is about that draft."""
    setup = Setup(with_latest(generating(), generated_at=113.4))
    said = asyncio.create_task(setup.replies.apply_reply(in_thread(), "make it night"))
    await asyncio.sleep(0.02)
    assert not said.done()
    setup.store.sessions[ID] = a_session(version=2)
    assert await said is not None
    assert (setup.session.latest.change, setup.session.latest.base) == ("make it night", FIRST)


async def test_words_that_started_a_session_in_a_thread_are_no_change_to_it() -> None:
    """The event came again."""
    setup = Setup()
    origin = in_thread("4.4")
    assert await setup.replies.apply_reply(origin, "a fox") is None
    started = await setup.new_sessions.start(origin, "a fox")
    assert await setup.replies.apply_reply(origin, "a fox") == started
    assert len(setup.store.written) == 1


async def test_words_in_a_thread_delivered_again_count_once() -> None:
    setup = Setup(a_session())
    outcomes = await asyncio.gather(
        *(setup.replies.apply_reply(in_thread(), "night") for _ in "abc")
    )
    assert outcomes[0] == outcomes[1] == outcomes[2]
    assert len(setup.store.written) == 1


async def test_words_in_a_thread_have_options_of_their_own() -> None:
    setup = Setup(a_session(), option_table=OPTIONS.limited_to(quality=("low",)))
    refusal = setup.replies.apply_reply(in_thread(), "night --quality high")
    assert await refused(refusal) is Reason.BAD_OPTION
    await setup.replies.apply_reply(in_thread(), "night --quality low")
    assert setup.session.latest.options == Options(quality="low")


async def test_a_thread_in_another_channel_is_another_thread() -> None:
    setup = Setup(a_session())
    origin = replace(in_thread(), channel="C2")
    assert await setup.replies.apply_reply(origin, "night") is None
    assert await setup.replies.cancel(origin) is None


@pytest.mark.parametrize("stage", [Stage.INITIAL_INPUT, Stage.USER_FEEDBACK, Stage.FINAL])
async def test_in_a_thread_where_nothing_is_under_way_nothing_is_cancelled(stage: Stage) -> None:
    setup = Setup(a_session(stage, thread_ts="1.0"))
    asked = setup.replies.cancel(in_thread())
    assert await refused(asked) is Reason.NOTHING_TO_CANCEL
    assert setup.store.written == []


async def test_the_same_words_in_a_thread_cancel_once() -> None:
    setup = Setup(generating())
    assert await setup.replies.cancel(in_thread())
    stopped = setup.session
    assert await setup.replies.cancel(in_thread()) == stopped


async def test_in_a_thread_of_two_people_each_stops_what_is_theirs() -> None:
    his = replace(generating(), id="T1.U2.eeee", user="U2", root_ts="3.3", created_at=500.0)
    setup = Setup(generating(), his)
    stopped = await setup.replies.cancel(in_thread())
    assert stopped is not None
    assert stopped.id == ID
    assert setup.store.sessions[his.id] == his
