"""What people do on the page, and the text that a client sends for a typed one."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from bot.sandbox import Page, Question, SimulatedSlack
from bot.sandbox.page.actions import as_sent
from tests.unit.sandbox.page.browsing import DONE, do

CASES = [
    ("a <b> & c", "a &lt;b&gt; &amp; c"),
    ("@imagine make it night", "<@U0IMAGINE1> make it night"),
    ("mail me@imagine.example", "mail me@imagine.example"),
    ("@nobody", "@nobody"),
    ("@here look", "<!here> look"),
    ("see #general", "see <#C0GENERAL0|general>"),
    ("http://x.example/a?b=1", "<http://x.example/a?b=1>"),
    ("<!channel> <@U1>", "&lt;!channel&gt; &lt;@U1&gt;"),
]


@pytest.mark.parametrize(("typed", "sent"), CASES)
async def test_typed_text_is_sent_as_slack_does(
    slack: SimulatedSlack, typed: str, sent: str
) -> None:
    assert as_sent(slack.workspace, typed) == sent


@pytest.mark.parametrize(
    ("command", "text", "thread", "told"),
    [
        ("/draw", "a cat", None, "`/draw` is not a valid command."),
        ("/imagine", "a cat", "1.2", "`/imagine` is not supported in threads. Sorry!"),
        ("/imagine", "a cat", None, '/imagine failed with the error "dispatch_failed"'),
        ("/invite", "@imagine", None, "imagine is already in this channel."),
    ],
)
async def test_slackbot_says_what_is_wrong_with_a_command(
    page: Page, browser: aiohttp.ClientSession, command: str, text: str, thread: str, told: str
) -> None:
    general = page.slack.channel("general").id
    await do(browser, "slash", channel=general, command=command, text=text, thread_ts=thread)
    (message,) = page.slack.ephemerals("alice")
    assert (message.text, message.thread_ts) == (told, thread)


async def test_a_command_before_the_question_is_answered_is_told_of_it(
    page: Page, browser: aiohttp.ClientSession
) -> None:
    page.show(Question("Who makes the images?", {"placeholder": "Placeholders"}))
    general = page.slack.channel("general").id
    await do(browser, "slash", channel=general, command="/imagine", text="a cat")
    (message,) = page.slack.ephemerals("alice")
    assert "first answer the question" in message.text


async def test_invite_lets_the_bot_in(page: Page, browser: aiohttp.ClientSession) -> None:
    outsiders = page.slack.channel("outsiders")
    await do(browser, "slash", channel=outsiders.id, command="/invite", text="@imagine")
    assert page.slack.bot_user_id in outsiders.members


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("dance", {}),
        ("say", {"channel": "C404", "text": "x"}),
        ("say", {"text": "x"}),
        ("click", {"channel": "C0GENERAL0", "ts": "1.2", "action_id": "a", "block_id": "b"}),
        ("submit", {"view": "V404"}),
        ("say", {"as": "nobody", "channel": "C0GENERAL0", "text": "x"}),
    ],
)
async def test_what_cannot_be_done_is_refused(
    browser: aiohttp.ClientSession, action: str, body: dict[str, Any]
) -> None:
    status, answer = await do(browser, action, **body)
    assert status == 409
    assert not answer["ok"]


@pytest.mark.parametrize("action", ["fill", "close"])
async def test_last_word_about_a_view_that_was_closed_meanwhile_is_no_error(
    browser: aiohttp.ClientSession, action: str
) -> None:
    assert await do(browser, action, view="V404", values={"prompt": "half"}) == (200, DONE)


async def test_slackbot_answers_below_what_was_said(
    page: Page, browser: aiohttp.ClientSession
) -> None:
    outsiders = page.slack.workspace.add_channel("quiet", bot=False).id
    await do(browser, "say", channel=outsiders, text="@imagine a cat")
    (told,) = page.slack.ephemerals("alice")
    (said,) = [m for m in page.slack.messages(outsiders) if "a cat" in m.text]
    assert "isn’t in this channel" in told.text
    assert said.ts < told.ts
