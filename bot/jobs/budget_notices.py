"""The notice that a limit is nearly used up: once a period, to the person whom it concerns."""

from __future__ import annotations

import logging
from typing import Protocol
from zoneinfo import ZoneInfo

from bot.domain.costs import end_of_day, end_of_month
from bot.domain.errors import ImagineError
from bot.domain.limits import Scope, Standing
from bot.domain.session import Person, Session
from bot.ports import LimitsOf, OwnerNotices, PersonNotices, Spending
from bot.views.limit_words import nearly_used_words

log = logging.getLogger(__name__)

NEARLY = 0.8
"""The part of a limit from which on it is told."""


class Told(Protocol):
    """What was told in a period, for all processes."""

    async def first_time(self, team: str, period: str, what: str) -> bool:
        """Records it. False where it was recorded before. Raises `StoreUnavailable`."""


class Notices(OwnerNotices, PersonNotices, Protocol):
    """Private messages, to owners and to admins."""


class AdminDirectory(Protocol):
    async def user_ids(self) -> frozenset[str]:
        """The workspace's admins and owners. Raises an `ImagineError` where Slack does not tell."""


class BudgetNotices:
    """Tells the owner of a session that just began an attempt. Of the workspace's budget the
    `admins` are told, those of the `directory`, and the log. A notice that cannot be delivered is
    not sent again."""

    def __init__(
        self,
        spending: Spending,
        told: Told,
        notices: Notices,
        limits: LimitsOf,
        zone: ZoneInfo,
        admins: frozenset[str] = frozenset(),
        directory: AdminDirectory | None = None,
    ) -> None:
        self._spending = spending
        self._told = told
        self._notices = notices
        self._limits = limits
        self._zone = zone
        self._admins = admins
        self._directory = directory

    async def tell(self, session: Session) -> None:
        """Never raises what the program raises on purpose."""
        try:
            for standing in await self._nearly_used(session):
                await self._tell_once(session, standing)
        except ImagineError as error:
            log.warning("a notice about a limit was not sent: %s", type(error).__name__)

    async def _nearly_used(self, session: Session) -> list[Standing]:
        reserved = session.latest.reserved
        if reserved is None:
            return []
        limits = await self._limits(session.team, session.channel, reserved.payer)
        if not any(limits):
            return []
        spent = await self._spending.spent(
            session.team, reserved.payer, session.channel, reserved.day, reserved.month
        )
        ends = end_of_month(reserved.month, self._zone)
        standings = [
            Standing(
                scope,
                used,
                limit,
                end_of_day(reserved.day, self._zone) if scope is Scope.USER_IMAGES else ends,
            )
            for scope, used in zip(Scope, spent, strict=True)
            if (limit := limits.of(scope))
        ]
        return [standing for standing in standings if standing.used >= NEARLY * standing.limit]

    async def _tell_once(self, session: Session, standing: Standing) -> None:
        reserved = session.latest.reserved
        owner = Person(session.owner_org or session.team, session.user).key_in(session.team)
        if reserved is None or (standing.scope is not Scope.WORKSPACE and reserved.payer != owner):
            return
        period = reserved.day if standing.scope is Scope.USER_IMAGES else reserved.month
        whom = {Scope.CHANNEL: session.channel, Scope.WORKSPACE: ""}.get(standing.scope, owner)
        if not await self._told.first_time(session.team, period, f"{standing.scope}:{whom}"):
            return
        words = nearly_used_words(standing)
        if standing.scope is Scope.WORKSPACE:
            log.warning("%s", words)
            await self._tell_admins(words)
        else:
            await self._notices.tell_owner(session, words)

    async def _tell_admins(self, words: str) -> None:
        """The people in `ADMINS` first: to find them asks nothing of Slack."""
        for admin in sorted(self._admins):
            await self._notices.tell_person(admin, words)
        if self._directory is None:
            return
        for admin in sorted(await self._directory.user_ids() - self._admins):
            await self._notices.tell_person(admin, words)
