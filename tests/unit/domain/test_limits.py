"""What a limit leaves, and which one a refusal tells."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.attempt import Attempt
from bot.domain.costs import Reservation
from bot.domain.limits import (
    LimitReached,
    Limits,
    Quota,
    RefusedAttempt,
    Standing,
    gives_back,
    tightest,
)
from bot.domain.session import Session
from tests.fakes import CHANNEL, OWNER, a_session, generating, with_latest

HELD = Reservation(OWNER, "2026-11-28", "2026-11", 1_000)
BUDGET = Standing(Quota.USER, 90_000, 100_000, 1e9, each=4_000, lowest=1_000)
IMAGES = Standing(Quota.USER_IMAGES, 8, 10, 2e9)


def refused(standing: Standing, asked: int = 4) -> LimitReached:
    return LimitReached(standing, asked, 0, "a fox")


def test_a_limit_is_found_by_its_scope() -> None:
    limits = Limits(1, 2, None, 4)
    assert [limits.of(quota) for quota in Quota] == [1, 2, None, 4]


@pytest.mark.parametrize(
    ("standing", "left", "fitting", "lowest"),
    [
        (BUDGET, 10_000, 2, 10),
        (BUDGET._replace(used=100_000), 0, 0, 0),
        (BUDGET._replace(used=120_000), 0, 0, 0),
        (BUDGET._replace(lowest=0), 10_000, 2, 2),
        (BUDGET._replace(each=0, lowest=0), 10_000, None, None),
        (IMAGES, 2, 2, 2),
    ],
)
def test_what_is_left_and_what_fits(
    standing: Standing, left: int, fitting: int | None, lowest: int | None
) -> None:
    assert (standing.left, standing.fitting, standing.fitting_in_lowest) == (left, fitting, lowest)


def test_the_tightest_is_a_budget() -> None:
    wide = BUDGET._replace(quota=Quota.WORKSPACE, limit=200_000)
    assert tightest([IMAGES, wide, BUDGET]) == BUDGET
    assert tightest([IMAGES]) is tightest([]) is None


def test_of_several_limits_that_are_passed_the_one_is_told_that_leaves_the_least() -> None:
    budget, images = refused(BUDGET), refused(IMAGES)
    told = budget.in_view_of({budget: 106_000, images: 11})
    assert told.standing == BUDGET._replace(used=90_000)
    assert (told.fitting, told.lowest_fitting) == (2, 3)
    told = images.in_view_of({budget: 106_000, images: 14})
    assert told.standing == IMAGES._replace(used=10)
    assert (told.fitting, told.lowest_fitting) == (0, 0)


def test_of_two_that_leave_as_much_the_one_is_told_that_begins_anew_last() -> None:
    first, later = refused(BUDGET), refused(BUDGET._replace(resets_at=2e9))
    assert first.in_view_of({first: 106_000, later: 106_000}).standing.resets_at == 2e9


def test_a_limit_that_is_not_passed_is_not_told_and_counts_for_what_fits() -> None:
    budget, images = refused(BUDGET), refused(IMAGES)
    told = budget.in_view_of({budget: 106_000, images: 10})
    assert told.standing.quota is Quota.USER
    room_for_one = budget.in_view_of({budget: 106_000, images: 13})
    assert (room_for_one.standing.quota, room_for_one.fitting) == (Quota.USER_IMAGES, 1)


def test_never_as_many_fit_as_were_asked_for_unless_they_count_less() -> None:
    budget = refused(BUDGET, asked=2)
    told = budget.in_view_of({budget: 104_000})
    assert (told.fitting, told.lowest_fitting) == (1, 2)
    images = refused(IMAGES, asked=1)
    assert images.in_view_of({images: 11}).lowest_fitting == 0


@pytest.mark.parametrize(("fitting", "lowest", "has"), [(0, 0, False), (1, 0, True), (0, 1, True)])
def test_there_is_an_offer_where_something_fits(fitting: int, lowest: int, has: bool) -> None:
    wanted = RefusedAttempt(a_session(), Attempt(2, "a fox"))
    assert LimitReached(BUDGET, 4, fitting, "", lowest, wanted).has_offers is has
    assert not LimitReached(BUDGET, 4, fitting, "", lowest).has_offers


@pytest.mark.parametrize(
    ("prompt", "change", "new"),
    [
        ("", "", (None, None)),
        ("a hen", "", ("a hen", None)),
        ("", "bigger", (None, "bigger")),
        ("a hen", "bigger", ("a hen", "bigger")),
    ],
)
def test_words_are_new_where_the_newest_attempt_has_others(
    prompt: str, change: str, new: tuple[str | None, str | None]
) -> None:
    session = a_session()
    asked = Attempt(2, prompt or session.latest.prompt, change=change)
    assert RefusedAttempt(session, asked).new_words == new


def test_all_words_of_a_new_session_are_new() -> None:
    assert RefusedAttempt(
        Session("T1.U1.0", "T1", OWNER, CHANNEL), Attempt(1, "a hen")
    ).new_words == (
        "a hen",
        None,
    )


@pytest.mark.parametrize(
    ("held", "channel", "helps"),
    [
        (HELD, CHANNEL, set(Quota)),
        (replace(HELD, day="2026-11-27"), CHANNEL, set(Quota) - {Quota.USER_IMAGES}),
        (replace(HELD, day="2026-10-31", month="2026-10"), CHANNEL, set()),
        (replace(HELD, payer="U77"), CHANNEL, {Quota.CHANNEL, Quota.WORKSPACE}),
        (replace(HELD, each=0), CHANNEL, {Quota.USER_IMAGES}),
        (HELD, "C99", set(Quota) - {Quota.CHANNEL}),
        (None, CHANNEL, set()),
    ],
)
def test_to_cancel_gives_back_where_the_same_limit_of_the_same_period_holds_it(
    held: Reservation | None, channel: str, helps: set[Quota]
) -> None:
    waiting = replace(with_latest(generating(), reserved=held), channel=channel)
    wanted = RefusedAttempt(a_session(), Attempt(2, "a hen", reserved=HELD))
    assert {quota for quota in Quota if gives_back(waiting, quota, wanted)} == helps
    unreserved = RefusedAttempt(a_session(), Attempt(2, "a hen"))
    assert not any(gives_back(waiting, quota, unreserved) for quota in Quota)
