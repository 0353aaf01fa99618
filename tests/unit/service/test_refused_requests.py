"""What a refusal by a limit offers to cancel."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain import begin
from bot.domain.costs import Reservation
from bot.domain.limits import LimitReached, Quota, RefusedAttempt, Standing
from bot.domain.policy import Person
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.service.refused_requests import with_offers
from tests.fakes import ID, OWNER, FakeSessionStore, a_session, generating, with_latest

ME = Person("T1", OWNER)
ASKED = Reservation(OWNER, "2026-11-28", "2026-11", 1_000)
LAST_MONTH = replace(ASKED, day="2026-10-31", month="2026-10")


def wanted() -> RefusedAttempt:
    new = replace(a_session(Stage.INITIAL_INPUT), id=f"T1.{OWNER}.new", version=0)
    begun = begin.submit(new, "a hen", 1.0)
    return RefusedAttempt(new, replace(begun.latest, reserved=ASKED))


async def offered(waiting: Session, quota: Quota, refused: RefusedAttempt) -> tuple[Session, ...]:
    refusal = LimitReached(Standing(quota, 9, 9, 1e9), 1, 0, "a hen", wanted=refused)
    with pytest.raises(LimitReached):
        async with with_offers(FakeSessionStore(waiting), ME, "T1"):
            raise refusal
    return refusal.waiting


@pytest.mark.parametrize(("held", "helps"), [(ASKED, True), (LAST_MONTH, False)])
@pytest.mark.parametrize("quota", Quota)
async def test_only_what_gives_back_of_the_limit_is_offered_to_be_cancelled(
    held: Reservation, helps: bool, quota: Quota
) -> None:
    refused = wanted()
    waiting = with_latest(generating(), reserved=held)
    found = await offered(waiting, quota, refused)
    assert [session.id for session in found] == ([ID] if helps else [])
