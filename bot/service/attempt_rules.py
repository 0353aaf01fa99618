"""Asks the rules for attempts, and holds the gateway to what they have approved.

A session may change between the question and the commit. The commit stores no other attempt than
the approved one; where another would begin, the rules are asked again.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple, TypeVar

from bot.domain.attempt import Attempt
from bot.domain.errors import Conflict, ImagineError, StoreUnavailable
from bot.domain.policy import Person
from bot.domain.record import refused
from bot.domain.refusals import Refusal
from bot.domain.session import Session
from bot.ports import AttemptRule, BeginRequest, ExtraWrite, ExtraWrites, Record, SessionRecords

log = logging.getLogger(__name__)

_MOST_CHECKS = 5
"""How often the rules are asked about one request, while the session changes under it."""

Written = TypeVar("Written")


class ChangedMeanwhile(ImagineError):
    """The session has changed since the rules were asked: another attempt would begin."""


class Approval(NamedTuple):
    """The attempts that the rules let begin, and what each rule has committed with them."""

    attempts: tuple[Attempt, ...]
    writes: tuple[ExtraWrites, ...] = ()

    def require(self, before: Session, after: Session) -> Session:
        """The session with these attempts. Raises `ChangedMeanwhile` where others would begin."""
        if _begun(before, after) != self.attempts:
            raise ChangedMeanwhile
        return after

    def extra(self, session: Session) -> list[ExtraWrite]:
        return [write for of_rule in self.writes for write in of_rule(session)]


async def ask_rules(
    rules: tuple[AttemptRule, ...],
    person: Person,
    before: Session,
    after: Session,
    idempotency_key: str,
) -> Approval:
    """A change that begins no attempt is approved without a rule. Raises `Refusal`."""
    approved = Approval(_begun(before, after))
    if approved.attempts:
        request = BeginRequest(person, before, after.latest, idempotency_key)
        asked = [await rule.check(request) for rule in rules]
        approved = approved._replace(writes=tuple(filter(None, asked)))
    return approved


async def record_refusal(record: Record, after: Session, refusal: Refusal) -> None:
    """The person is told what a rule refuses, even if that cannot be recorded."""
    try:
        await record.append(after.team, refused(after, after.latest, refusal))
    except StoreUnavailable as error:
        log.warning("a refusal is not in the record: %s", error)


async def until_written(
    sessions: SessionRecords,
    session: Session,
    check_and_write: Callable[[Session], Awaitable[Written]],
) -> Written:
    """Load the session and check again where it changed meanwhile. Raises `Conflict`."""
    for _ in range(_MOST_CHECKS):
        with suppress(ChangedMeanwhile):
            return await check_and_write(session)
        session = await sessions.load(session.id)
    raise Conflict(session.id)


def _begun(before: Session, after: Session) -> tuple[Attempt, ...]:
    """The attempts that are new, whenever they are queued."""
    new = after.attempts[len(before.attempts) :]
    return tuple(replace(attempt, queued_at=0.0) for attempt in new)
