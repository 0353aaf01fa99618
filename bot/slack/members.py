"""Looks a person up in Slack: which workspace they are of, whether they are a guest, and their time
zone."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.members import Member, member_of
from bot.domain.refusals import Reason, Refusal
from bot.slack.request_tracking import count_slack_errors, error_code

log = logging.getLogger(__name__)

LOOK_UP_WITHIN = 0.8
"""Seconds. The decision that follows takes up to 2 s, and Slack waits 3 for the ack."""
CACHED_FOR = 60.0
"""Seconds that an answer is cached for."""
_MOST_CACHED = 10_000

PERSONS_ZONE = "persons_zone"
"""The key in a request's context that holds a `FindZone`."""
FindZone = Callable[[], Awaitable[ZoneInfo | None]]
"""Answers the time zone of the person who acts; None where Slack does not tell it soon."""

_UNKNOWN = {"user_not_found", "user_not_visible", "users_not_found"}


class MemberDirectory:
    """Calls `users.info`, which needs the scope `users:read`, and caches good answers."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._known: dict[str, tuple[float, Member]] = {}

    async def look_up(self, client: AsyncWebClient, user: str) -> Member:
        """Raises `Refusal(NOT_CHECKED)` where Slack does not answer in time,
        `Refusal(CHECK_NOT_GRANTED)` where the scope is missing, and `Refusal(OUTSIDER)` where it
        knows no such person here."""
        until, member = self._known.get(user, (0.0, None))
        if member is None or until <= self._now():
            member = await self._ask(client, user)
            self._keep(user, member)
        return member

    async def zone_of(self, client: AsyncWebClient, user: str) -> ZoneInfo | None:
        """The person's time zone; None where Slack does not tell one that is known."""
        with suppress(Refusal, ZoneInfoNotFoundError, ValueError, OSError):
            if name := (await self.look_up(client, user)).time_zone:
                return ZoneInfo(name)
        return None

    async def _ask(self, client: AsyncWebClient, user: str) -> Member:
        try:
            async with asyncio.timeout(LOOK_UP_WITHIN):
                with count_slack_errors("users.info"):
                    answer = await client.users_info(user=user)
            return member_of(answer["user"])
        except SlackApiError as error:
            code = error_code(error)
            if code in _UNKNOWN:
                raise Refusal(Reason.OUTSIDER) from None
            log.warning("users.info is refused: %s", code or "no answer")
            if code == "missing_scope":
                raise Refusal(Reason.CHECK_NOT_GRANTED) from None
        except Exception as error:  # noqa: BLE001 - nobody is let in unchecked
            log.warning("users.info does not answer: %s", type(error).__name__)
        raise Refusal(Reason.NOT_CHECKED)

    def _keep(self, user: str, member: Member) -> None:
        if len(self._known) >= _MOST_CACHED:
            self._known.clear()
        self._known[user] = (self._now() + CACHED_FOR, member)
