"""The nodes that show an attempt: upload, draft, feedback, failure, the earlier draft."""

from __future__ import annotations

import base64

import pytest
from pocketflow import AsyncNode

from bot.domain.errors import (
    OFFERS_EDIT,
    FailureKind,
    ImageNotReady,
    SlackRefused,
    SlackUnavailable,
)
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.flow.publish import AwaitFeedback, PostDraft, ReportFailure, RestoreDraft, UploadImage
from bot.flow.shared import Shared, shared_store
from tests.fakes import (
    ID,
    PNG,
    FakePublisher,
    FakeSessionStore,
    a_session,
    generating,
    with_latest,
)

REFUSED = SlackRefused("chat.postMessage", "restricted_action")
GENERATED = with_latest(generating(), started_at=1.0, width=9, height=9)


class Place:
    """A node's surroundings."""

    def __init__(self, session: Session, *, repeated: bool = False) -> None:
        self.store = FakeSessionStore(session)
        self.publisher = FakePublisher()
        self.shared: Shared = shared_store(session, repeated=repeated)
        self.shared["generated_image"] = base64.b64encode(PNG).decode()

    async def run(self, node: AsyncNode) -> str | None:
        action: str | None = await node.run_async(self.shared)
        return action

    @property
    def session(self) -> Session:
        return self.store.sessions[ID]


def failing(session: Session, kind: FailureKind = FailureKind.QUOTA, said: str = "") -> Place:
    place = Place(session)
    place.shared["failure"] = {"kind": kind.value, "said": said}
    return place


async def test_an_upload_is_recorded_with_its_attempt() -> None:
    place = Place(GENERATED)
    assert await place.run(UploadImage(place.store, place.publisher)) == "uploaded"
    assert place.session.latest.file_id == "upload:1"
    assert place.publisher.of("upload")[0].details["image"] == PNG


async def test_a_recorded_file_is_not_uploaded_again() -> None:
    place = Place(with_latest(GENERATED, file_id="F1"))
    place.shared["generated_image"] = ""
    assert await place.run(UploadImage(place.store, place.publisher)) == "uploaded"
    assert place.publisher.shown == []
    assert place.session.latest.file_id == "F1"


async def test_the_first_of_two_uploads_is_kept() -> None:
    place = Place(GENERATED)
    node = UploadImage(place.store, place.publisher)
    draft = await node.prep_async(place.shared)
    await place.store.update(ID, lambda s: with_latest(s, file_id="F-other-run"))
    assert await node.post_async(place.shared, draft, "F-late") == "uploaded"
    assert place.session.latest.file_id == "F-other-run"


@pytest.mark.parametrize(("node", "call"), [(UploadImage, "upload"), (PostDraft, "post_draft")])
async def test_what_slack_refuses_becomes_a_failure(
    node: type[UploadImage | PostDraft], call: str
) -> None:
    place = Place(GENERATED)
    place.publisher.failures[call] = [REFUSED]
    assert await place.run(node(place.store, place.publisher)) == "failed"
    assert place.shared["failure"] == {"kind": "not_delivered", "said": ""}


@pytest.mark.parametrize(("node", "call"), [(UploadImage, "upload"), (PostDraft, "post_draft")])
async def test_while_slack_is_away_the_run_ends_and_is_repeated(
    node: type[UploadImage | PostDraft], call: str
) -> None:
    place = Place(GENERATED)
    place.publisher.failures[call] = [SlackUnavailable("away")]
    with pytest.raises(SlackUnavailable):
        await place.run(node(place.store, place.publisher))
    assert len(place.publisher.shown) == 1
    assert place.session.stage is Stage.GENERATING


@pytest.mark.parametrize("repeated", [True, False])
async def test_the_draft_is_posted_and_a_repeated_run_says_so(repeated: bool) -> None:
    place = Place(with_latest(GENERATED, file_id="F1"), repeated=repeated)
    assert await place.run(PostDraft(place.store, place.publisher)) == "posted"
    (shown,) = place.publisher.of("post_draft")
    assert shown.details == {"number": 1, "repeated": repeated}
    assert place.shared["message_ts"] == "post_draft:1"


