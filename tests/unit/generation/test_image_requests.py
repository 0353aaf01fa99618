"""What an attempt asks for: the image it edits, wherever that still is, and what to avoid."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.attempt import Attempt, ImageRef, Source
from bot.domain.errors import SlackUnavailable
from bot.domain.failures import FailureKind, GenerationError
from bot.domain.images import BaseImage, ImageRequest
from bot.domain.request_words import LONGEST_AVOIDED, MOST_AVOIDED
from bot.domain.stages import Stage
from bot.generation.image_requests import ImageRequests
from bot.ports import OnReading
from tests.fakes import (
    ID,
    PNG,
    PROMPT,
    FakeFiles,
    FakeHeartbeats,
    FakePictureStore,
    FakeSessionStore,
    a_candidate,
    a_picture_loader,
    a_session,
    an_attempt,
)

JPEG = b"\xff\xd8\xff"
BROUGHT = Attempt(1, "make it night", change="make it night", base=ImageRef(0))


class Setup:
    """Where requests are made."""

    def __init__(self, *attempts: Attempt, **changes: Any) -> None:
        self.session = a_session(Stage.GENERATING, attempts=1, **changes)
        self.session = replace(self.session, attempts=attempts)
        self.store = FakeSessionStore(self.session)
        self.files = FakeFiles()
        self.pictures = FakePictureStore()
        self.avoid_rejected = True

    async def request(self, candidate: int = 1, run_id: str = "run") -> ImageRequest:
        requests = ImageRequests(
            self.store,
            self.files,
            a_picture_loader(self.files, FakeHeartbeats(), self.pictures),
            avoid_rejected=self.avoid_rejected,
        )
        session, latest = self.store.sessions[ID], self.session.latest
        image = ImageRef(latest.number, candidate)
        return await requests.build(session, latest.prompt, image, run_id)

    async def refused(self) -> FailureKind:
        with pytest.raises(GenerationError) as error:
            await self.request()
        return error.value.kind

    def keep(self, image: ImageRef, data: bytes) -> None:
        self.store.images[ID, image] = base64.b64encode(data).decode()


def edit(number: int, base: ImageRef, change: str = "friendlier") -> Attempt:
    return Attempt(number, PROMPT, change=change, base=base)


def made(number: int, *wordings: str, **changes: Any) -> Attempt:
    """An attempt whose draft was posted with images of these revised prompts."""
    attempt = an_attempt(number, posted=True, images=len(wordings), **changes)
    candidates = (a_candidate(n, revised_prompt=w) for n, w in enumerate(wordings, 1))
    return replace(attempt, candidates=tuple(candidates))


def with_response(attempt: Attempt, response_id: str) -> Attempt:
    return attempt.with_candidate(replace(attempt.candidate(1), response_id=response_id))


async def test_an_edit_of_an_edit_says_all_that_was_asked_for_on_the_way() -> None:
    first, second = made(1, ""), replace(made(2, ""), change="friendlier", base=ImageRef(1))
    setup = Setup(first, with_response(second, "resp_2"), edit(3, ImageRef(2), "and at night"))
    setup.keep(ImageRef(2), PNG)
    request = await setup.request()
    assert request.base is not None
    assert (request.base.data, request.base.response_id) == (PNG, "resp_2")
    assert (request.prompt, request.change, request.changes) == (
        PROMPT,
        "and at night",
        ("friendlier",),
    )


async def test_the_candidate_that_was_asked_about_is_edited() -> None:
    setup = Setup(made(1, "", ""), edit(2, ImageRef(1, 2)))
    setup.keep(ImageRef(1, 1), b"first")
    setup.keep(ImageRef(1, 2), b"second")
    request = await setup.request()
    assert request.base is not None
    assert request.base.data == b"second"


async def test_an_image_that_has_expired_is_fetched_from_slack() -> None:
    setup = Setup(made(1, ""), edit(2, ImageRef(1)))
    setup.files.kept = {"F1": JPEG}
    request = await setup.request()
    assert request.base is not None
    assert (request.base.data, request.base.mime_type) == (JPEG, "image/png")
    assert (request.base.width, request.base.height) == (1024, 768)


@pytest.mark.parametrize("error", [None, SlackUnavailable("away")])
async def test_without_bytes_the_providers_own_memory_will_do(error: Exception | None) -> None:
    setup = Setup(with_response(made(1, ""), "resp_1"), edit(2, ImageRef(1)))
    if error:
        setup.files.fetch = _raising(error)  # type: ignore[method-assign]
    request = await setup.request()
    assert request.base is not None
    assert (request.base.data, request.base.response_id) == (b"", "resp_1")


async def test_the_newer_of_two_files_in_slack_is_asked_for_first() -> None:
    changes = {"final_result": 1, "final_file_id": "F_ANEW"}
    setup = Setup(made(1, ""), edit(2, ImageRef(1)), **changes)
    setup.files.kept = {"F_ANEW": b"anew", setup.session.attempt(1).candidate(1).file_id: b"old"}
    base = (await setup.request()).base
    assert base is not None
    assert base.data == b"anew"
    del setup.files.kept["F_ANEW"]
    base = (await setup.request()).base
    assert base is not None
    assert base.data == b"old"


async def test_a_missing_permission_is_said_to_be_one() -> None:
    setup = Setup(made(1, ""), edit(2, ImageRef(1)))
    denied = GenerationError(FailureKind.APP_REFUSED)
    setup.files.fetch = _raising(denied)  # type: ignore[method-assign]
    assert await setup.refused() is FailureKind.APP_REFUSED


async def test_an_image_that_nobody_has_any_more_is_gone() -> None:
    assert await Setup(made(1, ""), edit(2, ImageRef(1))).refused() is FailureKind.BASE_GONE


async def test_a_slack_that_is_away_is_waited_for_where_nothing_else_has_the_image() -> None:
    setup = Setup(made(1, ""), edit(2, ImageRef(1)))
    setup.files.fetch = _raising(SlackUnavailable("away"))  # type: ignore[method-assign]
    with pytest.raises(SlackUnavailable):
        await setup.request()


async def test_a_persons_picture_is_fetched_once_and_kept() -> None:
    setup = Setup(BROUGHT, source=Source("F9"))
    setup.files.kept = {"F9": PNG}
    for _ in range(2):
        request = await setup.request()
        assert request.base == BaseImage(PNG, "image/png", width=40, height=30)
        assert (request.prompt, request.change, request.changes) == ("", "make it night", ())
    assert setup.files.fetched == ["F9"]


async def test_an_image_of_ours_is_as_large_as_it_was_made() -> None:
    setup = Setup(made(1, ""), edit(2, ImageRef(1)))
    setup.keep(ImageRef(1), PNG)
    base = (await setup.request()).base
    assert base == BaseImage(PNG, "image/png", width=1024, height=768)


async def test_what_goes_back_to_a_picture_has_no_first_prompt() -> None:
    first = replace(made(1, ""), prompt="make it night", change="make it night", base=ImageRef(0))
    setup = Setup(first, replace(edit(2, ImageRef(1)), prompt="make it night"))
    setup.keep(ImageRef(1), PNG)
    request = await setup.request()
    assert (request.prompt, request.changes) == ("", ("make it night",))
    assert request.from_picture


@pytest.mark.parametrize("brought", [True, False])
async def test_a_picture_is_behind_an_edit_at_any_distance(brought: bool) -> None:
    first = replace(made(1, ""), base=ImageRef(0) if brought else None)
    edits = [replace(edit(number, ImageRef(number - 1)), number=number) for number in (2, 3, 4)]
    setup = Setup(first, *edits)
    setup.keep(ImageRef(3), PNG)
    assert (await setup.request()).from_picture is brought


@pytest.mark.parametrize("kind", [FailureKind.SOURCE_GONE, FailureKind.SOURCE_UNREADABLE])
async def test_a_picture_that_cannot_be_had_is_told_as_slack_told_it(kind: FailureKind) -> None:
    setup = Setup(BROUGHT, source=Source("F9"))
    setup.files.fetch = _raising(GenerationError(kind))  # type: ignore[method-assign]
    assert await setup.refused() is kind


async def test_a_picture_that_the_session_does_not_know_is_gone() -> None:
    assert await Setup(BROUGHT).refused() is FailureKind.SOURCE_GONE


async def test_regenerating_says_what_was_turned_down_newest_last() -> None:
    setup = Setup(made(1, "one", "two"), made(2, "three"), an_attempt(3))
    assert (await setup.request()).avoid == ("one", "two", "three")


async def test_the_same_wording_is_said_once_and_cut() -> None:
    long = "x" * (LONGEST_AVOIDED + 1)
    setup = Setup(made(1, "one"), made(2, long, ""), made(3, "one"), an_attempt(4))
    assert (await setup.request()).avoid == (long[:LONGEST_AVOIDED], "one")


async def test_only_the_newest_are_said() -> None:
    attempts = [made(n, f"wording {n}") for n in range(1, 10)]
    avoid = (await Setup(*attempts, an_attempt(10)).request()).avoid
    assert avoid == tuple(f"wording {n}" for n in range(4, 10))
    assert len(avoid) == MOST_AVOIDED == 6


@pytest.mark.parametrize(
    "earlier",
    [
        made(1, "one", prompt="another prompt"),
        made(1, "one", message_ts=""),
        replace(made(1, "one"), candidates=(a_candidate(1, failure=FailureKind.NOT_DELIVERED),)),
    ],
    ids=["another prompt", "never shown", "not delivered"],
)
async def test_what_was_not_turned_down_is_not_avoided(earlier: Attempt) -> None:
    assert (await Setup(earlier, an_attempt(2)).request()).avoid == ()


async def test_an_edit_avoids_what_the_same_change_to_the_same_image_brought() -> None:
    earlier = replace(made(2, "two"), base=ImageRef(1), change="night")
    other = replace(made(3, "three"), base=ImageRef(1), change="day")
    again = replace(edit(4, ImageRef(1)), change="night")
    setup = Setup(made(1, "one"), earlier, other, again)
    setup.keep(ImageRef(1), PNG)
    assert (await setup.request()).avoid == ("two",)


async def test_the_first_edit_avoids_nothing() -> None:
    setup = Setup(made(1, "one"), edit(2, ImageRef(1)))
    setup.keep(ImageRef(1), PNG)
    assert (await setup.request()).avoid == ()


async def test_a_slack_that_hangs_is_not_waited_for_where_the_provider_knows_the_image(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.generation.image_requests.ASK_SLACK_FOR", 0.01)
    setup = Setup(with_response(made(1, "one"), "resp_1"), edit(2, ImageRef(1)))
    setup.files.fetch = _hanging  # type: ignore[method-assign]
    base = (await setup.request()).base
    assert base is not None
    assert (base.data, bool(base.response_id)) == (b"", True)


async def test_a_setting_turns_it_off() -> None:
    setup = Setup(made(1, "one"), an_attempt(2))
    setup.avoid_rejected = False
    assert (await setup.request()).avoid == ()


async def _hanging(file_id: str, on_reading: OnReading | None = None) -> BaseImage:
    await asyncio.Event().wait()
    return BaseImage()


def _raising(error: Exception) -> Any:
    async def fetch(file_id: str, on_reading: OnReading | None = None) -> BaseImage:
        raise error

    return fetch
