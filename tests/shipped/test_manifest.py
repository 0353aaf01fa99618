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

from bot.domain.app_blocked import REQUIRED_SCOPES
from bot.ops.doctor.slack import OPTIONAL_SCOPES, SCOPES_OF_FULL_MEMBERS
from bot.sandbox.webapi.methods import METHODS
from bot.views.ids import COMMAND, DIRECT_IMAGE
from tests.support.http import routes_for

ROOT = Path(__file__).parents[2]
_ATTRIBUTE = re.compile(r"\.(\w+)")
"""To parse all of the code takes a second."""
_HISTORY = {"channels:history", "groups:history", "im:history", "mpim:history"}
SCOPES: dict[str, set[str]] = {
    "apps_connections_open": set(),  # by the app-level token's connections:write
    "auth_test": set(),
    "chat_delete": {"chat:write"},
    "chat_getPermalink": set(),
    "chat_postEphemeral": {"chat:write"},
    "chat_postMessage": {"chat:write"},
    "chat_update": {"chat:write"},
    "conversations_history": _HISTORY,
    "conversations_info": {"channels:read", "groups:read"},
    "conversations_join": {"channels:join"},
    "conversations_replies": _HISTORY,
    "files_completeUploadExternal": {"files:write"},
    "files_delete": {"files:write"},
    "files_getUploadURLExternal": {"files:write"},
    "files_info": {"files:read"},
    "usergroups_list": {"usergroups:read"},
    "users_info": {"users:read"},
    "users_list": {"users:read"},
    "views_open": set(),
    "views_publish": set(),
    "views_update": set(),
}
"""Each API method that the bot calls, and the scopes of the bot token that it takes."""
EVENTS: dict[str, set[str]] = {
    "app_home_opened": set(),
    "app_mention": {"app_mentions:read"},
    "app_uninstalled": set(),
    "channel_archive": {"channels:read"},
    "channel_deleted": {"channels:read"},
    "channel_left": {"channels:read"},
    "group_archive": {"groups:read"},
    "group_deleted": {"groups:read"},
    "group_left": {"groups:read"},
    "member_left_channel": {"channels:read", "groups:read"},
    "message.im": {"im:history"},
    "tokens_revoked": set(),
}
"""Each event that the bot listens for, and the scopes that it takes."""


@pytest.fixture
def manifest() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((ROOT / "manifest.json").read_text("utf-8"))
    return content


def called_methods() -> set[str]:
    """Every method of Slack's client that the bot's code names, the simulated Slack's apart."""
    methods = {name for name, _ in inspect.getmembers(AsyncWebClient, inspect.iscoroutinefunction)}
    sandbox = ROOT / "bot" / "sandbox"
    sources = [p for p in (ROOT / "bot").rglob("*.py") if not p.is_relative_to(sandbox)]
    methods = {name for name in methods if not name.startswith("_")} - {"api_call"}
    texts = [path.read_text("utf-8") for path in sources]
    trees = [ast.parse(text) for text in texts if methods.intersection(_ATTRIBUTE.findall(text))]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    return methods & {node.attr for node in nodes if isinstance(node, ast.Attribute)}


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
    assert scopes["bot"] == sorted({"commands"}.union(*SCOPES.values(), *EVENTS.values()))


def test_scopes_are_those_that_the_doctor_looks_for(manifest: dict[str, Any]) -> None:
    known = REQUIRED_SCOPES | SCOPES_OF_FULL_MEMBERS | set(OPTIONAL_SCOPES)
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == known


def test_the_command_is_the_one_that_is_listened_for(manifest: dict[str, Any]) -> None:
    [command] = manifest["features"]["slash_commands"]
    assert command["command"] == COMMAND
    assert command["should_escape"] is False  # the prompt as it was typed


def test_the_shortcut_is_the_one_that_is_listened_for(manifest: dict[str, Any]) -> None:
    [shortcut] = manifest["features"]["shortcuts"]
    assert (shortcut["type"], shortcut["callback_id"]) == ("message", DIRECT_IMAGE)


def listened_for() -> set[str]:
    """The names of the events that listeners are registered for."""
    source = (ROOT / "bot/slack/listeners/__init__.py").read_text("utf-8")
    return set(re.findall(r'on\(app\.event, "(\w+)"', source))


def test_the_events_are_those_that_are_listened_for(manifest: dict[str, Any]) -> None:
    subscribed = manifest["settings"]["event_subscriptions"]["bot_events"]
    assert subscribed == sorted(EVENTS)
    assert {name.split(".")[0] for name in subscribed} == listened_for()


def test_every_url_leads_to_the_route_of_http_mode(manifest: dict[str, Any]) -> None:
    """They stand there unused while Socket Mode is on."""
    [route] = routes_for(AsyncApp(signing_secret="s", token="xoxb-1"), "s")
    urls = [
        manifest["features"]["slash_commands"][0]["url"],
        manifest["settings"]["interactivity"]["request_url"],
        manifest["settings"]["event_subscriptions"]["request_url"],
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


def test_people_can_write_to_the_bot_and_look_at_its_home(manifest: dict[str, Any]) -> None:
    """Without the messages tab Slack refuses what the bot tells people directly, too."""
    features = manifest["features"]
    assert features["app_home"] == {
        "home_tab_enabled": True,
        "messages_tab_enabled": True,
        "messages_tab_read_only_enabled": False,
    }
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
    [shortcut] = manifest["features"]["shortcuts"]
    assert len(shortcut["name"]) <= 24
    assert len(shortcut["description"]) <= 150
