"""The nodes that put a draft up for review, and take away one that nobody wants any more."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from pocketflow import AsyncNode

from bot.domain.attempt import ImageRef
from bot.domain.errors import (
    OFFERS_EDIT,
    FailureKind,
    ImageNotReady,
    SlackRefused,
    SlackUnavailable,
)
from bot.domain.session import Session, with_attempt
from bot.domain.stages import Stage
from bot.flow.messages import OpenReview, PostDraft, RemoveDraft, ReportFailure, RestoreDraft
from bot.flow.shared import Shared, fail, shared_store
from bot.progress.session_messages import DraftRefresher
from tests.fakes import (
    ID,
    FakePublisher,
    FakeSessionStore,
    a_candidate,
    a_session,
    an_attempt,
    generating,
    with_latest,
)
from tests.support.metrics import Counted

REFUSED = SlackRefused("chat.postMessage", "restricted_action")
NOT_READY = ImageNotReady("chat.postMessage", "invalid_blocks")
UPLOADED = with_attempt(
    generating(),
    replace(an_attempt(images=2, delivering=2), candidates=(a_candidate(1), a_candidate(2))),
)
CANCELLED = replace(with_latest(UPLOADED, failure=FailureKind.CANCELLED), stage=Stage.INITIAL_INPUT)


class Place:
    """A node's surroundings."""

    def __init__(self, session: Session, *, repeated: bool = False) -> None:
        self.store = FakeSessionStore(session)
        self.publisher = FakePublisher()
        self.shared: Shared = shared_store(session, 2, repeated=repeated)
        for n in (1, 2):
            encoded = base64.b64encode(f"image {n}".encode()).decode()
            self.store.images[ID, ImageRef(1, n)] = encoded

    async def run(self, node: AsyncNode) -> str | None:
        action: str | None = await node.run_async(self.shared)
        return action

    async def post(self) -> str | None:
        return await self.run(PostDraft(self.store, self.publisher))

    @property
    def session(self) -> Session:
        return self.store.sessions[ID]


async def test_what_slack_refuses_becomes_a_failure() -> None:
    place = Place(UPLOADED)
    place.publisher.failures["post_draft"] = [REFUSED]
    assert await place.post() == "failed"
    assert place.shared["failure"] == "channel_closed"


async def test_while_slack_is_away_the_run_ends_and_is_repeated() -> None:
    place = Place(UPLOADED)
    place.publisher.failures["post_draft"] = [SlackUnavailable("away")]
    with pytest.raises(SlackUnavailable):
        await place.post()
    assert len(place.publisher.shown) == 1
    assert place.session.stage is Stage.GENERATING


@pytest.mark.parametrize("repeated", [True, False])
async def test_the_draft_is_posted_and_a_repeated_run_says_so(repeated: bool) -> None:
    place = Place(UPLOADED, repeated=repeated)
    assert await place.post() == "posted"
    (shown,) = place.publisher.of("post_draft")
    assert shown.details == {"number": 1, "repeated": repeated}
    assert place.shared["message_ts"] == "post_draft:1"


async def test_files_that_slack_does_not_come_to_know_are_shared_and_that_is_recorded() -> None:
    place = Place(UPLOADED)
    place.publisher.failures["post_draft"] = [NOT_READY]
    assert await place.post() == "posted"
    assert place.publisher.names() == ["post_draft", "share", "share", "post_draft"]
    assert [s.details for s in place.publisher.of("share")] == [
        {"number": ImageRef(1, 1), "data": b"image 1"},
        {"number": ImageRef(1, 2), "data": b"image 2"},
    ]
    assert place.publisher.shown[-1].session.latest.as_file
    assert place.session.latest.as_file


async def test_an_image_that_has_expired_cannot_be_shared_instead() -> None:
    place = Place(UPLOADED)
    del place.store.images[ID, ImageRef(1, 2)]
    place.publisher.failures["post_draft"] = [NOT_READY]
    assert await place.post() == "failed"
    assert place.publisher.of("share") == []


async def test_a_recorded_draft_is_not_posted_again() -> None:
    place = Place(with_latest(UPLOADED, message_ts="7.7"))
    assert await place.post() == "posted"
    assert place.publisher.shown == []
    assert place.shared["message_ts"] == "7.7"


@pytest.mark.parametrize("session", [CANCELLED, a_session(), generating(2)])
async def test_a_draft_that_nobody_waits_for_is_not_posted(session: Session) -> None:
    place = Place(UPLOADED)
    place.store.sessions[ID] = session
    assert await place.post() == "cancelled"
    assert place.publisher.shown == []


async def test_the_time_to_the_draft_runs_from_the_request_and_counts_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place, counted = Place(with_latest(UPLOADED, queued_at=1_000.0)), Counted()
    monkeypatch.setattr("time.time", lambda: 1_012.5)
    place.shared["message_ts"] = "9.9"
    for _ in range(2):
        await place.run(OpenReview(place.store))
    assert counted.of("imagine_draft_seconds_count") == 1
    assert counted.of("imagine_draft_seconds_sum") == 12.5


async def test_a_posted_draft_makes_it_the_persons_turn() -> None:
    place = Place(UPLOADED)
    place.shared |= {"message_ts": "7.7", "input_used_by_process": "a cat"}
    assert await place.run(OpenReview(place.store)) == "reviewing"
    assert place.session.input_used_by_process == "a cat"
    assert place.session.stage is Stage.USER_FEEDBACK
    assert place.session.latest.message_ts == "7.7"
    assert place.shared["stage"] == "user_feedback"


@pytest.mark.parametrize("session", [CANCELLED, a_session()])
async def test_a_session_that_has_moved_on_is_left_as_it_is(session: Session) -> None:
    place = Place(UPLOADED)
    place.shared["message_ts"] = "7.7"
    place.store.sessions[ID] = session
    assert await place.run(OpenReview(place.store)) == "cancelled"
    assert place.session == session


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
    assert shown.details["edit_prompt"] is (kind in OFFERS_EDIT)
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

    async def overtaken(session: Session, number: int, words: str, **how: bool) -> str:
        failed.store.sessions[ID] = CANCELLED_EARLY
        return await post(session, number, words, **how)

    failed.publisher.post_failure = overtaken  # type: ignore[method-assign]
    assert await failed.report() == "cancelled"
    assert failed.session == CANCELLED_EARLY


async def test_after_a_failure_the_earlier_draft_gets_its_buttons_back() -> None:
    failed = Failed(a_session(attempts=2))
    await failed.restore()
    (shown,) = failed.publisher.shown
    assert (shown.what, shown.details) == ("refresh_draft", {"number": 2})


async def test_without_an_earlier_draft_there_is_nothing_to_restore() -> None:
    failed = Failed(generating())
    await failed.restore()
    assert failed.publisher.shown == []


@pytest.mark.parametrize("error", [REFUSED, SlackUnavailable("away")])
async def test_a_draft_that_cannot_be_restored_fails_nothing(error: Exception) -> None:
    failed = Failed(generating(2))
    failed.publisher.failures["refresh_draft"] = [error]
    await failed.restore()
