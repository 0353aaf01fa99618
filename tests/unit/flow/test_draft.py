"""The nodes that upload images and put a draft up for review."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.attempt import Candidate, ImageRef
from bot.domain.errors import SlackRefused, SlackUnavailable, StoreUnavailable
from bot.domain.failures import FailureKind
from bot.domain.jobs import due_jobs
from bot.domain.session import Session, with_attempt
from bot.domain.stages import Stage
from bot.flow import Shared, shared_store
from bot.flow.draft import OpenReview, PostDraft, UploadImages
from bot.generation.image_copies import ImageCopies
from tests.fakes import (
    ID,
    FakeFiles,
    FakePublisher,
    FakeSessionStore,
    a_session,
    an_attempt,
    generating,
    with_latest,
)
from tests.support.metrics import Counted
from tests.unit.flow.setup import CANCELLED, NOT_READY, REFUSED, UPLOADED, Place


async def post(place: Place, **in_slack: bytes) -> str | None:
    copies = ImageCopies(place.store, FakeFiles(in_slack))
    return await place.run(PostDraft(place.store, place.publisher, copies))


# the upload


TOO_BIG = SlackRefused("files.completeUploadExternal", "file_upload_size_restricted")
AWAY = SlackUnavailable("away")


def generated(images: int = 1, **first: Any) -> Session:
    """A session with so many images; these facts are the first one's."""
    attempt = an_attempt(images=images, started_at=1.0, generated_at=2.0, delivery_candidate=1)
    for candidate in attempt.candidates:
        attempt = attempt.with_candidate(replace(candidate, width=9, height=9))
    attempt = attempt.with_candidate(replace(attempt.candidate(1), **first))
    return with_attempt(generating(), attempt)


class Uploads:
    """The surroundings of `UploadImages`."""

    def __init__(self, session: Session, *failures: Exception) -> None:
        self.store = FakeSessionStore(session)
        self.publisher = FakePublisher()
        self.publisher.failures["upload"] = list(failures)
        self.shared: Shared = shared_store(session, 1, repeated=False)
        for candidate in session.latest.candidates:
            encoded = base64.b64encode(f"image {candidate.number}".encode()).decode()
            self.store.images[ID, ImageRef(1, candidate.number)] = encoded

    async def run(self) -> str:
        action: str = await UploadImages(self.store, self.publisher).run_async(self.shared)
        return action

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        return self.store.sessions[ID].latest.candidates


async def test_an_upload_is_recorded_with_its_candidate() -> None:
    uploads = Uploads(generated())
    assert await uploads.run() == "uploaded"
    assert uploads.candidates[0].file_id == "upload:1"
    assert uploads.publisher.of("upload")[0].details == {"number": ImageRef(1), "data": b"image 1"}


async def test_every_image_is_uploaded() -> None:
    uploads = Uploads(generated(3))
    assert await uploads.run() == "uploaded"
    assert [c.file_id for c in uploads.candidates] == ["upload:1", "upload:1.2", "upload:1.3"]
    assert {s.details["data"] for s in uploads.publisher.shown} == {
        b"image 1",
        b"image 2",
        b"image 3",
    }


async def test_the_image_that_was_just_made_is_taken_from_the_shared_store() -> None:
    uploads = Uploads(generated(2))
    uploads.shared["generated_image"] = base64.b64encode(b"just made").decode()
    del uploads.store.images[ID, ImageRef(1)]
    assert await uploads.run() == "uploaded"
    assert {s.details["data"] for s in uploads.publisher.shown} == {b"just made", b"image 2"}


async def test_an_image_that_has_expired_is_owed_once_more_and_the_others_are_uploaded() -> None:
    uploads = Uploads(generated(3))
    del uploads.store.images[ID, ImageRef(1, 2)]
    assert await uploads.run() == "expired"
    assert [c.file_id for c in uploads.candidates] == ["upload:1", "", "upload:1.3"]
    assert [job.candidate for job in due_jobs(uploads.store.sessions[ID])] == [2]


async def test_a_run_of_another_candidate_uploads_nothing() -> None:
    uploads = Uploads(generated(2))
    uploads.shared["candidate"] = 2
    assert await uploads.run() == "cancelled"
    assert uploads.publisher.shown == []


async def test_a_recorded_file_is_not_uploaded_again() -> None:
    uploads = Uploads(generated(2, file_id="F1"))
    assert await uploads.run() == "uploaded"
    assert [c.file_id for c in uploads.candidates] == ["F1", "upload:1.2"]


async def test_a_candidate_without_an_image_has_nothing_to_upload() -> None:
    uploads = Uploads(generated(2, width=0, failure=FailureKind.TIMED_OUT))
    assert await uploads.run() == "uploaded"
    assert [s.details["number"] for s in uploads.publisher.shown] == [ImageRef(1, 2)]


async def test_the_first_of_two_uploads_is_kept() -> None:
    uploads = Uploads(generated())
    upload = uploads.publisher.upload

    async def overtaken(session: Session, image: ImageRef, data: bytes) -> str:
        done = uploads.candidates[0]
        await uploads.store.update(
            ID,
            lambda s: with_attempt(s, s.latest.with_candidate(replace(done, file_id="F-other"))),
        )
        return await upload(session, image, data)

    uploads.publisher.upload = overtaken  # type: ignore[method-assign]
    assert await uploads.run() == "uploaded"
    assert uploads.candidates[0].file_id == "F-other"


