"""Drafts follow their session: the newest with each attempt, all at its end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.errors import (
    SlackRefused,
    SlackUnavailable,
)
from bot.domain.session import Session
from bot.domain.stages import Discard, Stage
from bot.progress.draft_refresher import DraftRefresher
from tests.fakes import (
    ID,
    FakePublisher,
    FakeSessionStore,
    a_session,
    failed,
    generating,
    tried_again,
)


class Refreshed:
    """A session whose drafts are refreshed."""

    def __init__(self, session: Session) -> None:
        self.store = FakeSessionStore(session)
        self.publisher = FakePublisher()

    async def refresh(self) -> list[int]:
        """The drafts that are edited, in their order."""
        await DraftRefresher(self.store, self.publisher).refresh(ID)
        return [shown.details["number"] for shown in self.publisher.of("refresh_draft")]


@pytest.mark.parametrize(
    ("session", "edited"),
    [
        (generating(), []),
        (generating(4), [3, 2, 1]),
        (generating(9), [8, 7, 6]),
        (a_session(attempts=4), [4, 3, 2]),
        (a_session(attempts=4, discard=Discard.DISCARDED), [4, 3, 2, 1]),
        (a_session(attempts=4, discard=Discard.RESTORED), [4, 3, 2, 1]),
        (a_session(Stage.FINAL, attempts=4), [4, 3, 2, 1]),
        (a_session(Stage.FINAL, attempts=4, final_result=2), [2, 4, 3, 1]),
    ],
    ids=[
        "no draft",
        "another attempt",
        "after many",
        "review",
        "discarded",
        "restored",
        "approved",
        "an earlier one approved",
    ],
)
async def test_the_newest_drafts_are_edited_and_all_when_the_session_ends(
    session: Session, edited: list[int]
) -> None:
    assert await Refreshed(session).refresh() == edited


@pytest.mark.parametrize("later", [True, False], ids=["tried again", "nothing after it"])
async def test_a_failure_is_edited_once_another_attempt_follows_it(later: bool) -> None:
    refreshed = Refreshed(tried_again() if later else failed())
    await refreshed.refresh()
    edited = refreshed.publisher.of("refresh_failure")
    assert [shown.details["number"] for shown in edited] == ([1] if later else [])


async def test_a_failure_that_slack_does_not_take_holds_up_nothing() -> None:
    refreshed = Refreshed(tried_again())
    refused = SlackRefused("chat.update", "message_not_found")
    refreshed.publisher.failures["refresh_failure"] = [refused]
    await refreshed.refresh()


async def test_one_that_slack_does_not_take_holds_up_no_other() -> None:
    refreshed = Refreshed(a_session(Stage.FINAL, attempts=3))
    refused = SlackRefused("chat.update", "message_not_found")
    refreshed.publisher.failures["refresh_draft"] = [refused]
    assert await refreshed.refresh() == [3, 2, 1]


async def test_a_slack_that_is_away_is_told() -> None:
    refreshed = Refreshed(a_session())
    refreshed.publisher.failures["refresh_draft"] = [SlackUnavailable("away")]
    with pytest.raises(SlackUnavailable):
        await refreshed.refresh()


async def test_a_draft_that_was_overtaken_while_it_was_edited_is_edited_again() -> None:
    """A cancellation gives the buttons back that the announcement was about to take away."""
    refreshed = Refreshed(generating(2))
    edit = refreshed.publisher.refresh_draft

    async def overtaken(session: Session, number: int) -> None:
        await edit(session, number)
        back = replace(refreshed.store.sessions[ID], stage=Stage.USER_FEEDBACK)
        refreshed.store.sessions[ID] = back

    refreshed.publisher.refresh_draft = overtaken  # type: ignore[method-assign]
    assert await refreshed.refresh() == [1, 1]
    assert refreshed.publisher.shown[-1].session.stage is Stage.USER_FEEDBACK
