"""What a person chose, what was turned down before, what is shown on the way, and calling off."""

import asyncio
import base64
import io
import time
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from bot.adapters.openai import client, response_poller
from bot.domain.failures import FailureKind
from bot.domain.images import BaseImage
from bot.domain.options import Options
from tests import fake_openai as fakes
from tests.fake_openai import FakeOpenAI, Outcome
from tests.fakes import FakeCheckpoint
from tests.integration.responses import (
    REQUEST,
    Backend,
    failure,
    shows,
)

# Options


@pytest.mark.parametrize(
    ("options", "tool"),
    [
        (Options(), {"size": "1024x1024", "quality": "low"}),
        (Options(size="1536x864"), {"size": "1536x864", "quality": "low"}),
        (Options(size="auto", quality="auto"), {"size": "auto", "quality": "auto"}),
        (Options(quality="xhigh"), {"size": "1024x1024", "quality": "xhigh"}),
        (Options(background="auto"), {"size": "1024x1024", "quality": "low"}),
        (
            Options(background="opaque"),
            {"size": "1024x1024", "quality": "low", "background": "opaque"},
        ),
    ],
)
@pytest.mark.parametrize("edits", [False, True])
async def test_what_a_person_chose_comes_before_the_settings(
    fake: FakeOpenAI, backend: Backend, options: Options, tool: dict[str, str], edits: bool
) -> None:
    request = replace(REQUEST, options=options)
    if edits:
        data = (await backend().generate(REQUEST, FakeCheckpoint())).data
        request = replace(request, base=BaseImage(data, "image/png"), change="at night")
    await backend(quality="low").generate(request, FakeCheckpoint())
    asked = fake.creates[-1].tool
    assert {name: asked[name] for name in ("size", "quality", "background") if name in asked} == (
        tool
    )


async def test_a_transparent_image_keeps_its_transparency(
    fake: FakeOpenAI, backend: Backend
) -> None:
    request = replace(REQUEST, options=Options(background="transparent", size="1536x1024"))
    image = await backend().generate(request, FakeCheckpoint())
    assert fake.creates[0].tool["background"] == "transparent"
    assert (image.width, image.height) == (96, 64)
    with Image.open(io.BytesIO(image.data)) as png:
        assert png.convert("RGBA").getpixel((95, 0)) == (0, 0, 0, 0)


async def test_what_a_person_chose_is_never_left_out(fake: FakeOpenAI, backend: Backend) -> None:
    fake.when(
        lambda body: "background" in body["tools"][0],
        fakes.unknown_parameter("tools[0].background"),
    )
    request = replace(REQUEST, options=Options(background="transparent"))
    assert (await failure(backend(), request)).kind is FailureKind.BAD_REQUEST
    assert all(one.tool["background"] == "transparent" for one in fake.creates)
    assert fake.paid == 0


async def test_a_server_that_knows_no_action_decides_itself(
    fake: FakeOpenAI, backend: Backend
) -> None:
    fake.when(lambda body: "action" in body["tools"][0], fakes.unknown_parameter("tools[0].action"))
    one = backend()
    for _ in range(2):
        await one.generate(REQUEST, FakeCheckpoint())
    assert ["action" in create.tool for create in fake.creates] == [True, False, False]
    assert all(create.body["background"] for create in fake.creates)
    assert fake.paid == 2


async def test_candidates_side_by_side_forget_together_what_the_server_refuses(
    fake: FakeOpenAI, backend: Backend
) -> None:
    fake.always(fakes.background_unsupported())
    one = backend()
    await asyncio.gather(*(one.generate(REQUEST, FakeCheckpoint()) for _ in range(4)))
    asked = len(fake.creates)
    await one.generate(REQUEST, FakeCheckpoint())
    assert len(fake.creates) == asked + 1
    assert "background" not in fake.creates[-1].body


async def test_one_of_three_candidates_fails_and_two_come(
    fake: FakeOpenAI, backend: Backend
) -> None:
    fake.script(fakes.success(), fakes.moderation_400(), fakes.success())
    one = backend()
    candidates = [replace(REQUEST, candidate=number) for number in (1, 2, 3)]
    came = await asyncio.gather(
        *(one.generate(candidate, FakeCheckpoint()) for candidate in candidates),
        return_exceptions=True,
    )
    assert sum(isinstance(one, Exception) for one in came) == 1
    assert fake.paid == 2


# What was turned down before


async def test_what_was_turned_down_is_told_beside_the_prompt(
    fake: FakeOpenAI, backend: Backend
) -> None:
    request = replace(REQUEST, avoid=("a red robot\nat noon", "", "a blue robot"))
    await backend().generate(request, FakeCheckpoint())
    body = fake.creates[0].body
    assert body["input"] == REQUEST.prompt
    assert "- a red robot at noon\n- a blue robot\n" in body["instructions"]
    assert "clearly different" in body["instructions"]


async def test_without_anything_turned_down_there_are_no_instructions(
    fake: FakeOpenAI, backend: Backend
) -> None:
    await backend().generate(REQUEST, FakeCheckpoint())
    assert "instructions" not in fake.creates[0].body


# On the way


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("background", [True, False])
async def test_partial_images_are_shown_while_the_model_works(
    fake: FakeOpenAI, backend: Backend, count: int, background: bool
) -> None:
    fake.script(fakes.held("partials"))
    checkpoint, one = FakeCheckpoint(), backend(background=background, partial_images=count)
    running = asyncio.create_task(one.generate(REQUEST, checkpoint))
    await fake.until_held()
    await fake.until(lambda: len(checkpoint.partials) == count)
    assert fake.paid == 0
    fake.release()
    assert shows(await running, fake)
    assert fake.creates[0].tool["partial_images"] == count
    for partial in checkpoint.partials:
        with Image.open(io.BytesIO(base64.b64decode(partial))) as image:
            image.load()


