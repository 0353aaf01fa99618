"""The nodes that take a draft away that nobody wants any more, and report a failure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pocketflow import AsyncNode

from bot.domain.errors import SlackUnavailable, StoreUnavailable
from bot.domain.failures import FAILS_AGAIN, FailureKind
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.flow import Shared, shared_store
from bot.flow.endings import End, RemoveDraft, ReportFailure, RestoreDraft
from bot.flow.shared import fail
from bot.progress.draft_refresher import DraftRefresher
from tests.fakes import (
    ID,
    FakePublisher,
    FakeSessionStore,
    a_session,
    an_attempt,
    generating,
    with_latest,
)
from tests.unit.flow.setup import CANCELLED, REFUSED, Place


async def test_a_draft_of_a_cancelled_attempt_is_taken_away() -> None:
    place = Place(CANCELLED)
    place.shared["message_ts"] = "7.7"
    await place.run(RemoveDraft(place.store, place.publisher))
    (shown,) = place.publisher.shown
    assert (shown.what, shown.details) == ("remove_draft", {"number": 1})
    assert place.shared["stage"] == "initial_input"


async def test_a_repeated_run_takes_away_what_an_earlier_one_may_have_posted() -> None:
    place = Place(CANCELLED, repeated=True)
    await place.run(RemoveDraft(place.store, place.publisher))
    assert place.publisher.names() == ["remove_draft"]


@pytest.mark.parametrize(
    ("session", "ts", "repeated"),
    [
        (CANCELLED, "", False),
        (with_latest(CANCELLED, candidates=an_attempt().candidates), "", True),
        (a_session(), "1.5", True),
    ],
    ids=["nothing posted", "nothing uploaded", "brought on by another run"],
)
async def test_nothing_else_is_taken_away(session: Session, ts: str, repeated: bool) -> None:
    place = Place(session, repeated=repeated)
    place.shared["message_ts"] = ts
    await place.run(RemoveDraft(place.store, place.publisher))
    assert place.publisher.shown == []


# a failure


CANCELLED_EARLY = replace(
    with_latest(generating(), failure=FailureKind.CANCELLED), stage=Stage.INITIAL_INPUT
)


class Failed:
    """The nodes' surroundings, with a failure to report."""

    def __init__(
        self, session: Session, kind: FailureKind = FailureKind.QUOTA, said: str = ""
    ) -> None:
        self.store = FakeSessionStore(session)
        self.publisher = FakePublisher()
        self.shared: Shared = shared_store(session, repeated=False)
        fail(self.shared, kind, said)

    async def report(self) -> str:
        action: str = await ReportFailure(self.store, self.publisher).run_async(self.shared)
        return action

    async def restore(self) -> None:
        await RestoreDraft(DraftRefresher(self.store, self.publisher)).run_async(self.shared)

    @property
    def session(self) -> Session:
        return self.store.sessions[ID]


@pytest.mark.parametrize("kind", list(FailureKind))
async def test_a_failure_is_told_in_the_thread_with_its_way_out(kind: FailureKind) -> None:
    failed = Failed(generating(), kind)
    assert await failed.report() == "reported"
    (shown,) = failed.publisher.shown
    assert shown.what == "post_failure"
    assert shown.details["try_again"] is (kind not in FAILS_AGAIN)
    assert failed.session.error_message == shown.details["words"] == failed.shared["error_message"]
    latest = failed.session.latest
    assert (latest.failure, latest.failure_ts) == (kind, "post_failure:1")
    assert failed.session.stage is Stage.INITIAL_INPUT
    assert failed.shared["stage"] == "initial_input"


async def test_a_refusal_in_words_is_passed_on() -> None:
    failed = Failed(generating(), FailureKind.DECLINED, said="I'd rather not.")
    await failed.report()
    assert "I'd rather not." in failed.session.error_message


async def test_without_a_thread_the_owner_is_told_in_private() -> None:
    failed = Failed(generating(root_ts="", thread_ts=""))
    await failed.report()
    assert failed.publisher.names() == ["tell_owner"]
    assert failed.session.latest.failure is FailureKind.QUOTA


