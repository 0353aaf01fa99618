"""A store that neither answers nor refuses: every request is acked in time all the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable

import pytest
from slack_bolt.response import BoltResponse

from bot.slack import listening
from bot.views import ids, words
from bot.views.source_pictures import Picture, SourcePictures
from tests.fakes import CHANNEL, ID, OWNER, PROMPT, a_session
from tests.scenario.conftest import MakeApp
from tests.scenario.payloads import (
    Payload,
    click,
    command,
    direct,
    home_click,
    interaction,
    mention,
    picture,
    shortcut,
    submission,
)
from tests.scenario.slack_app import SlackApp

BROUGHT = SourcePictures(CHANNEL, "", "5.5", (Picture("F9", "image/png"),)).to_metadata()
REQUESTS: dict[str, tuple[Payload, str]] = {
    "command": (command(PROMPT), words.STORE_AWAY),
    "command without a prompt": (command(""), words.STORE_AWAY),
    "approve": (interaction(click(ids.APPROVE, f"{ID}#1")), words.CLICK_LOST),
    "regenerate": (interaction(click(ids.REGENERATE, f"{ID}#1")), words.CLICK_LOST),
    "try again": (interaction(click(ids.TRY_AGAIN, f"{ID}#1")), words.CLICK_LOST),
    "edit prompt": (interaction(click(ids.EDIT_PROMPT, f"{ID}#1")), words.CLICK_LOST),
    "start over": (interaction(click(ids.START_OVER, f"{ID}#1")), words.CLICK_LOST),
    "form": (interaction(submission(ids.PROMPT_FORM, f"{ID}#0", PROMPT)), words.FORM_LOST),
    "edit form": (interaction(submission(ids.EDIT_FORM, f"{ID}#1", PROMPT)), words.FORM_LOST),
    "list": (command("list"), words.ASK_AGAIN),
    "cancel by command": (command("cancel"), words.CANCEL_LOST),
    "use this": (interaction(click(ids.USE_THIS, f"{ID}#1")), words.CLICK_LOST),
    "refine": (interaction(click(ids.REFINE, f"{ID}#1")), words.CLICK_LOST),
    "cancel": (interaction(click(ids.CANCEL, f"{ID}#1")), words.CLICK_LOST),
    "refine form": (interaction(submission(ids.REFINE_FORM, f"{ID}#1", PROMPT)), words.FORM_LOST),
    "image form": (interaction(submission(ids.IMAGE_FORM, BROUGHT, PROMPT)), words.FORM_LOST),
    "shortcut": (interaction(shortcut({"files": [picture()]})), words.CLICK_LOST),
    "home page": (interaction(home_click("home_page_working_next", value="1.0")), words.CLICK_LOST),
    "home select": (
        interaction(home_click("default_option_count", selected="2")),
        words.CLICK_LOST,
    ),
}
EVENTS: dict[str, tuple[Payload, str]] = {
    "mention": (mention(PROMPT), words.STORE_AWAY),
    "mention in the thread": (mention("make it night", thread_ts="1.0"), words.WORDS_LOST),
    "mention with a picture": (mention(PROMPT, files=[picture()]), words.STORE_AWAY),
    "direct message": (direct(PROMPT), words.STORE_AWAY),
    "list by mention": (mention("list"), words.ASK_AGAIN),
    "cancel by mention": (mention("cancel"), words.CANCEL_LOST),
    "home": ({"type": "app_home_opened", "user": OWNER, "channel": "D1", "tab": "home"}, ""),
}


def test_slack_waits_longer_than_a_listener() -> None:
    assert listening.DECIDE_WITHIN < 2.5  # of 3 s, the way there and back included


@pytest.mark.parametrize(("request_", "said"), REQUESTS.values(), ids=REQUESTS.keys())
async def test_a_request_is_acked_in_time_and_the_person_told(
    slow: SlackApp, request_: Payload, said: str
) -> None:
    await judge(slow, slow.send(request_), said)


@pytest.mark.parametrize(("event", "said"), EVENTS.values(), ids=EVENTS.keys())
async def test_an_event_is_acked_in_time_and_the_person_told(
    slow: SlackApp, event: Payload, said: str
) -> None:
    await judge(slow, slow.event(event), said)


@pytest.fixture
async def slow(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> SlackApp:
    """The store answers long after the listener has given up."""
    monkeypatch.setattr(listening, "DECIDE_WITHIN", 0.1)
    app = make_app(a_session())

    awake = asyncio.Event()

    async def silent() -> None:
        asyncio.get_running_loop().call_later(1.0, awake.set)
        await awake.wait()

    monkeypatch.setattr(app.store, "_reach", silent)
    return app


async def judge(app: SlackApp, sending: Awaitable[BoltResponse], said: str) -> None:
    started = time.monotonic()
    response = await sending
    assert time.monotonic() - started < 10  # the store would have been waited for much longer
    assert response.status == 200
    told = [*app.of("chat.postEphemeral"), *app.of("respond"), *app.of("chat.postMessage")]
    assert said in response.body + "".join(call["text"] for call in told)
    assert app.store.written == []
    assert app.queue.added == []
