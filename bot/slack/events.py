"""The events that the app is told of."""

from __future__ import annotations

SUBSCRIBED = frozenset(
    {
        "app_home_opened",
        "app_mention",
        "app_uninstalled",
        "channel_archive",
        "channel_deleted",
        "channel_left",
        "group_archive",
        "group_deleted",
        "group_left",
        "member_left_channel",
        "message.im",
        "tokens_revoked",
    }
)
"""The events that the app subscribes to, as `manifest.json` has them."""
