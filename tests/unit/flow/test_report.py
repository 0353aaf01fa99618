"""The nodes of an attempt that brought no draft: what is told, and what is up for review again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.errors import OFFERS_EDIT, FailureKind, SlackRefused, SlackUnavailable
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.flow.report import ReportFailure, RestoreDraft
from bot.flow.shared import Shared, fail, shared_store
from bot.progress.draft_refresher import Drafts
from tests.fakes import ID, FakePublisher, FakeSessionStore, a_session, generating, with_latest

REFUSED = SlackRefused("chat.postMessage", "restricted_action")
CANCELLED = replace(
    with_latest(generating(), failure=FailureKind.CANCELLED), stage=Stage.INITIAL_INPUT
)


class Place:
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
        await RestoreDraft(Drafts(self.store, self.publisher)).run_async(self.shared)

    @property
    def session(self) -> Session:
        return self.store.sessions[ID]


@pytest.mark.parametrize("kind", list(FailureKind))
async def test_a_failure_is_told_in_the_thread_with_its_way_out(kind: FailureKind) -> None:
    place = Place(generating(), kind)
    assert await place.report() == "reported"
    (shown,) = place.publisher.shown
    assert shown.what == "post_failure"
    assert shown.details["edit_prompt"] is (kind in OFFERS_EDIT)
    assert place.session.error_message == shown.details["words"] == place.shared["error_message"]
    latest = place.session.latest
    assert (latest.failure, latest.failure_ts) == (kind, "post_failure:1")
    assert place.session.stage is Stage.INITIAL_INPUT
    assert place.shared["stage"] == "initial_input"


async def test_a_refusal_in_words_is_passed_on() -> None:
    place = Place(generating(), FailureKind.DECLINED, said="I'd rather not.")
    await place.report()
    assert "I'd rather not." in place.session.error_message


async def test_without_a_thread_the_owner_is_told_in_private() -> None:
    place = Place(generating(root_ts="", thread_ts=""))
    await place.report()
    assert place.publisher.names() == ["tell_owner"]
    assert place.session.latest.failure is FailureKind.QUOTA


async def test_a_thread_of_others_is_told_even_where_the_root_was_never_posted() -> None:
    place = Place(generating(root_ts=""))
    await place.report()
    assert place.publisher.names() == ["post_failure"]


async def test_a_thread_that_cannot_be_written_to_is_no_end_of_the_message() -> None:
    place = Place(generating())
    place.publisher.failures["post_failure"] = [REFUSED]
    await place.report()
    assert place.publisher.names() == ["post_failure", "tell_owner"]
    assert place.session.stage is Stage.INITIAL_INPUT


@pytest.mark.parametrize("session", [a_session(), CANCELLED], ids=["another run", "cancelled"])
async def test_a_failure_that_nobody_waits_for_is_not_told(session: Session) -> None:
    place = Place(generating())
    place.store.sessions[ID] = session
    assert await place.report() == "cancelled"
    assert place.publisher.shown == []
    assert place.session == session


async def test_a_failure_that_was_overtaken_while_it_was_told_changes_nothing() -> None:
    place = Place(generating())
    post = place.publisher.post_failure

    async def overtaken(session: Session, number: int, words: str, **how: bool) -> str:
        place.store.sessions[ID] = CANCELLED
        return await post(session, number, words, **how)

    place.publisher.post_failure = overtaken  # type: ignore[method-assign]
    assert await place.report() == "cancelled"
    assert place.session == CANCELLED


async def test_after_a_failure_the_earlier_draft_gets_its_buttons_back() -> None:
    place = Place(a_session(attempts=2))
    await place.restore()
    (shown,) = place.publisher.shown
    assert (shown.what, shown.details) == ("refresh_draft", {"number": 2})


async def test_without_an_earlier_draft_there_is_nothing_to_restore() -> None:
    place = Place(generating())
    await place.restore()
    assert place.publisher.shown == []


@pytest.mark.parametrize("error", [REFUSED, SlackUnavailable("away")])
async def test_a_draft_that_cannot_be_restored_fails_nothing(error: Exception) -> None:
    place = Place(generating(2))
    place.publisher.failures["refresh_draft"] = [error]
    await place.restore()
