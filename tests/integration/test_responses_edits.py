"""Edits by the Responses backend: by the id of the earlier response, or by our own bytes."""

import asyncio
import io
from dataclasses import replace

import pytest
from PIL import Image

from bot.domain.failures import FailureKind
from bot.domain.images import BaseImage, GeneratedImage, ImageRequest
from bot.domain.options import NO_OPTIONS, Options
from tests import fake_openai as fakes
from tests.fake_openai import FakeOpenAI, Outcome
from tests.fake_openai.problems import Problem
from tests.fakes import FakeCheckpoint
from tests.integration.responses import (
    REQUEST,
    Backend,
    failure,
    shows,
)


def friendlier(image: GeneratedImage) -> ImageRequest:
    base = BaseImage(image.data, image.mime_type, image.response_id)
    return replace(REQUEST, attempt=2, base=base, change="make the cat friendlier")


async def refined(backend: Backend, *, background: bool = True) -> ImageRequest:
    """A request to change an image that was just made."""
    one = backend(background=background)
    return friendlier(await one.generate(REQUEST, FakeCheckpoint()))


def without_bytes(request: ImageRequest) -> ImageRequest:
    assert request.base
    return replace(request, base=replace(request.base, data=b"", mime_type=""))


def picture(image_format: str, *, frames: int = 1) -> bytes:
    out = io.BytesIO()
    images = [Image.new("RGB", (8, 6), colour) for colour in ("red", "blue")[:frames]]
    if frames == 1:
        images[0].save(out, image_format)
    else:
        images[0].save(out, image_format, save_all=True, append_images=images[1:])
    return out.getvalue()


# By the id


@pytest.mark.parametrize("background", [True, False])
async def test_an_edit_builds_on_the_earlier_response(
    fake: FakeOpenAI, backend: Backend, background: bool
) -> None:
    request, checkpoint = await refined(backend, background=background), FakeCheckpoint()
    image = await backend(background=background).generate(request, checkpoint)
    assert request.base
    assert shows(image, fake)
    assert checkpoint.started == [image.response_id] != [request.base.response_id]
    (edit,) = fake.edits
    assert edit.body["previous_response_id"] == request.base.response_id
    assert edit.tool["action"] == "edit"
    assert edit.images == []
    assert edit.text.startswith("Change only this about the image")
    assert edit.text.endswith("\n\nmake the cat friendlier")
    assert REQUEST.prompt not in edit.text
    assert len(fake.creates) == fake.paid == 2


async def test_edits_follow_one_another(fake: FakeOpenAI, backend: Backend) -> None:
    request = await refined(backend)
    second = await backend().generate(request, FakeCheckpoint())
    third = replace(friendlier(second), changes=(request.change,), change="at night")
    await backend().generate(third, FakeCheckpoint())
    assert fake.edits[-1].body["previous_response_id"] == second.response_id
    assert fake.paid == 3


async def test_an_edit_without_our_bytes_needs_none(fake: FakeOpenAI, backend: Backend) -> None:
    request = without_bytes(await refined(backend))
    assert shows(await backend().generate(request, FakeCheckpoint()), fake)


# By our bytes


def lost_status(fake: FakeOpenAI, status: int) -> None:
    def not_found(response_id: str) -> Problem:
        return Problem(status, "Response not found.", code="previous_response_not_found")

    fake.previous_not_found = not_found


@pytest.mark.parametrize("status", [400, 404])
@pytest.mark.parametrize("background", [True, False])
async def test_an_image_that_the_provider_forgot_is_sent_along(
    fake: FakeOpenAI, backend: Backend, status: int, background: bool
) -> None:
    lost_status(fake, status)
    request, checkpoint = await refined(backend), FakeCheckpoint()
    request = replace(request, changes=("a bigger hat", "at night"))
    fake.forget_responses()
    one = backend(background=background)
    image = await one.generate(request, checkpoint)
    assert request.base
    assert shows(image, fake)
    assert checkpoint.started == [image.response_id]
    edit = fake.edits[-1]
    assert "previous_response_id" not in edit.body
    assert edit.images == [request.base.data]
    assert edit.tool["action"] == "edit"
    said = [REQUEST.prompt, "a bigger hat", "at night", "Change only this", request.change]
    places = [edit.text.index(words) for words in said]
    assert places == sorted(places)
    assert len(fake.creates) == 3
    assert fake.paid == 2


