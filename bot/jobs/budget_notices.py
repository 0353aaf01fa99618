"""The notice that a limit is nearly used up: once a period, to the person whom it concerns."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol
from zoneinfo import ZoneInfo

from bot.domain.attempt import Attempt
from bot.domain.costs import end_of_day, end_of_month
from bot.domain.errors import ImagineError, SlackRefused
from bot.domain.limits import Quota, Standing
from bot.domain.policy import Person, user_of_key
from bot.domain.refusals import Refusal
from bot.domain.session import Session
from bot.domain.slack_refusals import ConversationKind
from bot.jobs.repeating import repeat_for_ever
from bot.ports import (
    BudgetNotice,
    LimitsOf,
    NoticeLog,
    OwnerNotices,
    PersonNotices,
    SessionRecords,
    Spending,
)
from bot.telemetry.context import log_context
from bot.views.limit_words import nearly_used_words

log = logging.getLogger(__name__)

NEARLY = 0.8
"""The part of a limit from which on it is told."""
AGAIN_EVERY = 60.0
"""Seconds between two tries to send what was not told."""


class PrivateMessages(OwnerNotices, PersonNotices, Protocol):
    """Private messages, to owners and to admins."""


class AdminDirectory(Protocol):
    async def user_ids(self) -> frozenset[str]:
        """The workspace's admins and owners. Raises an `ImagineError` where Slack does not tell."""


class BudgetNotices:
    """Tells who asked for the attempt that just began: the session's owner where it came from, and
    anybody else in a direct message. Of the workspace's budget it tells the `admins`, those of the
    `directory`, and the log. A notice that fails because Slack is away is sent again; one may be
    sent twice where the answer to the first was lost."""

    def __init__(
        self,
        spending: Spending,
        log_of_notices: NoticeLog,
        messages: PrivateMessages,
        sessions: SessionRecords,
        limits: LimitsOf,
        zone: ZoneInfo,
        now: Callable[[], float],
        admins: frozenset[str] = frozenset(),
        directory: AdminDirectory | None = None,
    ) -> None:
        self._spending = spending
        self._log = log_of_notices
        self._messages = messages
        self._sessions = sessions
        self._limits = limits
        self._zone = zone
        self._now = now
        self._admins = admins
        self._directory = directory

    async def tell(self, session: Session) -> None:
        """Never raises what the program raises on purpose."""
        with _logged():
            for standing in await self._nearly_used(session, session.latest):
                notice = _notice(session, session.latest, standing.quota)
                with _logged():
                    await self._tell_once(session, notice, standing)

    async def run(self) -> None:
        """Send what was not told, for ever."""
        await repeat_for_ever(self.tell_again, AGAIN_EVERY, log, "telling of limits")

    async def tell_again(self) -> None:
        """Send what was not told. A notice that is not true any more, or whose period is over, is
        dropped."""
        for notice in await self._log.untold():
            with _logged(), log_context(notice.session_id):
                await self._tell_again(notice)

    async def _tell_again(self, notice: BudgetNotice) -> None:
        try:
            session = await self._sessions.load(notice.session_id)
        except Refusal:  # it has expired
            await self._log.drop(notice)
            return
        attempts = [each for each in session.attempts if each.number == notice.attempt]
        standings = [s for each in attempts for s in await self._nearly_used(session, each)]
        due = [s for s in standings if s.quota is notice.quota and s.resets_at > self._now()]
        for standing in due:
            await self._tell_once(session, notice, standing)
        if not due:
            await self._log.drop(notice)

    async def _nearly_used(self, session: Session, attempt: Attempt) -> list[Standing]:
        reserved = attempt.reserved
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
                quota,
                used,
                limit,
                end_of_day(reserved.day, self._zone) if quota is Quota.USER_IMAGES else ends,
                channel=session.channel if session.place is ConversationKind.CHANNEL else "",
            )
            for quota, used in zip(Quota, spent, strict=True)
            if (limit := limits.of(quota))
        ]
        return [standing for standing in standings if standing.used >= NEARLY * standing.limit]

    async def _tell_once(self, session: Session, notice: BudgetNotice, standing: Standing) -> None:
        if not await self._log.claim(notice):
            return
        words = nearly_used_words(standing)
        if standing.quota is not Quota.WORKSPACE:
            await self._tell_who_asked(session, notice, words)
        elif notice.whom:
            await self._messages.tell_person(notice.whom, words)
        else:
            log.warning("%s", words)
            await self._tell_admins(session, notice, standing)
        await self._log.told(notice)

    async def _tell_who_asked(self, session: Session, notice: BudgetNotice, words: str) -> None:
        reserved = session.attempt(notice.attempt).reserved
        owner = Person(session.owner_org or session.team, session.user).key_in(session.team)
        if reserved is None or reserved.payer == owner:
            await self._messages.tell_owner(session, words)
        else:
            await self._messages.tell_person(user_of_key(reserved.payer), words)

    async def _tell_admins(
        self, session: Session, notice: BudgetNotice, standing: Standing
    ) -> None:
        """Each by a notice of their own. The people in `ADMINS` first: to find them asks nothing of
        Slack. Raises `SlackUnavailable` where it may tell the others later."""
        told: frozenset[str] = frozenset()
        for find in (self._in_setting, self._in_directory):
            people = await find()
            for person in sorted(people - told):
                with _logged():
                    await self._tell_once(session, notice._replace(whom=person), standing)
            told |= people

    async def _in_setting(self) -> frozenset[str]:
        return self._admins

    async def _in_directory(self) -> frozenset[str]:
        if self._directory is not None:
            with _logged(SlackRefused):
                return await self._directory.user_ids()
        return frozenset()


def _notice(session: Session, attempt: Attempt, quota: Quota) -> BudgetNotice:
    """The notice of an attempt with a reservation; of the workspace's budget, of all admins."""
    reserved = attempt.reserved
    day, month, payer = (reserved.day, reserved.month, reserved.payer) if reserved else ("", "", "")
    period = day if quota is Quota.USER_IMAGES else month
    whom = {Quota.CHANNEL: session.channel, Quota.WORKSPACE: ""}.get(quota, payer)
    return BudgetNotice(session.team, period, quota, whom, session.id, attempt.number)


@contextmanager
def _logged(errors: type[ImagineError] = ImagineError) -> Iterator[None]:
    """A notice that fails keeps no other from being sent."""
    try:
        yield
    except errors as error:
        log.warning("a notice about a limit was not sent: %s", type(error).__name__)
