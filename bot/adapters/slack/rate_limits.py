"""Slack's rate limits: which calls it counts together, and how many of them it takes.

Source: the reference of each method, https://docs.slack.dev/apis/web-api/rate-limits. A tier is a
lower bound ("50+ per minute"), so a whole minute's calls may go at once after a pause; where Slack
takes fewer it says so (429), and everybody waits.
"""

from __future__ import annotations

from bot.ports import Budget

MESSAGES_PER_SECOND = 1.0
"""In one channel: `chat.postMessage`. Slack tolerates short bursts above it and names no number, so
none is counted on."""
_SPACING = 1.03
"""Messages are as much further apart: the way to Slack takes one a little longer than the next."""

_TIER_2, _TIER_3, _TIER_4 = 20, 50, 100
"""Calls a minute in one workspace, for each method."""

PER_MINUTE = {
    "chat.delete": _TIER_3,
    "chat.getPermalink": 200,
    "chat.postEphemeral": _TIER_4,
    "chat.update": _TIER_3,
    "conversations.history": _TIER_3,
    "conversations.info": _TIER_3,
    "conversations.join": _TIER_3,
    "conversations.members": _TIER_4,
    "conversations.open": _TIER_3,
    "conversations.replies": _TIER_3,
    "files.completeUploadExternal": _TIER_4,
    "files.delete": _TIER_3,
    "files.getUploadURLExternal": _TIER_4,
    "files.info": _TIER_4,
    "team.info": _TIER_3,
    "users.info": _TIER_4,
    "users.list": _TIER_2,
    "views.publish": _TIER_4,
}
"""The tiers of methods; a method that is not listed is tier 2, but for `UNPACED`."""

UNPACED = frozenset(
    {"apps.connections.open", "auth.test", "views.open", "views.push", "views.update"}
)
"""Calls that never wait: their trigger lives for 3 seconds, or nothing works without them."""


def budget_of(method: str, channel: str, messages_per_second: float) -> Budget | None:
    """The budget that a call takes from; None for one that never waits. A workspace that takes more
    than the usual messages takes as much more of everything."""
    if method in UNPACED:
        return None
    if method == "chat.postMessage":
        return Budget(f"chat.postMessage-{channel}", messages_per_second / _SPACING)
    usual = max(1.0, messages_per_second / MESSAGES_PER_SECOND)
    per_minute = PER_MINUTE.get(method, _TIER_2) * usual
    return Budget(method, per_minute / 60, burst=round(per_minute))
