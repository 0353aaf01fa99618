"""Who is told that a limit is nearly used up, and how often."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.domain.costs import Reservation
from bot.domain.errors import SlackRefused, SlackUnavailable, StoreUnavailable
from bot.domain.limits import Limits, Quota
from bot.domain.session import Session
from bot.jobs.budget_notices import BudgetNotices
from bot.ports import BudgetNotice, Spent
from tests.fakes import OWNER, FakeSessionStore, always, generating, with_latest

RESERVED = Reservation(OWNER, "2026-11-28", "2026-11", 1_000)
LIMITS = Limits(10, 10_000, 10_000, 10_000)


class NoticeBook:
    """What was told, what somebody is telling, and what was dropped."""

    def __init__(self) -> None:
        self.told_of: set[str] = set()
        self.claimed: dict[str, BudgetNotice] = {}
        self.dropped: list[BudgetNotice] = []

    async def claim(self, notice: BudgetNotice) -> bool:
        name = name_of(notice)
        if name in self.told_of or name in self.claimed:
            return False
        self.claimed[name] = notice
        return True

    async def told(self, notice: BudgetNotice) -> None:
        self.told_of.add(name_of(notice))
        del self.claimed[name_of(notice)]

    async def drop(self, notice: BudgetNotice) -> None:
        self.dropped.append(notice)

    async def untold(self) -> list[BudgetNotice]:
        """As after the time that a process has."""
        claimed, self.claimed = list(self.claimed.values()), {}
        return claimed


def name_of(notice: BudgetNotice) -> str:
    return f"{notice.period} {notice.quota}:{notice.whom}"


class Books:
    """Spending, and the notices."""

    def __init__(self, spent: Spent) -> None:
        self.now = spent
        self.book = NoticeBook()
        self.sessions = FakeSessionStore()
        self.time = 1_795_867_200.0  # 2026-11-28
        self.words: list[str] = []
        self.to_admins: list[tuple[str, str]] = []
        self.fails: Exception | None = None
        self.away_for: set[str] = set()

    async def spent(self, *args: Any) -> Spent:
        if isinstance(self.fails, StoreUnavailable):
            raise self.fails
        return self.now

    async def tell_owner(
        self, session: Session, words: str, *, failed: int = 0, try_again: bool = True
    ) -> None:
        if self.fails:
            raise self.fails
        self.words.append(words)

    async def tell_person(self, user: str, words: str) -> None:
        if user in self.away_for:
            raise SlackUnavailable("away")
        self.to_admins.append((user, words))


class Directory:
    """Slack's answer: who is an admin."""

    def __init__(self, *admins: str, fails: Exception | None = None) -> None:
        self.admins, self.fails, self.asked = frozenset(admins), fails, 0

    async def user_ids(self) -> frozenset[str]:
        self.asked += 1
        if self.fails:
            raise self.fails
        return self.admins


def session_of(payer: str = OWNER) -> Session:
    return with_latest(generating(), reserved=replace(RESERVED, payer=payer))


def notices(
    books: Books,
    limits: Limits = LIMITS,
    admins: tuple[str, ...] = ("UADMIN", "UBOSS"),
    directory: Directory | None = None,
) -> BudgetNotices:
    return BudgetNotices(
        books,
        books.book,
        books,
        books.sessions,
        always(limits),
        ZoneInfo("UTC"),
        lambda: books.time,
        frozenset(admins),
        directory,
    )


async def test_nothing_is_told_below_four_fifths() -> None:
    books = Books(Spent(7, 7_999, 7_999, 7_999))
    await notices(books).tell(session_of())
    assert books.words == []
    assert books.book.claimed == {}


async def test_each_limit_is_told_once_a_period(caplog: pytest.LogCaptureFixture) -> None:
    books = Books(Spent(8, 8_000, 8_000, 8_000))
    for _ in range(3):
        await notices(books).tell(session_of())
    assert len(books.words) == 3
    assert "Of your 10 images a day, 2 are left." in books.words[0]
    assert "Your budget is $0.010 a month: $0.002 is left." in books.words[1]
    assert "The budget of <#C" in books.words[2]
    assert caplog.text.count("The budget of this workspace") == 1
    assert [user for user, _ in books.to_admins] == ["UADMIN", "UBOSS"]
    assert "The budget of this workspace is $0.010 a month" in books.to_admins[0][1]


async def test_the_workspaces_admins_are_told_too_each_once() -> None:
    books, directory = Books(Spent(0, 0, 0, 8_000)), Directory("UBOSS", "UOWNER")
    told = notices(books, LIMITS, ("UBOSS",), directory)
    for _ in range(3):
        await told.tell(session_of())
    assert [user for user, _ in books.to_admins] == ["UBOSS", "UOWNER"]
    assert directory.asked == 1


