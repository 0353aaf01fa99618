"""`views.*`: triggers, hashes, images, Home tabs."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import SimulatedSlack
from tests.support.samples import form, home_tab, image_blocks, png

Connect = Callable[[], Awaitable[Any]]
Upload = Callable[[bytes], Awaitable[str]]


async def refused(call: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


def trigger(slack: SimulatedSlack, user: str = "alice") -> str:
    return slack.workspace.tickets.trigger(slack.user(user).id)


async def test_triggers_are_for_once_and_for_three_seconds(
    slack: SimulatedSlack, client: AsyncWebClient
) -> None:
    once, late = trigger(slack), trigger(slack)
    assert (await client.views_open(trigger_id=once, view=form()))["ok"]
    assert await refused(client.views_open(trigger_id=once, view=form())) == "exchanged_trigger_id"
    slack.clock.advance(3.1)
    assert await refused(client.views_open(trigger_id=late, view=form())) == "expired_trigger_id"
    assert await refused(client.views_open(trigger_id="1.2.x", view=form())) == "invalid_trigger_id"


async def test_update_with_an_old_hash(slack: SimulatedSlack, client: AsyncWebClient) -> None:
    view = (await client.views_open(trigger_id=trigger(slack), view=form()))["view"]
    slack.fill("alice", {"Prompt": "typed"})
    old = view["hash"]
    await client.views_update(view_id=view["id"], hash=old, view=form())
    again = client.views_update(view_id=view["id"], hash=old, view=form())
    assert await refused(again) == "hash_conflict"
    shown = slack.open_view("alice")
    assert shown is not None
    assert shown.value("Prompt") == "typed"


async def test_views_show_images_that_the_bot_can_see(
    slack: SimulatedSlack, client: AsyncWebClient, upload: Upload
) -> None:
    trigger = slack.workspace.tickets.trigger(slack.user("alice").id)
    images = image_blocks(await upload(png()))
    await client.views_open(trigger_id=trigger, view=form(blocks=[*images, *form()["blocks"]]))
    await client.views_publish(user_id=slack.user("alice").id, view=home_tab(*images))
    hidden = (await slack.say("alice", "outsiders", "look", files=[png()])).message
    for file_id in ("F0NONE", hidden.files[0]):
        with pytest.raises(SlackApiError, match="invalid_arguments"):
            await client.views_publish(
                user_id=slack.user("alice").id, view=home_tab(*image_blocks(file_id))
            )


async def test_a_home_tab_stays_the_same_view_and_keeps_off_old_ones(
    slack: SimulatedSlack, client: AsyncWebClient
) -> None:
    alice = slack.user("alice").id
    view = home_tab({"type": "divider"})
    first = (await client.views_publish(user_id=alice, view=view))["view"]
    second = (await client.views_publish(user_id=alice, view=view, hash=first["hash"]))["view"]
    assert first["id"] == second["id"]
    assert first["hash"] != second["hash"]
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await client.views_publish(user_id=alice, view=view, hash=first["hash"])
    too_many = home_tab(*[{"type": "divider"}] * 101)
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        await client.views_publish(user_id=alice, view=too_many)
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        await client.views_publish(user_id=alice, view=form())