async def test_a_thread_of_others_is_told_even_where_the_root_was_never_posted() -> None:
    failed = Failed(generating(root_ts=""))
    await failed.report()
    assert failed.publisher.names() == ["post_failure"]


async def test_a_thread_that_cannot_be_written_to_is_no_end_of_the_message() -> None:
    failed = Failed(generating())
    failed.publisher.failures["post_failure"] = [REFUSED]
    await failed.report()
    assert failed.publisher.names() == ["post_failure", "tell_owner"]
    assert failed.session.stage is Stage.INITIAL_INPUT


async def test_while_slack_is_away_a_failure_waits_for_another_run() -> None:
    failed = Failed(generating())
    failed.publisher.failures["post_failure"] = [SlackUnavailable("away")]
    with pytest.raises(SlackUnavailable):
        await failed.report()
    assert failed.publisher.names() == ["post_failure"]
    assert failed.session.stage is Stage.GENERATING


@pytest.mark.parametrize(
    "session", [a_session(), CANCELLED_EARLY], ids=["another run", "cancelled"]
)
async def test_a_failure_that_nobody_waits_for_is_not_told(session: Session) -> None:
    failed = Failed(generating())
    failed.store.sessions[ID] = session
    assert await failed.report() == "cancelled"
    assert failed.publisher.shown == []
    assert failed.session == session


async def test_a_failure_that_was_overtaken_while_it_was_told_changes_nothing() -> None:
    failed = Failed(generating())
    post = failed.publisher.post_failure

    async def overtaken(session: Session, number: int, words: str, **how: Any) -> str:
        failed.store.sessions[ID] = CANCELLED_EARLY
        return await post(session, number, words, **how)

    failed.publisher.post_failure = overtaken  # type: ignore[method-assign]
    assert await failed.report() == "cancelled"
    assert failed.session == CANCELLED_EARLY


async def test_after_a_failure_the_earlier_draft_gets_its_buttons_back() -> None:
    failed = Failed(generating(3))
    await failed.report()
    await failed.restore()
    shown = [(each.what, each.details) for each in failed.publisher.shown[1:]]
    assert shown == [("refresh_draft", {"number": number}) for number in (2, 1)]


async def test_a_new_draft_is_not_edited_and_the_earlier_ones_get_their_buttons() -> None:
    posted = Failed(a_session(attempts=3))
    await posted.restore()
    assert [each.details["number"] for each in posted.publisher.shown] == [2, 1]


async def test_without_an_earlier_draft_there_is_nothing_to_restore() -> None:
    failed = Failed(generating())
    await failed.restore()
    assert failed.publisher.shown == []


@pytest.mark.parametrize("error", [REFUSED, SlackUnavailable("away")])
async def test_a_draft_that_cannot_be_restored_fails_nothing(error: Exception) -> None:
    failed = Failed(generating(2))
    failed.publisher.failures["refresh_draft"] = [error]
    await failed.restore()


async def test_a_draft_that_the_store_does_not_give_fails_the_job() -> None:
    failed = Failed(generating(2))
    failed.store.away = True
    with pytest.raises(StoreUnavailable):
        await failed.restore()


async def test_the_last_action_of_a_run_is_the_stage_it_leaves_the_session_in() -> None:
    failed = Failed(generating())
    await failed.report()
    nodes: list[AsyncNode] = [
        End(),
        RemoveDraft(failed.store, failed.publisher),
        RestoreDraft(DraftRefresher(failed.store, failed.publisher)),
    ]
    assert {await node.run_async(failed.shared) for node in nodes} == {"initial_input"}


@pytest.mark.parametrize("cancelled", [True, False])
async def test_a_failure_that_waited_for_its_turn_is_told_where_it_is_still_owed(
    cancelled: bool,
) -> None:
    failed = Failed(generating())

    def meanwhile() -> None:
        if cancelled:
            failed.store.sessions[ID] = CANCELLED_EARLY

    failed.publisher.meanwhile = meanwhile
    assert await failed.report() == ("cancelled" if cancelled else "reported")
    assert failed.publisher.names() == ([] if cancelled else ["post_failure"])
