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
