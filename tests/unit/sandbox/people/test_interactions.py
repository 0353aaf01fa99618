"""Shortcuts, menus, and what a Home tab may hold."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import SimulatedSlack
from tests.support.samples import SIZES, actions, form, home_tab, menu, png

Connect = Callable[[], Awaitable[Any]]
Upload = Callable[[bytes], Awaitable[str]]
Block = dict[str, Any]


@pytest.fixture
async def clicks(app: AsyncApp, connect: Connect) -> list[dict[str, Any]]:
    """Every click on the menu, as the bot gets it."""
    seen: list[dict[str, Any]] = []

    @app.action("size")
    async def chosen(ack: Any, body: dict[str, Any]) -> None:
        seen.append(body)
        await ack()

    await connect()
    return seen


async def test_a_choice_in_a_message(
    slack: SimulatedSlack, client: AsyncWebClient, clicks: list[dict[str, Any]]
) -> None:
    blocks = actions(menu(*SIZES, initial_option=SIZES[0]))
    await client.chat_postMessage(channel="C0GENERAL0", text="x", blocks=blocks)
    (message,) = slack.messages("general")
    assert (await slack.select("alice", message, "size", "1792x1008")).ok
    (body,) = clicks
    (action,) = body["actions"]
    assert (action["type"], action["selected_option"]["value"]) == ("static_select", "1792x1008")
    assert "value" not in action
    (values,) = body["state"]["values"].values()
    assert values["size"]["selected_option"]["value"] == "1792x1008"


async def test_a_choice_on_the_home_tab_stays_chosen(
    slack: SimulatedSlack, client: AsyncWebClient, clicks: list[dict[str, Any]]
) -> None:
    alice = slack.user("alice").id
    section = {"type": "section", "text": {"type": "plain_text", "text": "Size"}}
    view = home_tab({**section, "block_id": "b", "accessory": menu(*SIZES)})
    await client.views_publish(user_id=alice, view=view)
    shown = slack.home("alice")
    assert shown is not None
    assert (await slack.select("alice", shown, "size", "Wide")).ok
    (body,) = clicks
    assert body["view"]["type"] == "home"
    assert body["container"] == {"type": "view", "view_id": shown.id}
    assert body["view"]["state"]["values"]["b"]["size"]["selected_option"]["value"] == "1792x1008"
    assert shown.value("size") == "1792x1008"
    assert (await client.views_open(trigger_id=body["trigger_id"], view=form()))["ok"]


async def test_an_overflow_menu(
    slack: SimulatedSlack, client: AsyncWebClient, clicks: list[dict[str, Any]]
) -> None:
    blocks = actions(menu(*SIZES, kind="overflow"))
    await client.chat_postMessage(channel="C0GENERAL0", text="x", blocks=blocks)
    assert (await slack.select("alice", slack.messages("general")[0], "size", "Wide")).ok
    (action,) = clicks[0]["actions"]
    assert (action["type"], action["selected_option"]["value"]) == ("overflow", "1792x1008")
    assert clicks[0]["state"]["values"] == {}


async def test_what_is_not_on_the_menu_cannot_be_chosen(
    slack: SimulatedSlack, client: AsyncWebClient
) -> None:
    await client.chat_postMessage(channel="C0GENERAL0", text="x", blocks=actions(menu(*SIZES)))
    with pytest.raises(AssertionError, match="no option"):
        await slack.select("alice", slack.messages("general")[0], "size", "Tall")


@pytest.mark.parametrize("channel", ["general", "outsiders"])
async def test_a_message_shortcut_brings_the_message_and_its_pictures(
    slack: SimulatedSlack,
    app: AsyncApp,
    client: AsyncWebClient,
    connect: Connect,
    channel: str,
) -> None:
    seen: list[dict[str, Any]] = []

    @app.shortcut("direct_image")
    async def direct(ack: Any, body: dict[str, Any], respond: Any) -> None:
        seen.append(body)
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=form())
        await respond("only you")

    await connect()
    root = (await slack.say("bob", channel, "look")).message
    message = (await slack.say("bob", channel, "my cat", root.ts, files=[png(3, 2)])).message
    assert (await slack.shortcut("alice", message, "direct_image")).ok
    (told,) = await slack.wait_for(lambda: slack.ephemerals("alice", channel))
    assert told.text == "only you"
    assert slack.open_view("alice") is not None
    (body,) = seen
    assert (body["type"], body["callback_id"]) == ("message_action", "direct_image")
    assert (body["message_ts"], body["message"]["ts"]) == (message.ts, message.ts)
    assert body["message"]["thread_ts"] == root.ts
    assert body["channel"]["id"] == slack.channel(channel).id
    (file,) = body["message"]["files"]
    assert (file["mimetype"], file["original_w"], file["mode"]) == ("image/png", 3, "hosted")


async def test_messages_that_a_person_does_not_see_have_no_menu(
    slack: SimulatedSlack, client: AsyncWebClient
) -> None:
    alice = slack.user("alice").id
    await client.chat_postEphemeral(channel="C0GENERAL0", user=alice, text="only you")
    with pytest.raises(AssertionError, match="no menu"):
        await slack.shortcut("alice", slack.ephemerals("alice")[0], "direct_image")
    mine = (await slack.say("bob", slack.direct("bob"), "mine")).message
    with pytest.raises(AssertionError, match="no menu"):
        await slack.shortcut("alice", mine, "direct_image")


async def test_a_home_can_be_clicked_as_it_was_before_it_changed(
    slack: SimulatedSlack, app: AsyncApp, client: AsyncWebClient, connect: Connect
) -> None:
    """The person's client has not drawn the new one yet."""
    seen: list[str] = []

    @app.action("older")
    async def pressed(ack: Any, action: Any) -> None:
        await ack()
        seen.append(action["block_id"])

    await connect()
    alice = slack.user("alice").id
    words = {"type": "plain_text", "text": "Older"}
    button = {"type": "button", "action_id": "older", "text": words}
    for block_id in ("first", "second", "third"):
        blocks = [{"type": "actions", "block_id": block_id, "elements": [button]}]
        await client.views_publish(user_id=alice, view={"type": "home", "blocks": blocks})
    home = slack.home("alice")
    assert home is not None
    for block_id in ("second", "third"):
        await slack.click("alice", home, action_id="older", block_id=block_id, stale=True)
    assert seen == ["second", "third"]
    with pytest.raises(AssertionError, match="no button"):
        await slack.click("alice", home, action_id="older", block_id="second")


async def test_home_keeps_its_id_and_what_is_chosen_there(
    slack: SimulatedSlack, app: AsyncApp, client: AsyncWebClient, connect: Connect
) -> None:
    seen: list[Any] = []

    @app.action("size")
    async def chosen(ack: Any, body: Any) -> None:
        await ack()
        seen.append(body["view"]["state"]["values"]["sizes"]["size"]["selected_option"])

    await connect()
    names = [{"text": {"type": "plain_text", "text": name}, "value": name} for name in "ab"]
    select = {"type": "static_select", "action_id": "size", "options": names}
    blocks = [{"type": "actions", "block_id": "sizes", "elements": [select]}]
    view = {"type": "home", "blocks": blocks}
    alice = slack.user("alice").id
    await client.views_publish(user_id=alice, view=view)
    home = slack.home("alice")
    assert home is not None
    await slack.click("alice", home, action_id="size", value="b")
    await slack.wait_for(lambda: seen)
    assert (seen[0]["value"], home.value("size")) == ("b", "b")
    answer: Any = await client.views_publish(user_id=alice, view=view)
    assert answer["view"]["id"] == home.id
