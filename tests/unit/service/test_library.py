"""What a person has, a page at a time, and their defaults."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.option_table import OPTIONS
from bot.domain.options import NO_OPTIONS, Options
from bot.domain.refusals import OptionRefused
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.service.library import UserLibrary
from tests.fakes import OWNER, FakeSessionStore, a_session, an_attempt

SIZE = (5, 6)


def session(n: int, stage: Stage, **changes: object) -> Session:
    """The n-th newest."""
    made = a_session(stage, id=f"T1.{OWNER}.{n:04x}", updated_at=1000.0 - n)
    return replace(made, **changes)  # type: ignore[arg-type]


def library_of(store: FakeSessionStore) -> UserLibrary:
    return UserLibrary(store, store)


def ids(sessions: tuple[Session, ...] | list[Session]) -> list[int]:
    return [int(each.id.rpartition(".")[2], 16) for each in sessions]


async def test_in_progress_is_what_is_made_or_waits_for_a_decision() -> None:
    store = FakeSessionStore(
        session(1, Stage.GENERATING),
        session(2, Stage.USER_FEEDBACK),
        session(3, Stage.FINAL),
        session(4, Stage.INITIAL_INPUT),
        replace(session(5, Stage.GENERATING), user="U2"),
    )
    sessions, total = await library_of(store).working("T1", OWNER, at_most=1)
    assert (ids(sessions), total) == ([1], 2)


@pytest.mark.parametrize(
    ("wanted", "shown", "at"),
    [
        ((0, 0), ([0, 1, 2, 3, 4], [20, 21, 22, 23, 24, 25]), (0, 0)),
        ((2, 1), ([10, 11], [26]), (2, 1)),
        ((99, 99), ([10, 11], [26]), (2, 1)),
        ((-1, -5), ([0, 1, 2, 3, 4], [20, 21, 22, 23, 24, 25]), (0, 0)),
    ],
)
async def test_a_page_past_either_end_is_the_one_at_that_end(
    wanted: tuple[int, int], shown: tuple[list[int], list[int]], at: tuple[int, int]
) -> None:
    working = [session(n, Stage.USER_FEEDBACK) for n in range(12)]
    approved = [session(n, Stage.FINAL) for n in range(20, 27)]
    library = library_of(FakeSessionStore(*working, *approved))
    home_page = await library.home_page("T1", OWNER, size=SIZE, pages=wanted)
    assert (ids(home_page.working), ids(home_page.pictures)) == shown
    assert (home_page.working_page, home_page.pictures_page) == at
    assert (home_page.in_progress, home_page.approved) == (12, 7)


async def test_nothing_is_a_page_too() -> None:
    home_page = await library_of(FakeSessionStore()).home_page("T1", OWNER, size=SIZE, pages=(3, 3))
    assert (home_page.working, home_page.pictures) == ((), ())
    assert (home_page.working_page, home_page.pictures_page) == (0, 0)
    assert (home_page.last, home_page.defaults) == (NO_OPTIONS, NO_OPTIONS)


async def test_what_expires_in_between_is_left_out() -> None:
    class Expiring(FakeSessionStore):
        async def load_many(self, session_ids: list[str]) -> list[Session]:
            return (await super().load_many(session_ids))[1:]

    store = Expiring(*(session(n, Stage.USER_FEEDBACK) for n in range(3)))
    home_page = await library_of(store).home_page("T1", OWNER, size=SIZE)
    assert ids(home_page.working) == [1, 2]


async def test_the_options_used_last_are_those_of_the_newest_attempt() -> None:
    used = session(3, Stage.USER_FEEDBACK, options=Options(count=2))
    used = replace(used, attempts=(an_attempt(posted=True, queued_at=500.0),))
    store = FakeSessionStore(
        session(1, Stage.INITIAL_INPUT, options=Options(count=4)),
        session(2, Stage.FINAL, options=Options(count=3)),
        used,
    )
    library = library_of(store)
    assert (await library.home_page("T1", OWNER, size=SIZE)).last == Options(count=2)
    await library.keep_last("T1", OWNER)
    assert store.defaults == {("T1", OWNER): Options(count=2)}


async def test_one_default_is_changed_and_the_others_stay() -> None:
    store = FakeSessionStore()
    library = library_of(store)
    for name, value in (("size", "1024x1536"), ("count", "3"), ("background", "opaque")):
        await library.set_default("T1", OWNER, name, value)
    await library.set_default("T1", OWNER, "size", "")
    assert store.defaults == {("T1", OWNER): Options(background="opaque", count=3)}


@pytest.mark.parametrize(("name", "value"), [("quality", "high"), ("count", "7"), ("size", "x")])
async def test_a_default_that_cannot_be_changes_nothing(name: str, value: str) -> None:
    store = FakeSessionStore()
    with pytest.raises(OptionRefused):
        await UserLibrary(store, store, OPTIONS.limited_to(quality=("low",))).set_default(
            "T1", OWNER, name, value
        )
    assert store.defaults == {}