async def test_one_that_slack_refuses_does_not_lose_the_others() -> None:
    uploads = Uploads(generated(2), TOO_BIG)
    assert await uploads.run() == "uploaded"
    assert [c.failure for c in uploads.candidates] == [FailureKind.FILE_TOO_LARGE, None]
    assert [c.number for c in uploads.store.sessions[ID].latest.images] == [2]


async def test_a_refusal_that_cannot_be_recorded_fails_the_job_after_the_others() -> None:
    uploads = Uploads(generated(2), TOO_BIG)
    upload = uploads.publisher.upload

    async def then_away(session: Session, image: ImageRef, data: bytes) -> str:
        try:
            return await upload(session, image, data)
        except SlackRefused:
            uploads.store.away = True
            raise

    uploads.publisher.upload = then_away  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        await uploads.run()
    uploads.store.away = False
    uploads.publisher.upload = upload  # type: ignore[method-assign]
    assert await uploads.run() == "uploaded"
    assert all(c.file_id for c in uploads.candidates)


@pytest.mark.parametrize("images", [1, 2])
async def test_where_slack_takes_none_the_attempt_has_failed(images: int) -> None:
    uploads = Uploads(generated(images), TOO_BIG, TOO_BIG)
    assert await uploads.run() == "failed"
    assert uploads.shared["failure"] == "file_too_large"


async def test_while_slack_is_away_the_run_ends_with_what_it_has_and_is_repeated() -> None:
    uploads = Uploads(generated(2), AWAY)
    with pytest.raises(SlackUnavailable):
        await uploads.run()
    assert [c.file_id for c in uploads.candidates] == ["", "upload:1.2"]
    assert await uploads.run() == "uploaded"
    assert [c.file_id for c in uploads.candidates] == ["upload:1", "upload:1.2"]


@pytest.mark.parametrize("when", ["before", "meanwhile"])
async def test_a_cancelled_attempt_goes_no_further(when: str) -> None:
    cancelled = replace(
        with_latest(generated(), failure=FailureKind.CANCELLED), stage=Stage.INITIAL_INPUT
    )
    uploads = Uploads(generated())
    upload = uploads.publisher.upload

    async def meanwhile(session: Session, image: ImageRef, data: bytes) -> str:
        uploads.store.sessions[ID] = cancelled
        await asyncio.sleep(0)
        return await upload(session, image, data)

    uploads.publisher.upload = meanwhile  # type: ignore[method-assign]
    if when == "before":
        uploads.store.sessions[ID] = cancelled
    assert await uploads.run() == "cancelled"
    assert len(uploads.publisher.shown) == (when == "meanwhile")


# the draft


async def test_what_slack_refuses_becomes_a_failure() -> None:
    place = Place(UPLOADED)
    place.publisher.failures["post_draft"] = [REFUSED]
    assert await post(place) == "failed"
    assert place.shared["failure"] == "channel_closed"


async def test_while_slack_is_away_the_run_ends_and_is_repeated() -> None:
    place = Place(UPLOADED)
    place.publisher.failures["post_draft"] = [SlackUnavailable("away")]
    with pytest.raises(SlackUnavailable):
        await post(place)
    assert len(place.publisher.shown) == 1
    assert place.session.stage is Stage.GENERATING


@pytest.mark.parametrize("repeated", [True, False])
async def test_the_draft_is_posted_and_a_repeated_run_says_so(repeated: bool) -> None:
    place = Place(UPLOADED, repeated=repeated)
    assert await post(place) == "posted"
    (shown,) = place.publisher.of("post_draft")
    assert shown.details == {"number": 1, "repeated": repeated}
    assert place.shared["message_ts"] == "post_draft:1"


async def test_files_that_slack_does_not_come_to_know_are_shared_and_that_is_recorded() -> None:
    place = Place(UPLOADED)
    place.publisher.failures["post_draft"] = [NOT_READY]
    assert await post(place) == "posted"
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
    assert await post(place) == "failed"
    assert place.publisher.of("share") == []


async def test_an_image_that_has_expired_is_shared_from_slacks_copy() -> None:
    place = Place(UPLOADED)
    candidate = place.store.sessions[ID].latest.candidate(2)
    del place.store.images[ID, ImageRef(1, 2)]
    place.publisher.failures["post_draft"] = [NOT_READY]
    assert await post(place, **{candidate.file_id: b"from Slack"}) == "posted"
    assert [s.details["data"] for s in place.publisher.of("share")] == [b"image 1", b"from Slack"]


async def test_a_recorded_draft_is_not_posted_again() -> None:
    place = Place(with_latest(UPLOADED, message_ts="7.7"))
    assert await post(place) == "posted"
    assert place.publisher.shown == []
    assert place.shared["message_ts"] == "7.7"


@pytest.mark.parametrize("session", [CANCELLED, a_session(), generating(2)])
async def test_a_draft_that_nobody_waits_for_is_not_posted(session: Session) -> None:
    place = Place(UPLOADED)
    place.store.sessions[ID] = session
    assert await post(place) == "cancelled"
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


async def test_a_draft_that_another_run_posted_while_it_waited_for_its_turn_is_left() -> None:
    place = Place(UPLOADED)

    def posted_by_another() -> None:
        attempt = replace(UPLOADED.latest, message_ts="9.0")
        place.store.sessions[ID] = with_attempt(UPLOADED, attempt)

    place.publisher.meanwhile = posted_by_another
    assert await post(place) == "cancelled"
    assert place.publisher.shown == []


async def test_a_draft_that_has_waited_for_its_turn_and_is_owed_is_posted() -> None:
    place = Place(UPLOADED)
    place.publisher.meanwhile = lambda: None
    assert await post(place) == "posted"
