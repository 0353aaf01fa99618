"""Which markup in a message pings or links."""

from collections.abc import Awaitable, Callable
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import SimulatedSlack

Connect = Callable[[], Awaitable[Any]]
Upload = Callable[[bytes], Awaitable[str]]


async def test_unescaped_markup_is_seen(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    text = "<!channel> <@U123> <https://x.example|y> &lt;!here&gt;"
    await client.chat_postMessage(channel="C0GENERAL0", text=text)
    pings = slack.messages("general")[0].pings()
    assert pings == ["<!channel>", "<@U123>", "<https://x.example|y>"]
    assert "pings everyone" in slack.violations[0]


async def test_plain_text_pings_nobody(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    blocks = [{"type": "section", "text": {"type": "plain_text", "text": "<!channel>"}}]
    await client.chat_postMessage(channel="C0GENERAL0", text="safe", blocks=blocks)
    assert slack.messages("general")[0].pings() == []
    assert slack.violations == []
