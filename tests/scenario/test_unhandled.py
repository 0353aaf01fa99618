"""What Slack sends and nobody handles is acked with 200, and counted by its type."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.scenario.payloads import command, mention
from tests.scenario.test_http import FORM, Endpoint, endpoint, signature
from tests.support.metrics import Counted

__all__ = ["endpoint"]

JSON = "application/json"
PRIVATE = "<!channel> a very private prompt"
PERSON = {"id": "U1", "team_id": "T1"}
ABOUT = {"team": {"id": "T1"}, "user": PERSON}


def event(inner: object) -> dict[str, Any]:
    return {"type": "event_callback", "team_id": "T1", "event": inner}


EVENTS = [
    "channel_rename",
    "channel_unarchive",
    "channel_id_changed",
    "emoji_changed",
    "file_shared",
    "function_executed",
    "grid_migration_started",
    "link_shared",
    "member_joined_channel",
    "pin_added",
    "reaction_added",
    "scope_granted",
    "subteam_updated",
    "team_join",
    "user_huddle_changed",
    "workflow_step_execute",
    "something_of_next_year",
]
INTERACTIONS: dict[str, dict[str, Any]] = {
    "view_closed": {"view": {"callback_id": "x"}},
    "block_suggestion": {"action_id": "x", "block_id": "b", "value": "a"},
    "interactive_message": {"callback_id": "x", "actions": [{"name": "a", "value": "b"}]},
    "dialog_submission": {"callback_id": "x", "submission": {}},
    "dialog_cancellation": {"callback_id": "x"},
    "dialog_suggestion": {"callback_id": "x", "name": "a", "value": "b"},
    "workflow_step_edit": {"callback_id": "x"},
    "shortcut": {"callback_id": "x"},
    "message_action": {"callback_id": "x", "channel": {"id": "C1"}, "message": {"ts": "1.0"}},
    "block_actions": {"actions": [{"action_id": "x", "block_id": "b"}]},
    "view_submission": {"view": {"callback_id": "x", "state": {"values": {}}}},
    "agent_session_stopped": {},
    "something_of_next_year": {"actions": "none"},
}
OUTER = ["app_rate_limited", "app_requested", "something_of_next_year"]
ODD = [
    (event([]), "event_callback"),
    (event("text"), "event_callback"),
    (event(None), "event_callback"),
    (event({}), "event_callback"),
    (event({"type": None}), "event_callback"),
    (event({"type": ["a"]}), "event_callback"),
    (event({"type": PRIVATE}), "other"),
    ({"type": PRIVATE, "team_id": "T1"}, "other"),
    ({"type": 7, "team_id": "T1"}, "other"),
    ({"team_id": "T1"}, "other"),
    ({"event": {}, "type": "event_callback", "authorizations": "none"}, "unreadable"),
]
UNREADABLE = [b"[]", b"null", b'"text"', b"7", b"true", b"{broken", b"", b"<html></html>"]


async def post(endpoint: Endpoint, sent: bytes, content_type: str) -> tuple[int, str]:
    return await endpoint.post(sent, signature(sent), content_type)


async def send(endpoint: Endpoint, payload: object) -> tuple[int, str]:
    return await post(endpoint, json.dumps(payload).encode(), JSON)


async def interact(endpoint: Endpoint, payload: object) -> tuple[int, str]:
    return await post(endpoint, urlencode({"payload": json.dumps(payload)}).encode(), FORM)


def counts(counted: Counted) -> dict[str, float]:
    told = counted.changed("imagine_unhandled_total")
    return {series.partition("type=")[2]: number for series, number in told.items()}


@pytest.mark.parametrize("name", EVENTS)
async def test_an_event_without_a_listener(endpoint: Endpoint, name: str) -> None:
    counted = Counted()
    assert await send(endpoint, event({"type": name, "user": "U2"})) == (200, "")
    assert counts(counted) == {name: 1}


@pytest.mark.parametrize("name", INTERACTIONS)
async def test_an_interaction_without_a_listener(endpoint: Endpoint, name: str) -> None:
    counted = Counted()
    payload = {**ABOUT, **INTERACTIONS[name], "type": name}
    status, text = await interact(endpoint, payload)
    assert status == 200
    assert json.loads(text or "{}") in ({}, {"options": []})
    assert ("options" in text) is name.endswith("_suggestion")
    assert counts(counted) == {name: 1}


@pytest.mark.parametrize("name", OUTER)
async def test_a_payload_of_another_kind(endpoint: Endpoint, name: str) -> None:
    counted = Counted()
    assert await send(endpoint, {"type": name, "team_id": "T1"}) == (200, "")
    assert counts(counted) == {name: 1}


@pytest.mark.parametrize(("payload", "kind"), ODD)
async def test_an_odd_payload_counts_without_what_was_typed(
    endpoint: Endpoint, payload: object, kind: str
) -> None:
    counted = Counted()
    assert (await send(endpoint, payload))[0] == 200
    assert counts(counted) == {kind: 1}


@pytest.mark.parametrize("sent", UNREADABLE)
async def test_what_nobody_can_read(endpoint: Endpoint, sent: bytes) -> None:
    counted = Counted()
    assert (await post(endpoint, sent, JSON))[0] == 200
    assert counts(counted) == {"unreadable": 1}


@pytest.mark.parametrize("name", ["/imagin", "/other", f"/{PRIVATE}"])
async def test_an_unknown_command_is_told_so(endpoint: Endpoint, name: str) -> None:
    counted = Counted()
    sent = urlencode({**command(PRIVATE), "command": name}).encode()
    status, text = await post(endpoint, sent, FORM)
    assert status == 200
    assert "don't know this command" in json.loads(text)["text"]
    assert counts(counted) == {"slash_command": 1}


async def test_the_check_of_the_certificate(endpoint: Endpoint) -> None:
    assert (await post(endpoint, b"ssl_check=1&token=t", FORM))[0] == 200


async def test_what_is_known_and_breaks_is_not_acked(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slack sends it again, and a person sees that it did not work."""

    async def broken(_: object) -> None:
        raise RuntimeError(PRIVATE)

    monkeypatch.setattr(endpoint.app.bolt, "async_dispatch", broken)
    counted = Counted()
    assert (await send(endpoint, event(mention("a fox"))))[0] == 400
    assert counts(counted) == {}