async def test_partial_images_that_cannot_be_shown_do_not_cost_the_image(
    fake: FakeOpenAI, backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    class CannotShow(FakeCheckpoint):
        def partial_image(self, encoded: str) -> None:
            super().partial_image(encoded)
            raise OSError("xoxb-secret")

    checkpoint = CannotShow()
    image = await backend(partial_images=3).generate(REQUEST, checkpoint)
    assert shows(image, fake)
    assert len(checkpoint.partials) == 3
    assert "OSError" in caplog.text
    assert "secret" not in caplog.text
    assert len(fake.requests) == fake.paid == 1


async def test_partial_images_after_a_broken_stream_are_shown_once(
    fake: FakeOpenAI, backend: Backend
) -> None:
    fake.script(fakes.connection_dropped(7))  # right after the first of them
    checkpoint = FakeCheckpoint()
    assert shows(await backend(partial_images=3).generate(REQUEST, checkpoint), fake)
    assert len(checkpoint.partials) == len(set(checkpoint.partials)) == 3
    assert len(fake.creates) == fake.paid == 1


async def test_a_repeated_run_passes_over_partial_images(
    fake: FakeOpenAI, backend: Backend
) -> None:
    fake.script(fakes.held("generating"))
    checkpoint, one = FakeCheckpoint(), backend(partial_images=2)
    running = asyncio.create_task(one.generate(REQUEST, checkpoint))
    await fake.until(lambda: checkpoint.started)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    again = asyncio.create_task(
        one.generate(replace(REQUEST, response_id=checkpoint.started[0]), checkpoint)
    )
    await fake.until(lambda: len(fake.requests) >= 2)
    fake.release()
    assert shows(await again, fake)
    assert checkpoint.partials == []
    assert fake.paid == 1


# Calling off


async def under_way(fake: FakeOpenAI, one: Any) -> str:
    """The id of a response that is being worked on, and that nobody here listens to any more."""
    checkpoint = FakeCheckpoint()
    fake.script(fakes.held("generating"))
    running = asyncio.create_task(one.generate(REQUEST, checkpoint))
    await fake.until_held()
    await fake.until(lambda: checkpoint.started)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return checkpoint.started[0]


async def test_calling_off_stops_the_provider_before_it_costs(
    fake: FakeOpenAI, backend: Backend
) -> None:
    one = backend()
    response_id = await under_way(fake, one)
    assert fake.cancelled == []
    await one.cancel(response_id)
    await one.cancel(response_id)
    assert fake.cancelled == [response_id]
    fake.release()
    assert (len(fake.creates), fake.paid) == (1, 0)


async def test_any_worker_can_call_off(fake: FakeOpenAI, backend: Backend) -> None:
    response_id = await under_way(fake, backend())
    await backend().cancel(response_id)
    assert fake.cancelled == [response_id]


async def test_there_is_nothing_to_call_off_without_background_mode(
    fake: FakeOpenAI, backend: Backend
) -> None:
    await backend(background=False).cancel("resp_1")
    await backend().cancel("")
    assert fake.requests == []


@pytest.mark.parametrize("response_id", ["resp_gone", "../models", "finished", "plain"])
async def test_calling_off_what_cannot_be_is_no_error(
    fake: FakeOpenAI, backend: Backend, response_id: str
) -> None:
    if response_id in {"finished", "plain"}:
        one = backend(background=response_id == "finished")
        response_id = (await one.generate(REQUEST, FakeCheckpoint())).response_id
    await backend().cancel(response_id)
    assert fake.cancelled == []


@pytest.mark.parametrize(
    "read", [fakes.hang(), fakes.server_error(), fakes.connection_dropped(), fakes.rate_limited(9)]
)
async def test_calling_off_takes_no_longer_than_it_may(
    fake: FakeOpenAI, backend: Backend, monkeypatch: pytest.MonkeyPatch, read: Outcome
) -> None:
    monkeypatch.setattr(response_poller, "CANCEL_PATIENCE", 0.2)
    monkeypatch.setattr(client, "FREE_RETRIES", 1)
    one = backend()
    response_id = await under_way(fake, one)
    fake.script_cancels(*[read] * 3)
    begun = time.monotonic()
    await one.cancel(response_id)
    assert time.monotonic() - begun < 10


async def test_nobody_listens_to_calling_off(fake: FakeOpenAI, backend: Backend) -> None:
    one = backend()
    await fake.stop()
    await one.cancel("resp_1")


async def test_a_call_that_is_cancelled_before_its_answer_still_tells_its_id(
    fake: FakeOpenAI, backend: Backend
) -> None:
    """By then it may be paid for: the id is what it can be called off by."""
    fake.hold("request")
    checkpoint, one = FakeCheckpoint(), backend()
    running = asyncio.create_task(one.generate(REQUEST, checkpoint))
    await fake.until_held()
    running.cancel()
    await asyncio.sleep(0.05)
    fake.hold("generating")
    fake.release(1)
    with pytest.raises(asyncio.CancelledError):
        await running
    assert checkpoint.started == list(fake.responses)
    await one.cancel(checkpoint.started[0])
    assert fake.cancelled == checkpoint.started


async def test_a_call_without_an_answer_is_not_waited_for_longer_than_that(
    fake: FakeOpenAI, backend: Backend
) -> None:
    fake.hold("request")
    checkpoint = FakeCheckpoint()
    running = asyncio.create_task(backend().generate(REQUEST, checkpoint))
    await fake.until_held()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, 10)
    assert checkpoint.started == []
