"""Modals and Home tabs, with the bot's own calls and what people do in them."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import SimulatedSlack
from tests.support.samples import form

Connect = Callable[[], Awaitable[Any]]


def trigger(slack: SimulatedSlack, user: str = "alice") -> str:
    return slack.workspace.tickets.trigger(slack.user(user).id)


async def refused(call: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


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


async def test_form_is_submitted_with_errors_and_without(
    slack: SimulatedSlack, app: AsyncApp, client: AsyncWebClient, connect: Connect
) -> None:
    texts: list[str] = []

    @app.view("form")
    async def submitted(ack: Any, view: dict[str, Any]) -> None:
        text = view["state"]["values"]["prompt"]["text"]["value"]
        texts.append(text)
        if text == "bad":
            await ack(response_action="errors", errors={"prompt": "no"})
        else:
            await ack()

    await connect()
    await client.views_open(trigger_id=trigger(slack), view=form(private_metadata="m"))
    assert (await slack.submit("alice", {})).error == "client_refused"
    assert (await slack.submit("alice", {"Prompt": "bad"})).errors == {"prompt": "no"}
    assert slack.open_view("alice") is not None
    assert (await slack.submit("alice", {"prompt": "good"})).ok
    assert slack.open_view("alice") is None
    assert texts == ["bad", "good"]
    assert slack.violations == []


async def test_answers_push_update_and_clear(
    slack: SimulatedSlack, app: AsyncApp, client: AsyncWebClient, connect: Connect
) -> None:
    answers: list[dict[str, Any]] = [
        {"response_action": "push", "view": form(callback_id="form", private_metadata="2")},
        {"response_action": "update", "view": form(callback_id="form", private_metadata="3")},
        {"response_action": "clear"},
    ]

    @app.view("form")
    async def submitted(ack: Any) -> None:
        await ack(**answers.pop(0))

    await connect()
    await client.views_open(trigger_id=trigger(slack), view=form())
    for metadata in ("2", "3"):
        await slack.submit("alice", {"Prompt": "x"})
        view = slack.open_view("alice")
        assert view is not None
        assert view.private_metadata == metadata
        assert view.root_view_id != view.id
    await slack.submit("alice", {"Prompt": "x"})
    assert slack.open_view("alice") is None


async def test_closing_is_told_only_when_asked_for(
    slack: SimulatedSlack, app: AsyncApp, client: AsyncWebClient, connect: Connect
) -> None:
    @app.view_closed("form")
    async def closed(ack: Any) -> None:
        await ack()

    await connect()
    for notify, told in ((False, 0), (True, 1)):
        await client.views_open(
            trigger_id=trigger(slack), view=form(notify_on_close=notify) if notify else form()
        )
        ack = await slack.close_view("alice")
        assert (ack.ok, ack.attempts) == (True, told)


async def test_home(
    slack: SimulatedSlack, app: AsyncApp, client: AsyncWebClient, connect: Connect
) -> None:
    @app.event("app_home_opened")
    async def opened(event: dict[str, Any]) -> None:
        text = {"type": "plain_text", "text": "Your images"}
        view = {"type": "home", "blocks": [{"type": "header", "text": text}]}
        await client.views_publish(user_id=event["user"], view=view)

    await connect()
    await slack.open_home("alice")
    home = await slack.wait_for(lambda: slack.home("alice"))
    assert "Your images" in home.shown_text


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
