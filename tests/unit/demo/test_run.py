"""What the demo's page offers is what the app's manifest does."""

import json
from pathlib import Path

from bot.demo.run import FEATURES

MANIFEST = json.loads((Path(__file__).parents[3] / "manifest.json").read_text(encoding="utf-8"))


def test_demo_offers_what_the_manifest_does() -> None:
    features = MANIFEST["features"]
    keys = ("command", "usage_hint", "description")
    assert [[getattr(command, key) for key in keys] for command in FEATURES.commands] == [
        [command[key] for key in keys] for command in features["slash_commands"]
    ]
    assert [(s.callback_id, s.name) for s in FEATURES.shortcuts] == [
        (s["callback_id"], s["name"]) for s in features["shortcuts"] if s["type"] == "message"
    ]
    assert FEATURES.events == frozenset(MANIFEST["settings"]["event_subscriptions"]["bot_events"])
    assert FEATURES.home_tab == features["app_home"]["home_tab_enabled"]
