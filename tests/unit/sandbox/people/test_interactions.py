"""Shortcuts, menus, and what a Home tab may hold."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import SimulatedSlack
from bot.sandbox.webapi.block_kit import block_problems, view_problems
from tests.support.samples import actions, form, image_blocks, png

Connect = Callable[[], Awaitable[Any]]
Upload = Callable[[bytes], Awaitable[str]]
Block = dict[str, Any]


def option(words: str, value: str = "", **more: Any) -> Block:
    return {"text": {"type": "plain_text", "text": words}, "value": value or words, **more}


def menu(*options: Block, kind: str = "static_select", **more: Any) -> Block:
    return {"type": kind, "action_id": "size", "options": list(options), **more}


SIZES = (option("Square", "1024x1024"), option("Wide", "1792x1008"))


def home(*blocks: Block) -> Block:
    return {"type": "home", "blocks": list(blocks)}


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
    view = home({**section, "block_id": "b", "accessory": menu(*SIZES)})
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


async def test_views_show_images_that_the_bot_can_see(
    slack: SimulatedSlack, client: AsyncWebClient, upload: Upload
) -> None:
    trigger = slack.workspace.tickets.trigger(slack.user("alice").id)
    images = image_blocks(await upload(png()))
    await client.views_open(trigger_id=trigger, view=form(blocks=[*images, *form()["blocks"]]))
    await client.views_publish(user_id=slack.user("alice").id, view=home(*images))
    hidden = (await slack.say("alice", "outsiders", "look", files=[png()])).message
    for file_id in ("F0NONE", hidden.files[0]):
        with pytest.raises(SlackApiError, match="invalid_arguments"):
            await client.views_publish(
                user_id=slack.user("alice").id, view=home(*image_blocks(file_id))
            )


async def test_a_home_tab_stays_the_same_view_and_keeps_off_old_ones(
    slack: SimulatedSlack, client: AsyncWebClient
) -> None:
    alice = slack.user("alice").id
    view = home({"type": "divider"})
    first = (await client.views_publish(user_id=alice, view=view))["view"]
    second = (await client.views_publish(user_id=alice, view=view, hash=first["hash"]))["view"]
    assert first["id"] == second["id"]
    assert first["hash"] != second["hash"]
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await client.views_publish(user_id=alice, view=view, hash=first["hash"])
    too_many = home(*[{"type": "divider"}] * 101)
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        await client.views_publish(user_id=alice, view=too_many)
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        await client.views_publish(user_id=alice, view=form())


LABEL = {"type": "plain_text", "text": "Sizes"}
GROUP = {"label": LABEL, "options": list(SIZES)}
BAD_MENUS: dict[str, Block] = {
    "no options": menu(),
    "too many options": menu(*[option(str(n)) for n in range(101)]),
    "too many to overflow": menu(*[option(str(n)) for n in range(6)], kind="overflow"),
    "long words": menu(option("x" * 76)),
    "long value": menu(option("x", "v" * 151)),
    "one value twice": menu(option("x", "v"), option("y", "v")),
    "initial option that is none": menu(*SIZES, initial_option=option("Tall")),
    "long description": menu(option("x", description={"type": "plain_text", "text": "d" * 76})),
    "url in a select": menu(option("x", url="https://x.example")),
    "options and groups": menu(*SIZES, option_groups=[GROUP]),
    "long placeholder": menu(*SIZES, placeholder={"type": "plain_text", "text": "x" * 151}),
    "an empty group": {
        "type": "static_select",
        "action_id": "size",
        "option_groups": [{**GROUP, "options": []}],
    },
}


@pytest.mark.parametrize("name", BAD_MENUS)
def test_bad_menus(name: str) -> None:
    assert block_problems(actions(BAD_MENUS[name]))


@pytest.mark.parametrize(
    "element",
    [
        menu(*SIZES, initial_option=SIZES[1]),
        menu(option("One", url="https://x.example"), kind="overflow"),
        {"type": "static_select", "action_id": "size", "option_groups": [GROUP]},
    ],
)
def test_good_menus(element: Block) -> None:
    assert block_problems(actions(element)) == []
    label = {"type": "plain_text", "text": "Size"}
    if element["type"] != "overflow":
        field = {"type": "input", "block_id": "b", "label": label, "element": element}
        assert view_problems(form(blocks=[field])) == []
