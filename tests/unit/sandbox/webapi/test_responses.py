"""Response URLs."""

from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.sandbox import SimulatedSlack

Connect = Callable[[], Awaitable[Any]]
Upload = Callable[[bytes], Awaitable[str]]


async def test_response_url_works_five_times_and_where_the_bot_is_no_member(
    slack: SimulatedSlack, app: AsyncApp, connect: Connect
) -> None:
    statuses: list[int] = []

    @app.command("/imagine")
    async def imagine(ack: Any, respond: Any) -> None:
        await ack()
        for number in range(6):
            statuses.append((await respond(f"{number}")).status_code)

    await connect()
    await slack.slash("alice", "outsiders", "/imagine", "x")
    await slack.wait_for(lambda: len(statuses) == 6)
    assert statuses == [200] * 5 + [404]
    assert len(slack.ephemerals("alice", "outsiders")) == 5
