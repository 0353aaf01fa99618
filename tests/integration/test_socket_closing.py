"""What comes in over a Socket Mode connection while it is being closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp

from bot.adapters.slack import slack_client, slack_session
from bot.sandbox import Ack, Fault, SimulatedSlack
from bot.slack.bolt import bolt_app
from bot.slack.identity import Identity
from bot.slack.request_tracking import InFlightRequests
from bot.slack.transport.socket_connection import SocketConnection
from bot.slack.transport.socket_mode import SocketModeConnections


class Bot:
    """A bot of one command, which takes as long as a test wants. `seen`: what was typed."""

    def __init__(self, app: AsyncApp, slack: SimulatedSlack, connections: int) -> None:
        self.seen: list[str] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.sockets = SocketModeConnections(app, slack.app_token, InFlightRequests(), connections)
        app.command("/imagine")(self._imagine)

    async def _imagine(self, ack: Any, body: dict[str, Any]) -> None:
        self.seen.append(body["text"])
        await self.may_answer.wait()
        await ack()


@asynccontextmanager
async def bot_for(slack: SimulatedSlack, connections: int = 2) -> AsyncIterator[Bot]:
    async with slack_session() as http:
        client = slack_client(slack.bot_token, slack.api_url, http)
        app = bolt_app(client, Identity(slack.team_id, "B1", slack.bot_user_id), "")
        bot = Bot(app, slack, connections)
        await bot.sockets.start()
        try:
            yield bot
        finally:
            slack.delivery.sockets.hearing.set()
            await bot.sockets.stop()


async def typed(slack: SimulatedSlack, text: str) -> Ack:
    return await slack.slash("alice", "general", "/imagine", text)


async def goodbye_said(bot: Bot) -> None:
    """Until a connection has sent its closing frame."""
    async with asyncio.timeout(10):
        while all(one.usable for one in connections_of(bot)):
            await asyncio.sleep(0.001)


def connections_of(bot: Bot) -> list[SocketConnection]:
    return bot.sockets.connections


@pytest.mark.parametrize("connections", [1, 2])
async def test_what_slack_sends_before_it_hears_of_the_close_is_done_and_acked(
    slack: SimulatedSlack, connections: int
) -> None:
    async with bot_for(slack, connections) as bot:
        slack.delivery.sockets.hearing.clear()
        stopping = asyncio.create_task(bot.sockets.stop())
        await goodbye_said(bot)
        texts = [str(number) for number in range(2 * connections)]
        typing = [asyncio.create_task(typed(slack, text)) for text in texts]
        await slack.wait_for(lambda: sorted(bot.seen) == texts, what="all of it handled")
        slack.delivery.sockets.hearing.set()
        acks = await asyncio.gather(*typing)
        await stopping
    assert all(ack.ok for ack in acks), acks
    assert slack.sockets == 0


async def test_what_is_in_hand_is_acked_before_the_close(slack: SimulatedSlack) -> None:
    async with bot_for(slack, connections=1) as bot:
        bot.may_answer.clear()
        typing = asyncio.create_task(typed(slack, "slow"))
        await slack.wait_for(lambda: bot.seen)
        stopping = asyncio.create_task(bot.sockets.stop())
        await asyncio.sleep(0)
        assert slack.sockets == 1
        bot.may_answer.set()
        assert (await typing).ok
        await stopping
    assert len(slack.calls_of("apps.connections.open")) == 1


async def test_nothing_is_lost_while_another_process_goes_on(slack: SimulatedSlack) -> None:
    acks: list[Ack] = []
    stopped = asyncio.Event()

    async def keep_typing() -> None:
        while not stopped.is_set():
            acks.append(await typed(slack, str(len(acks))))
            await asyncio.sleep(0.005)

    async with bot_for(slack), bot_for(slack) as bot:
        typing = [asyncio.create_task(keep_typing()) for _ in range(6)]
        await slack.wait_for(lambda: len(acks) > 12)
        await bot.sockets.stop()
        stopped.set()
        await asyncio.gather(*typing)
        assert all(ack.ok for ack in acks), [ack for ack in acks if not ack.ok]
        assert connections_of(bot) == []


async def test_a_refresh_that_slack_asks_for_loses_nothing(slack: SimulatedSlack) -> None:
    async with bot_for(slack) as bot:
        bot.may_answer.clear()
        typing = [asyncio.create_task(typed(slack, str(number))) for number in range(4)]
        await slack.wait_for(lambda: len(bot.seen) == 4)
        opened = len(slack.calls_of("apps.connections.open"))
        await slack.disconnect_sockets("refresh_requested")
        await slack.wait_for(lambda: len(slack.calls_of("apps.connections.open")) == opened + 2)
        bot.may_answer.set()
        assert all(ack.ok for ack in await asyncio.gather(*typing))
        await slack.wait_for(lambda: slack.sockets == 2, what="both open again")
        assert (await typed(slack, "afterwards")).ok


async def test_an_ack_finds_another_connection_when_its_own_is_cut(slack: SimulatedSlack) -> None:
    async with bot_for(slack) as bot:
        bot.may_answer.clear()
        typing = asyncio.create_task(typed(slack, "cut off"))
        await slack.wait_for(lambda: bot.seen)
        first, second = slack.delivery.sockets.links
        first.cut()
        await first.gone.wait()
        bot.may_answer.set()
        assert (await typing).ok
        assert not second.gone.is_set()


async def test_a_slack_that_never_answers_the_close_does_not_hold_it_up(
    slack: SimulatedSlack,
) -> None:
    async with bot_for(slack) as bot:
        slack.delivery.sockets.hearing.clear()
        slack.faults.add("apps.connections.open", Fault.hang(), times=50)
        async with asyncio.timeout(10):
            await bot.sockets.stop()
        assert connections_of(bot) == []
