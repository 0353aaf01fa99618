"""Mentions, direct messages, the shortcut and the Home tab over the real protocol, both ways in."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
from PIL import Image

from bot.domain.session import Session
from bot.sandbox import SimulatedSlack
from bot.views.ids import DIRECT_IMAGE
from tests.fakes import (
    eventually,
)
from tests.support.listening import SECONDS, Bot, listening


@pytest.fixture(params=["socket", "http"])
async def bot(slack: SimulatedSlack, request: pytest.FixtureRequest) -> AsyncIterator[Bot]:
    async with listening(slack, request.param) as running:
        yield running


def png() -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(data, "PNG")
    return data.getvalue()


async def test_a_mention_starts_a_session(bot: Bot) -> None:
    ack = await bot.slack.mention("alice", "general", "a <fox> & co --n 2")
    assert (ack.ok, ack.attempts) == (True, 1)
    assert bot.only.task_input == "a <fox> & co"
    assert bot.only.options.candidates == 2
    await eventually(lambda: bot.queue.added, SECONDS)


async def test_a_refusal_is_for_the_persons_eyes_alone(bot: Bot) -> None:
    assert (await bot.slack.mention("alice", "general", "a fox --n 9")).ok
    await bot.slack.wait_for(
        lambda: bot.slack.ephemerals("alice"), timeout=SECONDS, what="the refusal"
    )
    (told,) = bot.slack.ephemerals("alice")
    assert "--n" in told.text
    assert bot.slack.ephemerals("bob") == []
    assert bot.store.sessions == {}


async def test_an_event_that_was_not_acked_in_time_comes_again_and_counts_once(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, create = asyncio.Event(), bot.store.create
    arrived: list[str] = []

    async def slowly(session: Session, **options: Any) -> Session:
        arrived.append(session.id)
        if len(arrived) > 1:
            gate.set()
        await gate.wait()
        return await create(session, **options)

    monkeypatch.setattr(bot.store, "create", slowly)
    monkeypatch.setattr("bot.slack.listening.DECIDE_WITHIN", SECONDS)
    bot.slack.delivery.event_retry_delays = (0.05, 0.1, 5.0)
    ack = await bot.slack.mention("alice", "general", "a fox", timeout=1.5)
    assert ack.ok
    assert ack.attempts > 1
    await eventually(lambda: bot.queue.added, SECONDS)
    assert set(arrived) == {bot.only.id}
    assert len(bot.queue.added) == 1
    assert bot.slack.ephemerals("alice") == []


async def test_an_event_that_is_delivered_twice_at_once_counts_once(bot: Bot) -> None:
    bot.slack.deliver_twice = True
    assert (await bot.slack.mention("alice", "general", "a fox")).ok
    await eventually(lambda: bot.queue.added, SECONDS)
    assert len(bot.store.sessions) == 1


async def test_a_direct_message_with_a_picture_starts_from_it(bot: Bot) -> None:
    direct = bot.slack.direct("alice")
    ack = await bot.slack.say("alice", direct, "make it night", files=[("cat.png", png())])
    assert ack.ok
    source = bot.only.source
    assert source is not None
    assert (source.mime_type, source.size) == ("image/png", len(png()))


async def test_the_shortcut_starts_from_a_picture_in_its_thread(bot: Bot) -> None:
    posted = await bot.slack.say("bob", "general", "look", files=[("cat.png", png())])
    assert (await bot.slack.shortcut("alice", posted.message, DIRECT_IMAGE)).ok
    await bot.slack.wait_for(lambda: bot.slack.open_view("alice"), timeout=SECONDS, what="the form")
    bot.slack.fill("alice", {"prompt_input": "make it night"})
    assert (await bot.slack.submit("alice")).ok
    assert (bot.only.thread_ts, bot.only.task_input) == (posted.message.ts, "make it night")
    assert bot.only.source is not None
    await eventually(lambda: bot.queue.added, SECONDS)


async def test_the_home_tab_is_there_and_takes_a_default(bot: Bot) -> None:
    assert (await bot.slack.open_home("alice")).ok
    await bot.slack.wait_for(lambda: bot.slack.home("alice"), timeout=SECONDS, what="the tab")
    home = bot.slack.home("alice")
    assert home is not None
    assert (await bot.slack.select("alice", home, "default_option_count", "3")).ok
    await eventually(lambda: bot.store.defaults, SECONDS)
    (defaults,) = bot.store.defaults.values()
    assert defaults.candidates == 3