@pytest.mark.parametrize(
    "error", [SlackUnavailable("away"), SlackRefused("users.list", "missing_scope")]
)
async def test_where_slack_does_not_list_the_admins_those_of_the_setting_are_told(
    error: Exception,
) -> None:
    books, directory = Books(Spent(0, 0, 0, 8_000)), Directory(fails=error)
    told = notices(books, LIMITS, ("UBOSS",), directory)
    await told.tell(session_of())
    assert [user for user, _ in books.to_admins] == ["UBOSS"]


@pytest.mark.parametrize("payer", ["U77", "T9-U77"])
async def test_who_asked_is_told_of_their_own_limits_in_the_session_of_another(payer: str) -> None:
    books = Books(Spent(10, 10_000, 0, 0))
    for _ in range(2):
        await notices(books).tell(session_of(payer))
    assert books.words == []
    assert [user for user, _ in books.to_admins] == ["U77", "U77"]
    assert "Of your 10 images a day, 0 are left." in books.to_admins[0][1]


async def test_of_the_channels_budget_who_asked_is_told() -> None:
    books = Books(Spent(0, 0, 9_000, 0))
    for payer in ("U77", "U77", OWNER):
        await notices(books).tell(session_of(payer))
    assert books.words == []
    ((user, words),) = books.to_admins
    assert user == "U77"
    assert "The budget of <#C" in words


async def test_a_notice_that_fails_keeps_no_other_from_being_sent() -> None:
    books = Books(Spent(9, 9_000, 9_000, 9_000))
    books.fails, books.away_for = SlackUnavailable("away"), {"UADMIN"}
    await notices(books).tell(session_of())
    assert [user for user, _ in books.to_admins] == ["UBOSS"]


async def test_without_limits_nothing_is_read() -> None:
    books = Books(Spent())
    books.fails = StoreUnavailable("away")
    await notices(books, Limits()).tell(session_of())


@pytest.mark.parametrize("error", [StoreUnavailable("away"), SlackUnavailable("away")])
async def test_trouble_does_not_fail_the_attempt(error: Exception) -> None:
    books = Books(Spent(9, 0, 0, 0))
    books.fails = error
    await notices(books).tell(session_of())
    assert books.words == []


async def test_what_could_not_be_sent_is_sent_once_slack_is_there_again() -> None:
    books = Books(Spent(9, 0, 0, 0))
    books.fails = SlackUnavailable("away")
    books.sessions = FakeSessionStore(session_of())
    told = notices(books)
    for _ in range(3):
        await told.tell(session_of())
    await told.tell_again()
    assert books.words == []
    books.fails = None
    for _ in range(3):
        await told.tell_again()
        await told.tell(session_of())
    assert len(books.words) == 1
    assert books.book.dropped == []


async def test_an_admin_whom_slack_did_not_take_a_notice_for_is_told_later_and_no_other_twice() -> (
    None
):
    books, directory = Books(Spent(0, 0, 0, 9_000)), Directory("UOWNER", "UBOSS")
    books.sessions, books.away_for = FakeSessionStore(session_of()), {"UOWNER"}
    told = notices(books, directory=directory)
    await told.tell(session_of())
    books.away_for = set()
    for _ in range(3):
        await told.tell_again()
        await told.tell(session_of())
    assert [user for user, _ in books.to_admins] == ["UADMIN", "UBOSS", "UOWNER"]


async def test_where_slack_was_away_the_admins_that_it_lists_are_told_later() -> None:
    books, directory = Books(Spent(0, 0, 0, 9_000)), Directory(fails=SlackUnavailable("away"))
    books.sessions = FakeSessionStore(session_of())
    told = notices(books, LIMITS, ("UBOSS",), directory)
    await told.tell(session_of())
    directory.fails, directory.admins = None, frozenset({"UOWNER"})
    for _ in range(3):
        await told.tell_again()
    assert [user for user, _ in books.to_admins] == ["UBOSS", "UOWNER"]
    assert directory.asked == 2


@pytest.mark.parametrize(
    ("spent", "later", "there"),
    [
        (Spent(7, 0, 0, 0), 0.0, True),  # something was given back
        (Spent(9, 0, 0, 0), 86_400.0, True),  # the day is over
        (Spent(9, 0, 0, 0), 0.0, False),  # the session has expired
    ],
)
async def test_what_is_no_longer_so_is_dropped(spent: Spent, later: float, there: bool) -> None:
    books = Books(Spent(9, 0, 0, 0))
    books.fails = SlackUnavailable("away")
    books.sessions = FakeSessionStore(*[session_of()] * there)
    await notices(books).tell(session_of())
    books.fails, books.now, books.time = None, spent, books.time + later
    await notices(books).tell_again()
    assert books.words == []
    assert [notice.quota for notice in books.book.dropped] == [Quota.USER_IMAGES]
