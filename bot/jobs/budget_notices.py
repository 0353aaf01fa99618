"""The notice that a limit is nearly used up: once a period, to the person whom it concerns."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol
from zoneinfo import ZoneInfo

from bot.domain.costs import end_of_day, end_of_month
from bot.domain.errors import ImagineError
from bot.domain.limits import Scope, Standing
from bot.domain.policy import Person, user_of_key
from bot.domain.session import Session
from bot.domain.slack_refusals import ConversationKind
from bot.ports import LimitsOf, OwnerNotices, PersonNotices, Spending
from bot.views.limit_words import nearly_used_words

log = logging.getLogger(__name__)

NEARLY = 0.8
"""The part of a limit from which on it is told."""


class NoticeLog(Protocol):
    """What was told in a period, for all processes."""

    async def first_time(self, team: str, period: str, what: str) -> bool:
        """Records it. False where it was recorded before. Raises `StoreUnavailable`."""


class PrivateMessages(OwnerNotices, PersonNotices, Protocol):
    """Private messages, to owners and to admins."""


class AdminDirectory(Protocol):
    async def user_ids(self) -> frozenset[str]:
        """The workspace's admins and owners. Raises an `ImagineError` where Slack does not tell."""


class BudgetNotices:
    """Tells who asked for the attempt that just began: the session's owner where it came from, and
    anybody else in a direct message. Of a channel's budget its owner is told, of the workspace's
    the `admins`, those of the `directory`, and the log. A notice that cannot be delivered is not
    sent again."""

    def __init__(
        self,
        spending: Spending,
        told: NoticeLog,
        notices: PrivateMessages,
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
        with _logged():
            for standing in await self._nearly_used(session):
                with _logged():
                    await self._tell_once(session, standing)

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
                channel=session.channel if session.place is ConversationKind.CHANNEL else "",
            )
            for scope, used in zip(Scope, spent, strict=True)
            if (limit := limits.of(scope))
        ]
        return [standing for standing in standings if standing.used >= NEARLY * standing.limit]

    async def _tell_once(self, session: Session, standing: Standing) -> None:
        reserved = session.latest.reserved
        if reserved is None:
            return
        scope, payer = standing.scope, reserved.payer
        period = reserved.day if scope is Scope.USER_IMAGES else reserved.month
        whom = {Scope.CHANNEL: session.channel, Scope.WORKSPACE: ""}.get(scope, payer)
        if not await self._told.first_time(session.team, period, f"{scope}:{whom}"):
            return
        words = nearly_used_words(standing)
        owner = Person(session.owner_org or session.team, session.user).key_in(session.team)
        if scope is Scope.WORKSPACE:
            log.warning("%s", words)
            await self._tell_admins(words)
        elif scope is Scope.CHANNEL or payer == owner:
            await self._notices.tell_owner(session, words)
        else:
            await self._notices.tell_person(user_of_key(payer), words)

    async def _tell_admins(self, words: str) -> None:
        """The people in `ADMINS` first: to find them asks nothing of Slack."""
        await self._tell_each(self._admins, words)
        if self._directory is not None:
            await self._tell_each(await self._directory.user_ids() - self._admins, words)

    async def _tell_each(self, people: frozenset[str], words: str) -> None:
        for person in sorted(people):
            with _logged():
                await self._notices.tell_person(person, words)


@contextmanager
def _logged() -> Iterator[None]:
    """A notice that fails keeps no other from being sent."""
    try:
        yield
    except ImagineError as error:
        log.warning("a notice about a limit was not sent: %s", type(error).__name__)