@pytest.mark.parametrize(
    "ending",
    [
        fakes.stream_error("previous_response_not_found"),
        fakes.stream_error("previous_response_not_found", nested=True),
        fakes.response_failed("previous_response_not_found", checked=False),
    ],
    ids=["event", "nested event", "failed"],
)
async def test_a_provider_may_find_out_late_that_it_forgot(
    fake: FakeOpenAI, backend: Backend, ending: Outcome
) -> None:
    request, checkpoint = await refined(backend), FakeCheckpoint()
    fake.script(replace(ending, only_if="previous_response_id"))
    image = await backend().generate(request, checkpoint)
    assert shows(image, fake)
    assert checkpoint.started[-1] == image.response_id
    assert fake.edits[-1].images
    assert (len(fake.creates), fake.paid) == (3, 2)


async def test_a_picture_that_a_person_brought_has_no_prompt(
    fake: FakeOpenAI, backend: Backend
) -> None:
    data = picture("JPEG")
    request = ImageRequest("", base=BaseImage(data, "image/jpeg"), change="at night")
    assert shows(await backend().generate(request, FakeCheckpoint()), fake)
    (edit,) = fake.edits
    assert edit.images == [data]
    assert edit.text.startswith("Change only this")
    assert edit.body["input"][0]["content"][1]["image_url"].startswith("data:image/jpeg;base64,")
    assert fake.paid == 1


@pytest.mark.parametrize(
    ("data", "said", "sent"),
    [
        (picture("WEBP"), "image/webp", "webp"),
        (picture("JPEG"), "image/png", "jpeg"),
        (picture("GIF"), "image/gif", "png"),
        (picture("GIF", frames=2), "image/gif", "png"),
        (picture("WEBP", frames=2), "image/webp", "png"),
        (picture("PNG"), "", "png"),
    ],
)
async def test_the_type_sent_is_what_the_bytes_are_and_moving_pictures_stand_still(
    fake: FakeOpenAI, backend: Backend, data: bytes, said: str, sent: str
) -> None:
    request = ImageRequest("", base=BaseImage(data, said), change="at night")
    await backend().generate(request, FakeCheckpoint())
    (edit,) = fake.edits
    assert edit.body["input"][0]["content"][1]["image_url"].startswith(f"data:image/{sent};")
    with Image.open(io.BytesIO(edit.images[0])) as image:
        assert image.size == (8, 6)
        assert not getattr(image, "is_animated", False)


async def test_an_image_that_nobody_has_any_more(fake: FakeOpenAI, backend: Backend) -> None:
    request = without_bytes(await refined(backend))
    fake.forget_responses()
    assert (await failure(backend(), request)).kind is FailureKind.SOURCE_GONE
    assert (len(fake.creates), fake.paid) == (2, 1)


async def test_without_id_and_bytes_nothing_is_asked(fake: FakeOpenAI, backend: Backend) -> None:
    request = ImageRequest("a robot", base=BaseImage(), change="at night")
    assert (await failure(backend(), request)).kind is FailureKind.SOURCE_GONE
    assert fake.requests == []


async def test_bytes_that_are_no_image_are_not_sent(fake: FakeOpenAI, backend: Backend) -> None:
    request = ImageRequest("", base=BaseImage(b"<html>", "image/png"), change="at night")
    assert (await failure(backend(), request)).kind is FailureKind.SOURCE_UNREADABLE
    assert fake.requests == []


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (fakes.moderation_400(), FailureKind.MODERATION),
        (fakes.moderation_stream_error(), FailureKind.MODERATION),
        (fakes.moderation_failed_item(), FailureKind.MODERATION),
        (fakes.refusal_in_words(), FailureKind.DECLINED),
        (fakes.insufficient_quota(), FailureKind.QUOTA),
        (fakes.invalid_api_key(), FailureKind.BAD_KEY),
        (fakes.org_not_verified(), FailureKind.UNVERIFIED),
        (fakes.model_not_found(), FailureKind.MODEL_UNAVAILABLE),
        (fakes.rate_limited(1), FailureKind.RATE_LIMITED),
        (fakes.server_error(), FailureKind.PROVIDER_DOWN),
        (fakes.completed_without_anything(), FailureKind.NO_IMAGE),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