async def test_a_file_that_slack_does_not_come_to_know_is_shared_and_that_is_recorded() -> None:
    place = Place(with_latest(GENERATED, file_id="F1"))
    place.publisher.failures["post_draft"] = [ImageNotReady("chat.postMessage", "invalid_blocks")]
    assert await place.run(PostDraft(place.store, place.publisher)) == "posted"
    assert place.publisher.names() == ["post_draft", "share", "post_draft"]
    assert place.publisher.of("share")[0].details == {"number": 1, "image": PNG}
    assert place.publisher.shown[-1].session.latest.as_file
    assert place.session.latest.as_file


async def test_a_recorded_draft_is_not_posted_again() -> None:
    place = Place(with_latest(GENERATED, file_id="F1", message_ts="7.7"))
    assert await place.run(PostDraft(place.store, place.publisher)) == "posted"
    assert place.publisher.shown == []
    assert place.shared["message_ts"] == "7.7"


async def test_a_posted_draft_makes_it_the_persons_turn() -> None:
    place = Place(GENERATED)
    place.shared["message_ts"] = "7.7"
    assert await place.run(AwaitFeedback(place.store)) is None
    assert place.session.stage is Stage.USER_FEEDBACK
    assert place.session.latest.message_ts == "7.7"
    assert place.shared["stage"] == "user_feedback"


async def test_a_draft_that_another_run_brought_on_is_left_alone() -> None:
    place = Place(GENERATED)
    place.shared["message_ts"] = "7.7"
    place.store.sessions[ID] = a_session()
    await place.run(AwaitFeedback(place.store))
    assert place.session == a_session()


@pytest.mark.parametrize("kind", list(FailureKind))
async def test_a_failure_is_told_in_the_thread_with_its_way_out(kind: FailureKind) -> None:
    place = failing(generating(), kind)
    assert await place.run(ReportFailure(place.store, place.publisher)) == "reported"
    (shown,) = place.publisher.shown
    assert shown.what == "post_failure"
    assert shown.details["edit_prompt"] is (kind in OFFERS_EDIT)
    assert place.session.error_message == shown.details["words"] == place.shared["error_message"]
    assert (place.session.latest.failure, place.session.latest.failure_ts) == (
        kind,
        "post_failure:1",
    )
    assert place.session.stage is Stage.INITIAL_INPUT
    assert place.shared["stage"] == "initial_input"


async def test_a_refusal_in_words_is_passed_on() -> None:
    place = failing(generating(), FailureKind.DECLINED, said="I'd rather not.")
    await place.run(ReportFailure(place.store, place.publisher))
    assert "I'd rather not." in place.session.error_message


async def test_without_a_thread_the_owner_is_told_in_private() -> None:
    place = failing(generating(thread_ts=""))
    await place.run(ReportFailure(place.store, place.publisher))
    assert place.publisher.names() == ["tell_owner"]
    assert place.session.latest.failure is FailureKind.QUOTA


async def test_a_thread_that_cannot_be_written_to_is_no_end_of_the_message() -> None:
    place = failing(generating())
    place.publisher.failures["post_failure"] = [REFUSED]
    await place.run(ReportFailure(place.store, place.publisher))
    assert place.publisher.names() == ["post_failure", "tell_owner"]
    assert place.session.stage is Stage.INITIAL_INPUT


async def test_a_failure_that_another_run_reported_changes_nothing() -> None:
    place = failing(generating())
    place.store.sessions[ID] = a_session()
    assert await place.run(ReportFailure(place.store, place.publisher)) == "reported"
    assert place.session == a_session()


async def test_after_a_failure_the_earlier_draft_gets_its_buttons_back() -> None:
    place = Place(generating(3))
    await place.run(RestoreDraft(place.store, place.publisher))
    (shown,) = place.publisher.shown
    assert (shown.what, shown.details) == ("refresh_draft", {"number": 2})


async def test_without_an_earlier_draft_there_is_nothing_to_restore() -> None:
    place = Place(generating())
    await place.run(RestoreDraft(place.store, place.publisher))
    assert place.publisher.shown == []


@pytest.mark.parametrize("error", [REFUSED, SlackUnavailable("away")])
async def test_a_draft_that_cannot_be_restored_fails_nothing(error: Exception) -> None:
    place = Place(generating(2))
    place.publisher.failures["refresh_draft"] = [error]
    await place.run(RestoreDraft(place.store, place.publisher))
