"""Looks up the names of the people, channels and groups that a message mentions by id.

It is done before an ack, and so within `LOOK_UP_WITHIN`. What Slack has not answered by then comes
into the cache a little later; that message says "someone". Nothing waits longer for a name, and a
name is never a reason to refuse.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any, Literal

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.concurrency import BackgroundTasks
from bot.slack.identity import Identity
from bot.slack.notation import Names, References, clean_name
from bot.slack.request_tracking import count_slack_errors, error_code

log = logging.getLogger(__name__)

LOOK_UP_WITHIN = 0.3
"""Seconds, for all names of a message together."""
CACHED_FOR = 600.0
"""Seconds that a name is cached for."""
UNKNOWN_FOR = 60.0
"""Seconds for which Slack is not asked again where it has told no name."""
MOST_CACHED = 5_000
"""The oldest go first."""
MOST_LOOKED_UP = 20
"""Of one message."""
_CALL_WITHIN = 5.0
"""Seconds."""
_SCOPES = {
    "user": ("users:read",),
    "channel": ("channels:read", "groups:read"),
    "group": ("usergroups:read",),
}

Kind = Literal["user", "channel", "group"]
Key = tuple[Kind, str]
_ALL_GROUPS: Key = ("group", "")
"""One call answers all groups."""


class DisplayNames:
    """A cache of one process. Concurrent look-ups of a name are one call."""

    def __init__(
        self,
        identity: Identity,
        tasks: BackgroundTasks,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._identity = identity
        self._tasks = tasks
        self._now = now
        self._cached: dict[Key, tuple[float, str]] = {}
        self._pending: dict[Key, asyncio.Event] = {}

    async def look_up(self, client: AsyncWebClient, needed: References) -> Names:
        """The names that are known within `LOOK_UP_WITHIN`. Never raises."""
        others = (user for user in needed.users if user != self._identity.bot_user)
        keys: list[Key] = [("user", each) for each in others]
        keys += [("channel", each) for each in needed.channels]
        keys += [("group", each) for each in needed.groups]
        unknown = [key for key in keys if self._name(key) is None][:MOST_LOOKED_UP]
        asked = [self._ask(client, key) for key in unknown if self._may_ask(key[0])]
        if asked:
            waits = [asyncio.ensure_future(event.wait()) for event in asked]
            _, late = await asyncio.wait(waits, timeout=LOOK_UP_WITHIN)
            for wait in late:
                wait.cancel()
        known = {key: name for key in keys if (name := self._name(key))}
        return Names(*(_of_kind(known, kind) for kind in ("user", "channel", "group")))

    def _may_ask(self, kind: Kind) -> bool:
        return any(self._identity.has_scope(scope) for scope in _SCOPES[kind])

    def _name(self, key: Key) -> str | None:
        """Empty where Slack has told none; None where it has not been asked lately."""
        until, name = self._cached.get(key, (0.0, ""))
        return name if until > self._now() else None

    def _ask(self, client: AsyncWebClient, key: Key) -> asyncio.Event:
        """Ask in the background; the event is set once the answer is cached."""
        key_asked = _ALL_GROUPS if key[0] == "group" else key
        event = self._pending.get(key_asked)
        if event is None:
            event = self._pending[key_asked] = asyncio.Event()
            self._tasks.spawn(self._fetch(client, key_asked, key, event))
        return event

    async def _fetch(
        self, client: AsyncWebClient, key_asked: Key, key: Key, event: asyncio.Event
    ) -> None:
        try:
            async with asyncio.timeout(_CALL_WITHIN):
                names = await _CALLS[key[0]](client, key[1])
        except (SlackApiError, ClientError, OSError) as error:  # OSError: TimeoutError is one
            code = error_code(error) if isinstance(error, SlackApiError) else type(error).__name__
            log.info("no name of a %s: %s", key[0], code)
            names = {}
        finally:
            self._pending.pop(key_asked, None)
            event.set()
        for ident, name in {key[1]: "", **names}.items():
            self._keep((key[0], ident), clean_name(name))

    def _keep(self, key: Key, name: str) -> None:
        self._cached.pop(key, None)
        while len(self._cached) >= MOST_CACHED:
            del self._cached[next(iter(self._cached))]
        self._cached[key] = (self._now() + (CACHED_FOR if name else UNKNOWN_FOR), name)


async def _user(client: AsyncWebClient, user: str) -> dict[str, str]:
    with count_slack_errors("users.info"):
        found = _dict((await client.users_info(user=user)).get("user"))
    profile = _dict(found.get("profile"))
    names = (profile.get("display_name"), profile.get("real_name"), found.get("real_name"))
    return {user: _first(*names, found.get("name"))}


async def _channel(client: AsyncWebClient, channel: str) -> dict[str, str]:
    with count_slack_errors("conversations.info"):
        found = _dict((await client.conversations_info(channel=channel)).get("channel"))
    return {channel: _first(found.get("name"))}


async def _groups(client: AsyncWebClient, _: str) -> dict[str, str]:
    """All groups at once: Slack has no call for one."""
    with count_slack_errors("usergroups.list"):
        found = (await client.usergroups_list(include_disabled=True)).get("usergroups")
    groups = [_dict(each) for each in found] if isinstance(found, list) else []
    return {str(g.get("id") or ""): _first(g.get("name"), g.get("handle")) for g in groups}


_CALLS: dict[Kind, Callable[[AsyncWebClient, str], Coroutine[Any, Any, dict[str, str]]]] = {
    "user": _user,
    "channel": _channel,
    "group": _groups,
}


def _of_kind(known: dict[Key, str], kind: str) -> dict[str, str]:
    return {ident: name for (each, ident), name in known.items() if each == kind}


def _first(*names: object) -> str:
    return next((name for name in names if isinstance(name, str) and name.strip()), "")


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
