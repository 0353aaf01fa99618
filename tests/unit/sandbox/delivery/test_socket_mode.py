"""Socket Mode connections of a real Bolt app."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp

from bot.sandbox import SimulatedSlack

Connect = Callable[[], Awaitable[Any]]
Upload = Callable[[bytes], Awaitable[str]]


async def test_each_envelope_goes_to_one_of_the_connections(
    slack: SimulatedSlack, app: AsyncApp, connect: Connect
) -> None:
    seen: list[str] = []

    @app.command("/imagine")
    async def imagine(ack: Any, body: dict[str, Any]) -> None:
        seen.append(body["text"])
        await ack()

    await connect()
    await connect()
    for number in range(4):
        await slack.slash("alice", "general", "/imagine", str(number))
    assert seen == ["0", "1", "2", "3"]
    assert slack.sockets == 2


@pytest.mark.parametrize("abrupt", [False, True])
async def test_bot_comes_back_after_a_disconnect(
    slack: SimulatedSlack, app: AsyncApp, connect: Connect, abrupt: bool
) -> None:
    @app.command("/imagine")
    async def imagine(ack: Any) -> None:
        await ack()

    await connect()
    opened = len(slack.calls_of("apps.connections.open"))
    await slack.disconnect_sockets(abrupt=abrupt)
    await slack.wait_for(
        lambda: len(slack.calls_of("apps.connections.open")) > opened and slack.sockets
    )
    assert (await slack.slash("alice", "general", "/imagine", "x")).ok


async def test_event_is_delivered_again_when_its_socket_died(
    slack: SimulatedSlack, app: AsyncApp, connect: Connect
) -> None:
    seen: list[str] = []
    slack.delivery.event_retry_delays = (1.5, 3.0, 6.0, 12.0)

    @app.event("app_mention")
    async def mention(body: dict[str, Any]) -> None:
        seen.append(body["event_id"])
        if len(seen) == 1:
            await slack.disconnect_sockets(abrupt=True)

    await connect()
    ack = await slack.mention("alice", "general", "a robot")
    assert ack.ok
    assert len(set(seen)) == 1
