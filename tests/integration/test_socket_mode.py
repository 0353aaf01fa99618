"""Socket Mode connections that do not come about."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp

from bot.adapters.slack import slack_client, slack_session
from bot.adapters.slack.web_api import CALL_TIMEOUT
from bot.sandbox import PATIENCE, Fault, SimulatedSlack
from bot.slack.bolt import bolt_app
from bot.slack.identity import Identity
from bot.slack.request_tracking import InFlightRequests
from bot.slack.transport import socket_connection, socket_mode
from bot.slack.transport.socket_mode import SocketModeConnections, SocketNotOpened
from tests.support.links import Link

KEPT_SLEEP = asyncio.sleep


async def quick_sleep(seconds: float) -> None:
    """The SDK waits half a minute where Slack is too busy to name an address."""
    await KEPT_SLEEP(min(seconds, 0.1))


def app_for(slack: SimulatedSlack, http: object) -> AsyncApp:
    client = slack_client(slack.bot_token, slack.api_url, http)  # type: ignore[arg-type]
    return bolt_app(client, Identity(slack.team_id, "B1", slack.bot_user_id), "")


async def test_another_address_is_asked_for_when_one_does_not_open(
    slack: SimulatedSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_connection, "ADDRESS_WITHIN", 1)
    monkeypatch.setattr(socket_connection, "PING_INTERVAL", 0.2)
    slack.faults.add("apps.connections.open", Fault.hang(), times=2)
    async with slack_session() as http:
        connections = SocketModeConnections(
            app_for(slack, http), slack.app_token, InFlightRequests()
        )
        async with asyncio.timeout(PATIENCE):
            await connections.start()
        assert slack.sockets == 2
        await connections.stop()


async def test_a_new_address_that_does_not_come_is_asked_for_again(
    slack: SimulatedSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the network goes silent: it takes the socket and whatever else is open with it."""
    monkeypatch.setattr(socket_connection, "ADDRESS_WITHIN", 1)
    monkeypatch.setattr(socket_connection, "PING_INTERVAL", 0.5)
    async with slack_session() as http:
        connections = SocketModeConnections(
            app_for(slack, http), slack.app_token, InFlightRequests()
        )
        await connections.start()
        slack.faults.add("apps.connections.open", Fault.hang(), times=4)
        await slack.disconnect_sockets(abrupt=True)
        async with asyncio.timeout(CALL_TIMEOUT / 2):
            await slack.wait_for(lambda: slack.sockets == 2, PATIENCE, "new sockets")
        await connections.stop()


async def test_an_address_that_is_used_up_is_given_up(
    slack: SimulatedSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address opens once: where the answer to the handshake is lost, it never does again."""
    monkeypatch.setattr(socket_connection, "OPEN_WITHIN", 1.0)
    monkeypatch.setattr(socket_connection, "PING_INTERVAL", 0.2)
    async with Link("slack", (slack.host, slack.port)) as link, slack_session() as http:
        connections = SocketModeConnections(
            app_for(slack, http), slack.app_token, InFlightRequests()
        )
        slack.workspace.base_url = f"http://127.0.0.1:{link.port}"
        await connections.start()
        link.state = "lose"
        await slack.disconnect_sockets(abrupt=True)
        await slack.wait_for(lambda: not slack.workspace.tickets.sockets, PATIENCE, "a handshake")
        await asyncio.sleep(0.5)
        link.heal()
        await slack.wait_for(lambda: slack.sockets == 2, PATIENCE, "new sockets")
        await connections.stop()


async def test_what_never_opens_is_given_up_in_words(
    slack: SimulatedSlack, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(socket_mode, "CONNECT_WITHIN", 0.7)
    slack.faults.add("apps.connections.open", Fault.hang(), times=50)
    async with slack_session() as http:
        connections = SocketModeConnections(
            app_for(slack, http), slack.app_token, InFlightRequests()
        )
        with caplog.at_level(logging.INFO), pytest.raises(SocketNotOpened, match="cannot be reach"):
            await connections.start()
        assert "ticket" not in caplog.text
        await connections.stop()


@pytest.mark.parametrize(
    "answer",
    [
        Fault.answer("<html></html>", "text/html"),
        Fault.answer("<html></html>"),
        Fault.answer(""),
        Fault.answer("null"),
        Fault.answer("[]"),
        Fault.answer('"text"'),
        Fault.answer("{}"),
        Fault.answer('{"ok": true}'),
        Fault.answer('{"ok": true, "url": 7}'),
        Fault.answer('{"ok": true, "url": "https://example.invalid"}'),
        Fault.answer("<html></html>", "text/html", 429),
        Fault(error="ratelimited"),
        Fault(error="internal_error"),
    ],
)
async def test_an_address_is_asked_for_again_after_an_odd_answer(
    slack: SimulatedSlack, monkeypatch: pytest.MonkeyPatch, answer: Fault
) -> None:
    monkeypatch.setattr(socket_connection, "PING_INTERVAL", 0.05)
    monkeypatch.setattr(asyncio, "sleep", quick_sleep)
    slack.faults.add("apps.connections.open", answer, times=2)
    async with slack_session() as http:
        connections = SocketModeConnections(
            app_for(slack, http), slack.app_token, InFlightRequests()
        )
        async with asyncio.timeout(PATIENCE):
            await connections.start()
        assert slack.sockets == 2
        assert len(slack.calls_of("apps.connections.open")) < 10
        await connections.stop()


ENVELOPES: list[tuple[str, Any]] = [
    ("events_api", {"type": "event_callback", "event": {"type": "team_join"}}),
    ("events_api", {"type": "app_rate_limited"}),
    ("events_api", {}),
    ("interactive", {"type": "view_closed", "view": {"callback_id": "x"}}),
    ("interactive", {"type": "block_suggestion", "action_id": "x", "value": "a"}),
    ("interactive", {"type": "something_of_next_year"}),
    ("slash_commands", {"command": "/other", "text": "a fox"}),
    ("options", {"type": "dialog_suggestion"}),
    ("something_of_next_year", {"new": True}),
    ("something_of_next_year", None),
    ("something_of_next_year", ["a", "b"]),
    ("something_of_next_year", "text"),
    ("", 7),
]


async def test_every_envelope_is_acked_whatever_is_in_it(slack: SimulatedSlack) -> None:
    about = {"team_id": slack.team_id}
    async with slack_session() as http:
        connections = SocketModeConnections(
            app_for(slack, http), slack.app_token, InFlightRequests()
        )
        await connections.start()
        for kind, payload in ENVELOPES:
            told = {**about, **payload} if isinstance(payload, dict) else payload
            async with asyncio.timeout(PATIENCE):
                await slack.delivery.sockets.send(kind, told)
        await connections.stop()


@pytest.mark.parametrize("text", ["", "{broken", "[]", "null", '"text"', "{}", '{"type":"new"}'])
async def test_a_message_that_is_no_envelope_breaks_nothing(
    slack: SimulatedSlack, text: str
) -> None:
    async with slack_session() as http:
        connections = SocketModeConnections(
            app_for(slack, http), slack.app_token, InFlightRequests()
        )
        await connections.start()
        for link in slack.delivery.sockets.usable():
            await link.ws.send_str(text)
        for kind, payload in ENVELOPES[:2]:
            async with asyncio.timeout(PATIENCE):
                await slack.delivery.sockets.send(kind, {**payload, "team_id": slack.team_id})
        await connections.stop()
