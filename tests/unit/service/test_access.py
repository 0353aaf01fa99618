"""Who may do what, and how long a click waits for the record of its message."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.domain.attempt import ImageRef
from bot.domain.errors import StoreUnavailable
from bot.domain.options import NO_OPTIONS
from bot.domain.policy import Person, Policy
from bot.domain.refusals import Reason
from bot.domain.stages import Stage
from bot.service import Services
from tests.fakes import BOSS, BYSTANDER, ID, PROMPT, STRANGER, a_session, generating
from tests.unit.service.services import Setup, in_thread, refused

FIRST = ImageRef(1)
Act = Callable[[Services, Person], Awaitable[object]]

FEEDBACK = Stage.USER_FEEDBACK

ACTS: dict[str, tuple[Stage, Act]] = {
    "submit": (Stage.INITIAL_INPUT, lambda d, who: d.gateway.submit(ID, who, PROMPT, NO_OPTIONS)),
    "approve": (FEEDBACK, lambda d, who: d.decisions.approve(ID, FIRST, who)),
    "use_earlier": (FEEDBACK, lambda d, who: d.decisions.use_earlier(ID, FIRST, who)),
    "regenerate": (FEEDBACK, lambda d, who: d.gateway.regenerate(ID, FIRST, who)),
    "try_again": (FEEDBACK, lambda d, who: d.gateway.try_again(ID, FIRST, who)),
    "refine": (FEEDBACK, lambda d, who: d.gateway.refine(ID, FIRST, who, "night")),
    "edit": (FEEDBACK, lambda d, who: d.gateway.edit(ID, 1, who, "a cat", NO_OPTIONS)),
    "cancel": (Stage.GENERATING, lambda d, who: d.decisions.cancel(ID, FIRST, who)),
    "check_can_refine": (FEEDBACK, lambda d, who: d.gateway.check_can_refine(ID, FIRST, who)),
    "check_can_edit": (FEEDBACK, lambda d, who: d.gateway.check_can_edit(ID, 1, who)),
}

IN_THREAD: dict[str, tuple[Stage, Act]] = {
    "named": (FEEDBACK, lambda d, who: d.replies.session_of_button(in_thread(person=who))),
    "cancelled": (Stage.GENERATING, lambda d, who: d.replies.cancel(in_thread(person=who))),
}


@pytest.mark.parametrize("name", [*ACTS, *IN_THREAD])
async def test_a_stranger_changes_nothing(name: str) -> None:
    stage, act = (ACTS | IN_THREAD)[name]
    setup = Setup(a_session(stage))
    assert await refused(act(setup.services, BYSTANDER)) is Reason.NOT_ALLOWED
    assert setup.store.written == []


@pytest.mark.parametrize("name", [*ACTS, *IN_THREAD])
async def test_whom_the_policy_names_may_what_the_owner_may(name: str) -> None:
    stage, act = (ACTS | IN_THREAD)[name]
    setup = Setup(a_session(stage), policy=Policy(others=frozenset({STRANGER})))
    await act(setup.services, BYSTANDER)


@pytest.mark.parametrize("name", list(ACTS))
async def test_a_session_that_is_gone_has_expired(name: str) -> None:
    assert await refused(ACTS[name][1](Setup().services, BOSS)) is Reason.EXPIRED


@pytest.mark.parametrize("name", [*ACTS, *IN_THREAD])
async def test_what_cannot_be_kept_is_not_said_to_be(name: str) -> None:
    stage, act = (ACTS | IN_THREAD)[name]
    setup = Setup(a_session(stage))
    setup.store.away = True
    with pytest.raises(StoreUnavailable):
        await act(setup.services, BOSS)


async def test_a_click_that_is_faster_than_the_record_of_its_message_waits_for_it() -> None:
    setup = Setup(generating())
    click = asyncio.create_task(setup.decisions.approve(ID, FIRST, BOSS))
    await asyncio.sleep(0.02)
    assert not click.done()
    setup.store.sessions[ID] = a_session(version=2)
    assert (await click).stage is Stage.FINAL


async def test_a_click_while_the_image_is_made_is_told_so_in_time() -> None:
    for session in (generating(), generating(2)):
        setup = Setup(session)
        assert await refused(setup.decisions.approve(ID, FIRST, BOSS)) is Reason.STILL_WORKING
