"""Which drafts are edited when, and that the newest look wins."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.errors import SlackRefused, SlackUnavailable
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.progress.draft_refresher import Drafts
from tests.fakes import ID, FakePublisher, FakeSessionStore, a_session, generating


class Wall:
    """Where the drafts of one session hang."""

    def __init__(self, session: Session) -> None:
        self.store = FakeSessionStore(session)
        self.publisher = FakePublisher()

    async def refresh(self) -> list[int]:
        """The drafts that are edited, in their order."""
        await Drafts(self.store, self.publisher).refresh(ID)
        return [shown.details["number"] for shown in self.publisher.of("refresh_draft")]


@pytest.mark.parametrize(
    ("session", "edited"),
    [
        (generating(), []),
        (generating(4), [3]),
        (a_session(attempts=4), [4]),
        (a_session(Stage.FINAL, attempts=4), [4, 3, 2, 1]),
        (a_session(Stage.FINAL, attempts=4, final_result=2), [2, 4, 3, 1]),
    ],
    ids=["no draft", "another attempt", "review", "approved", "an earlier one approved"],
)
async def test_only_what_looks_different_is_edited(session: Session, edited: list[int]) -> None:
    assert await Wall(session).refresh() == edited


async def test_one_that_slack_does_not_take_holds_up_no_other() -> None:
    wall = Wall(a_session(Stage.FINAL, attempts=3))
    refused = SlackRefused("chat.update", "message_not_found")
    wall.publisher.failures["refresh_draft"] = [refused]
    assert await wall.refresh() == [3, 2, 1]


async def test_a_slack_that_is_away_is_told() -> None:
    wall = Wall(a_session())
    wall.publisher.failures["refresh_draft"] = [SlackUnavailable("away")]
    with pytest.raises(SlackUnavailable):
        await wall.refresh()


async def test_a_draft_that_was_overtaken_while_it_was_edited_is_edited_again() -> None:
    """A cancellation gives the buttons back that the announcement was about to take away."""
    wall = Wall(generating(2))
    edit = wall.publisher.refresh_draft

    async def overtaken(session: Session, number: int) -> None:
        await edit(session, number)
        back = replace(wall.store.sessions[ID], stage=Stage.USER_FEEDBACK)
        wall.store.sessions[ID] = back

    wall.publisher.refresh_draft = overtaken  # type: ignore[method-assign]
    assert await wall.refresh() == [1, 1]
    assert wall.publisher.shown[-1].session.stage is Stage.USER_FEEDBACK
