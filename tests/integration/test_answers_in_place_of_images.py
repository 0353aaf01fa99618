"""What servers send with status 200 in place of what was asked for is read safely, and sorted by
what it means."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from aiohttp import web

from bot.adapters.openai import ImagesBackend, openai_client
from bot.domain.costs import Usage
from bot.domain.failures import FailureKind, GenerationError
from bot.domain.images import ImageRequest
from tests.fakes import FakeCheckpoint
from tests.integration.test_bounded_answers import answers, images, kind, responses, serving
from tests.integration.test_images_backend import png

MISSING_MODEL = {"error": {"message": "The model x does not exist", "code": "model_not_found"}}
BUSY = {"error": {"message": "Server overloaded", "code": 503}}


def drawn(result: object) -> dict[str, Any]:
    item = {"type": "image_generation_call", "result": result}
    return {"id": "resp_1", "status": "completed", "output": [None, 3, item]}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (MISSING_MODEL, FailureKind.MODEL_UNAVAILABLE),
        (BUSY, FailureKind.PROVIDER_DOWN),
        ({"code": 50603, "message": "System is too busy now.", "data": None}, "provider_down"),
        ({"error": {"code": "moderation_blocked"}}, FailureKind.MODERATION),
        ({"data": {"b64_json": "x"}}, FailureKind.NO_IMAGE),
        ({"data": ["x", None]}, FailureKind.NO_IMAGE),
        ({"data": [{"b64_json": 5}]}, FailureKind.NO_IMAGE),
        ({"data": [{"url": ["http://x"]}]}, FailureKind.NO_IMAGE),
        ({"data": [{"url": "http://" + "a" * 70_000}]}, FailureKind.BAD_IMAGE),
        ({"data": [{"url": "http://a\0b/"}]}, FailureKind.BAD_IMAGE),
        ({"data": [{"url": "http://127.0.0.1\ud800/"}]}, FailureKind.BAD_IMAGE),
    ],
)
async def test_the_images_api(body: object, expected: FailureKind) -> None:
    async with serving(answers(json.dumps(body).encode())) as url:
        assert await kind(images(url)) is FailureKind(expected)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (MISSING_MODEL, FailureKind.MODEL_UNAVAILABLE),
        (BUSY, FailureKind.PROVIDER_DOWN),
        ({"status": "failed", "error": {"code": "server_error"}}, FailureKind.PROVIDER_DOWN),
        ({"status": "completed", "output": 5}, FailureKind.NO_IMAGE),
        ({"status": "completed", "output": [{"type": "message", "content": 5}]}, "no_image"),
        (drawn(5), FailureKind.NO_IMAGE),
        ([], FailureKind.STREAM_ENDED),
    ],
)
async def test_the_responses_api(body: object, expected: FailureKind) -> None:
    async with serving(answers(json.dumps(body).encode())) as url:
        assert await kind(responses(url)) is FailureKind(expected)


async def test_an_image_comes_from_a_server_that_does_not_stream_when_asked_to() -> None:
    body = json.dumps(drawn(base64.b64encode(png()).decode())).encode()
    checkpoint = FakeCheckpoint()
    async with serving(answers(body)) as url:
        backend = responses(url)
        image = await backend.generate(ImageRequest("a robot"), checkpoint)
        await backend.close()
    assert (image.data, image.response_id) == (png(), "resp_1")


async def failed(backend: ImagesBackend) -> GenerationError:
    try:
        with pytest.raises(GenerationError) as caught:
            await backend.generate(ImageRequest("a robot"), FakeCheckpoint())
    finally:
        await backend.close()
    return caught.value


@pytest.mark.parametrize(("code", "may_be_paid"), [(503, False), ("busy", False), (504, True)])
async def test_an_error_in_place_of_an_image_is_not_paid(code: object, may_be_paid: bool) -> None:
    body = json.dumps({"error": {"message": "Server overloaded", "code": code}}).encode()
    async with serving(answers(body)) as url:
        assert (await failed(images(url))).may_be_paid is may_be_paid


@pytest.mark.parametrize(("stage", "may_be_paid"), [("input", False), ("output", True)])
async def test_an_image_that_was_made_and_held_back_may_be_paid(
    stage: str, may_be_paid: bool
) -> None:
    details = {"categories": ["violence"], "moderation_stage": stage}
    error = {"code": "moderation_blocked", "message": "no", "moderation_details": details}
    async with serving(answers(json.dumps({"error": error}).encode())) as url:
        assert (await failed(images(url))).may_be_paid is may_be_paid


@pytest.mark.parametrize("hangs", [True, False])
async def test_an_image_that_cannot_be_fetched_was_measured(hangs: bool) -> None:
    body = {"data": [{"url": "/image.png"}], "usage": {"input_tokens": 9, "output_tokens": 439}}

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            return web.json_response(body)
        if hangs:
            await asyncio.sleep(60)
        return web.Response(status=404)

    async with serving(handler) as url:
        backend = ImagesBackend(
            openai_client("k", url), model="m", size="auto", quality="auto", timeout=1.0
        )
        error = await failed(backend)
    assert error.kind is (FailureKind.TIMED_OUT if hangs else FailureKind.BAD_IMAGE)
    assert error.usage == Usage(text_in=9, image_out=439)
