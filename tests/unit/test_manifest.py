"""The Slack app that `manifest.json` makes is the one that the code needs."""

from __future__ import annotations

import ast
import inspect
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.doctor.slack import OPTIONAL_SCOPES, REQUIRED_SCOPES
from bot.sandbox.registry import METHODS
from bot.slack.http import events_routes
from bot.views.words import COMMAND

ROOT = Path(__file__).parents[2]
_HISTORY = {"channels:history", "groups:history"}
SCOPES: dict[str, set[str]] = {
    "apps_connections_open": set(),  # by the app-level token's connections:write
    "auth_test": set(),
    "chat_getPermalink": set(),
    "chat_postEphemeral": {"chat:write"},
    "chat_postMessage": {"chat:write"},
    "chat_update": {"chat:write"},
    "conversations_history": _HISTORY,
    "conversations_join": {"channels:join"},
    "conversations_replies": _HISTORY,
    "files_completeUploadExternal": {"files:write"},
    "files_getUploadURLExternal": {"files:write"},
    "views_open": set(),
}
"""Each API method that the bot calls, and the scopes of the bot token that it takes."""


@pytest.fixture
def manifest() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((ROOT / "manifest.json").read_text("utf-8"))
    return content


def called_methods() -> set[str]:
    """Every method of Slack's client that the bot's code names, the simulated Slack's apart."""
    methods = {name for name, _ in inspect.getmembers(AsyncWebClient, inspect.iscoroutinefunction)}
    sources = [path for path in (ROOT / "bot").rglob("*.py") if "sandbox" not in path.parts]
    nodes = [node for path in sources for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    named = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return {name for name in named & methods if not name.startswith("_")}


def test_the_methods_that_are_called_are_those_with_known_scopes() -> None:
    assert called_methods() == set(SCOPES)


def test_the_simulated_slack_asks_for_the_same_scopes() -> None:
    for name, scopes in SCOPES.items():
        method = METHODS[name.replace("_", ".")]
        assert scopes <= set(method.scopes)
        assert bool(scopes) == bool(method.scopes) or method.app_token


def test_scopes_are_exactly_what_the_code_calls_for(manifest: dict[str, Any]) -> None:
    scopes = manifest["oauth_config"]["scopes"]
    assert list(scopes) == ["bot"]
    assert scopes["bot"] == sorted({"commands"}.union(*SCOPES.values()))


def test_scopes_are_those_that_the_doctor_looks_for(manifest: dict[str, Any]) -> None:
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == REQUIRED_SCOPES | set(OPTIONAL_SCOPES)


def test_the_command_is_the_one_that_is_listened_for(manifest: dict[str, Any]) -> None:
    [command] = manifest["features"]["slash_commands"]
    assert command["command"] == COMMAND
    assert command["should_escape"] is False  # the prompt as it was typed


def test_every_url_leads_to_the_route_of_http_mode(manifest: dict[str, Any]) -> None:
    """They stand there unused while Socket Mode is on."""
    [route] = events_routes(AsyncApp(signing_secret="s", token="xoxb-1"), "s")
    urls = [
        manifest["features"]["slash_commands"][0]["url"],
        manifest["settings"]["interactivity"]["request_url"],
    ]
    assert json.dumps(manifest).count("https://") == len(urls)
    assert len(set(urls)) == 1
    assert urlsplit(urls[0])[:3] == ("https", "YOUR-HOST.example.com", route.path)


def test_buttons_and_forms_are_delivered_over_socket_mode(manifest: dict[str, Any]) -> None:
    settings = manifest["settings"]
    assert settings["interactivity"]["is_enabled"] is True
    assert settings["socket_mode_enabled"] is True
    assert settings["org_deploy_enabled"] is False  # a token of one workspace
    assert settings["token_rotation_enabled"] is False  # nothing here renews a token
    assert "event_subscriptions" not in settings  # nothing listens for events


def test_the_bot_can_tell_people_things_in_a_direct_message(manifest: dict[str, Any]) -> None:
    """Without the tab Slack refuses them with `messages_tab_disabled`."""
    features = manifest["features"]
    assert features["app_home"]["messages_tab_enabled"] is True
    assert features["app_home"]["messages_tab_read_only_enabled"] is True  # nobody listens there
    assert features["bot_user"]["always_online"] is True


def test_texts_fit_slacks_limits(manifest: dict[str, Any]) -> None:
    shown = manifest["display_information"]
    assert len(shown["name"]) <= 35
    assert len(shown["description"]) <= 140
    assert 175 <= len(shown["long_description"]) <= 4000
    [command] = manifest["features"]["slash_commands"]
    assert re.fullmatch(r"/[a-z0-9-]{1,31}", command["command"])
    assert len(command["description"]) <= 2000
    assert len(command["usage_hint"]) <= 1000
    assert re.fullmatch(r"[a-z0-9._-]{1,80}", manifest["features"]["bot_user"]["display_name"])
