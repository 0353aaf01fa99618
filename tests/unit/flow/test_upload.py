"""`UploadImages`: every image that Slack does not have yet, each recorded as it is there."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.attempt import Candidate, ImageRef
from bot.domain.errors import FailureKind, SlackRefused, SlackUnavailable
from bot.domain.jobs import owed
from bot.domain.session import Session, with_attempt
from bot.domain.stages import Stage
from bot.flow.shared import Shared, shared_store
from bot.flow.upload import UploadImages
from tests.fakes import ID, FakePublisher, FakeSessionStore, an_attempt, generating, with_latest

REFUSED = SlackRefused("files.completeUploadExternal", "file_upload_size_restricted")
AWAY = SlackUnavailable("away")


def generated(images: int = 1, **first: Any) -> Session:
    """A session with so many images; these facts are the first one's."""
    attempt = an_attempt(images=images, started_at=1.0, generated_at=2.0, delivering=1)
    for candidate in attempt.candidates:
        attempt = attempt.with_candidate(replace(candidate, width=9, height=9))
    attempt = attempt.with_candidate(replace(attempt.candidate(1), **first))
    return with_attempt(generating(), attempt)


class Place:
    """The node's surroundings."""

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
    place = Place(generated())
    assert await place.run() == "uploaded"
    assert place.candidates[0].file_id == "upload:1"
    assert place.publisher.of("upload")[0].details == {"number": ImageRef(1), "data": b"image 1"}


async def test_every_image_is_uploaded() -> None:
    place = Place(generated(3))
    assert await place.run() == "uploaded"
    assert [c.file_id for c in place.candidates] == ["upload:1", "upload:1.2", "upload:1.3"]
    assert {s.details["data"] for s in place.publisher.shown} == {
        b"image 1",
        b"image 2",
        b"image 3",
    }


async def test_the_image_that_was_just_made_is_taken_from_the_shared_store() -> None:
    place = Place(generated(2))
    place.shared["generated_image"] = base64.b64encode(b"just made").decode()
    del place.store.images[ID, ImageRef(1)]
    assert await place.run() == "uploaded"
    assert {s.details["data"] for s in place.publisher.shown} == {b"just made", b"image 2"}


async def test_an_image_that_has_expired_is_owed_once_more_and_the_others_are_uploaded() -> None:
    place = Place(generated(3))
    del place.store.images[ID, ImageRef(1, 2)]
    assert await place.run() == "expired"
    assert [c.file_id for c in place.candidates] == ["upload:1", "", "upload:1.3"]
    assert [job.candidate for job in owed(place.store.sessions[ID])] == [2]


async def test_a_run_of_another_candidate_uploads_nothing() -> None:
    place = Place(generated(2))
    place.shared["candidate"] = 2
    assert await place.run() == "cancelled"
    assert place.publisher.shown == []


async def test_a_recorded_file_is_not_uploaded_again() -> None:
    place = Place(generated(2, file_id="F1"))
    assert await place.run() == "uploaded"
    assert [c.file_id for c in place.candidates] == ["F1", "upload:1.2"]


async def test_a_candidate_without_an_image_has_nothing_to_upload() -> None:
    place = Place(generated(2, width=0, failure=FailureKind.TIMED_OUT))
    assert await place.run() == "uploaded"
    assert [s.details["number"] for s in place.publisher.shown] == [ImageRef(1, 2)]


async def test_the_first_of_two_uploads_is_kept() -> None:
    place = Place(generated())
    upload = place.publisher.upload

    async def overtaken(session: Session, image: ImageRef, data: bytes) -> str:
        done = place.candidates[0]
        await place.store.update(
            ID,
            lambda s: with_attempt(s, s.latest.with_candidate(replace(done, file_id="F-other"))),
        )
        return await upload(session, image, data)

    place.publisher.upload = overtaken  # type: ignore[method-assign]
    assert await place.run() == "uploaded"
    assert place.candidates[0].file_id == "F-other"


async def test_one_that_slack_refuses_does_not_lose_the_others() -> None:
    place = Place(generated(2), REFUSED)
    assert await place.run() == "uploaded"
    assert [c.failure for c in place.candidates] == [FailureKind.NOT_DELIVERED, None]
    assert [c.number for c in place.store.sessions[ID].latest.images] == [2]


@pytest.mark.parametrize("images", [1, 2])
async def test_where_slack_takes_none_the_attempt_has_failed(images: int) -> None:
    place = Place(generated(images), REFUSED, REFUSED)
    assert await place.run() == "failed"
    assert place.shared["failure"] == "not_delivered"


async def test_while_slack_is_away_the_run_ends_with_what_it_has_and_is_repeated() -> None:
    place = Place(generated(2), AWAY)
    with pytest.raises(SlackUnavailable):
        await place.run()
    assert [c.file_id for c in place.candidates] == ["", "upload:1.2"]
    assert await place.run() == "uploaded"
    assert [c.file_id for c in place.candidates] == ["upload:1", "upload:1.2"]


@pytest.mark.parametrize("when", ["before", "meanwhile"])
async def test_a_cancelled_attempt_goes_no_further(when: str) -> None:
    cancelled = replace(
        with_latest(generated(), failure=FailureKind.CANCELLED), stage=Stage.INITIAL_INPUT
    )
    place = Place(generated())
    upload = place.publisher.upload

    async def meanwhile(session: Session, image: ImageRef, data: bytes) -> str:
        place.store.sessions[ID] = cancelled
        await asyncio.sleep(0)
        return await upload(session, image, data)

    place.publisher.upload = meanwhile  # type: ignore[method-assign]
    if when == "before":
        place.store.sessions[ID] = cancelled
    assert await place.run() == "cancelled"
    assert len(place.publisher.shown) == (when == "meanwhile")
