"""A session whose storing is in doubt is taken back."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.domain.errors import StoreUnavailable
from bot.domain.session import Session
from bot.service import session_creator
from tests.fakes import (
    BOSS,
    PROMPT,
)
from tests.unit.service.services import ORIGIN, Setup


async def test_a_session_whose_keeping_is_in_doubt_is_taken_back() -> None:
    """The person is told to try again: it must not appear all the same, minutes later."""
    setup = Setup()
    create = setup.store.create

    async def kept_but_unanswered(session: Session) -> Session:
        await create(session)
        raise StoreUnavailable("the answer was lost")

    setup.store.create = kept_but_unanswered  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        await setup.new_sessions.start(ORIGIN, PROMPT)
    await setup.tasks.drain(10)
    assert setup.store.sessions == {}


async def test_a_session_that_was_waited_for_in_vain_is_taken_back() -> None:
    setup = Setup()
    create = setup.store.create

    async def kept_but_late(session: Session) -> Session:
        await create(session)
        await asyncio.sleep(60)
        return session

    setup.store.create = kept_but_late  # type: ignore[method-assign]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await setup.new_sessions.start(ORIGIN, PROMPT)
    await setup.tasks.drain(10)
    assert setup.store.sessions == {}


async def test_a_session_that_came_before_is_not_taken_back_where_it_cannot_be_read() -> None:
    """The same words come again while the store does not answer."""
    setup = Setup()
    there = await setup.new_sessions.start(ORIGIN, PROMPT)
    setup.store.away = True
    with pytest.raises(StoreUnavailable):
        await setup.gateway.create(replace(there, attempts=(), version=0), BOSS, PROMPT)
    setup.store.away = False
    await setup.tasks.drain(10)
    assert setup.store.sessions == {there.id: there}


async def test_a_session_is_taken_back_once_the_store_is_there_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session_creator, "_RETRACT_AGAIN", 0.01)
    setup = Setup()
    create, discard = setup.store.create, setup.store.discard
    tried = []

    async def kept_but_unanswered(session: Session) -> Session:
        await create(session)
        raise StoreUnavailable("the answer was lost")

    async def away_at_first(session_id: str) -> None:
        tried.append(session_id)
        if len(tried) == 1:
            raise StoreUnavailable("away")
        await discard(session_id)

    setup.store.create = kept_but_unanswered  # type: ignore[method-assign]
    setup.store.discard = away_at_first  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        await setup.new_sessions.start(ORIGIN, PROMPT)
    await setup.tasks.drain(10)
    assert (len(tried), setup.store.sessions) == (2, {})