async def test_no_other_failure_sends_the_image_along(
    fake: FakeOpenAI, backend: Backend, outcome: Outcome, kind: FailureKind
) -> None:
    request = await refined(backend)
    fake.script(outcome)
    assert (await failure(backend(), request)).kind is kind
    assert (len(fake.creates), fake.paid) == (2, 1)


async def test_background_mode_refused_does_not_cost_the_earlier_response(
    fake: FakeOpenAI, backend: Backend
) -> None:
    request = await refined(backend)
    fake.always(fakes.background_unsupported())
    assert shows(await backend().generate(request, FakeCheckpoint()), fake)
    assert fake.edits[-1].images == []
    assert fake.paid == 2


# A repeated run


@pytest.mark.parametrize("forgotten", [False, True])
async def test_an_edit_is_taken_up_by_its_own_id(
    fake: FakeOpenAI, backend: Backend, forgotten: bool
) -> None:
    request, checkpoint = await refined(backend), FakeCheckpoint()
    if forgotten:
        fake.forget_responses()
    fake.script(fakes.held("generating"))
    running = asyncio.create_task(backend().generate(request, checkpoint))
    await fake.until_held()
    await fake.until(lambda: checkpoint.started)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    fake.release()
    again = replace(request, response_id=checkpoint.started[0])
    image = await backend().generate(again, checkpoint)
    assert shows(image, fake)
    assert image.response_id == checkpoint.started[0]
    assert len(checkpoint.started) == 1
    assert fake.paid == 2


async def test_an_edit_whose_response_is_gone_is_asked_for_anew_by_our_bytes(
    fake: FakeOpenAI, backend: Backend
) -> None:
    request = await refined(backend)
    fake.forget_responses()
    again = replace(request, response_id="resp_gone")
    assert shows(await backend().generate(again, FakeCheckpoint()), fake)
    assert fake.edits[-1].images
    assert fake.paid == 2


# its size


SHAPED = BaseImage(picture("PNG"), "image/png", width=1600, height=1000)


@pytest.mark.parametrize(
    ("base", "options", "size"),
    [
        (SHAPED, NO_OPTIONS, "1536x960"),
        (replace(SHAPED, width=1792, height=1008), NO_OPTIONS, "1792x1008"),
        (replace(SHAPED, width=1000, height=1600), NO_OPTIONS, "960x1536"),
        (SHAPED, Options(size="1024x1024"), "1024x1024"),
        (SHAPED, Options(size="auto"), "auto"),
        (SHAPED, Options(quality="high"), "1536x960"),
        (replace(SHAPED, width=0, height=0), NO_OPTIONS, "1024x1024"),
    ],
    ids=["wide", "draft", "tall", "chosen", "left to the model", "another option", "unknown"],
)
async def test_an_edit_has_the_shape_of_its_image_unless_somebody_chose_one(
    fake: FakeOpenAI, backend: Backend, base: BaseImage, options: Options, size: str
) -> None:
    request = replace(REQUEST, base=base, change="at night", options=options)
    await backend().generate(request, FakeCheckpoint())
    assert fake.edits[-1].tool["size"] == size


async def test_a_size_that_is_refused_for_an_image_is_still_asked_for_without_one(
    fake: FakeOpenAI, backend: Backend
) -> None:
    one = backend()
    fake.script(fakes.refused("Invalid value: '1536x960'.", param="tools[0].size"))
    await one.generate(replace(REQUEST, base=SHAPED, change="at night"), FakeCheckpoint())
    assert "size" not in fake.edits[-1].tool
    await one.generate(REQUEST, FakeCheckpoint())
    assert fake.creates[-1].tool["size"] == "1024x1024"
