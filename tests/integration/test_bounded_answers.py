"""No answer of a server takes more memory than it may."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from bot.adapters.openai import (
    ImagesBackend,
    ResponsesBackend,
    bounded_answers,
    event_stream,
    openai_client,
)
from bot.adapters.openai.image_download import download
from bot.domain.failures import FailureKind, GenerationError
from bot.domain.images import ImageRequest
from tests.fakes import FakeCheckpoint
from tests.integration.test_images_backend import png

LIMIT = 200_000
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LARGEST_ANSWER", "LARGEST_STREAM", "LARGEST_IMAGE"):
        monkeypatch.setattr(bounded_answers, name, LIMIT)
    monkeypatch.setattr(event_stream, "LARGEST_ANSWER", LIMIT)


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


def answers(body: bytes, content_type: str = "application/json", **headers: str) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, content_type=content_type, headers=headers)

    return handler


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "application/json"})
    await response.prepare(request)
    while True:
        await response.write(b" " * 65536)


async def endless_events(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    await response.write(b"data: ")
    while True:
        await response.write(b"x" * 65536)


def images(url: str) -> ImagesBackend:
    client = openai_client("k", url)
    return ImagesBackend(client, model="m", size="auto", quality="auto", timeout=20)


def responses(url: str) -> ResponsesBackend:
    return ResponsesBackend(
        openai_client("k", url),
        model="m",
        host_model="h",
        size="auto",
        quality="auto",
        timeout=20,
        background=False,
    )


async def kind(backend: Any) -> FailureKind:
    with pytest.raises(GenerationError) as caught:
        await backend.generate(ImageRequest("a robot"), FakeCheckpoint())
    await backend.close()
    return caught.value.kind


def answer(size: int) -> bytes:
    """An answer with an image, and that many bytes that nobody needs."""
    image = base64.b64encode(png()).decode()
    return json.dumps({"data": [{"b64_json": image}], "more": " " * size}).encode()


def packs(
    body: Callable[[], bytes], content_type: str = "application/json", encoding: str = "gzip"
) -> Handler:
    """The body is made for the request, and not for each process that collects tests."""

    async def handler(request: web.Request) -> web.StreamResponse:
        packed = zlib.compress(body(), 1) if encoding == "deflate" else gzip.compress(body(), 1)
        return await answers(packed, content_type, **{"content-encoding": encoding})(request)

    return handler


@pytest.mark.parametrize(
    "handler",
    [
        endless,
        answers(answer(LIMIT)),
        packs(lambda: answer(50 * LIMIT)),
        packs(lambda: answer(50 * LIMIT), encoding="deflate"),
        answers(answer(10), **{"content-encoding": "zstd"}),
    ],
    ids=["endless", "large", "gzip", "deflate", "an encoding that nobody offered"],
)
async def test_an_answer_that_is_too_large(handler: Handler) -> None:
    async with serving(handler) as url:
        assert await kind(images(url)) is FailureKind.BAD_IMAGE


@pytest.mark.parametrize(
    "headers", [{}, {"content-encoding": "gzip"}, {"content-encoding": "identity"}]
)
async def test_an_answer_within_the_limit(headers: dict[str, str]) -> None:
    body = answer(LIMIT // 2)
    packed = gzip.compress(body) if headers.get("content-encoding") == "gzip" else body
    async with serving(answers(packed, **headers)) as url:
        backend = images(url)
        image = await backend.generate(ImageRequest("a robot"), FakeCheckpoint())
        await backend.close()
    assert image.data == png()


async def test_broken_compression_is_a_breakdown() -> None:
    async with serving(answers(b"no gzip", **{"content-encoding": "gzip"})) as url:
        assert await kind(images(url)) is FailureKind.PROVIDER_DOWN


@pytest.mark.parametrize(
    "handler",
    [
        endless_events,
        answers(b'data: {"a": 1}\n\n' * LIMIT, "text/event-stream"),
        packs(lambda: b"data: " + b" " * 50 * LIMIT, "text/event-stream"),
    ],
    ids=["one event", "many events", "gzip"],
)
async def test_a_stream_that_is_too_large(handler: Handler) -> None:
    async with serving(handler) as url:
        assert await kind(responses(url)) is FailureKind.BAD_IMAGE


@pytest.mark.parametrize(
    "handler",
    [
        endless,
        answers(bytes(LIMIT + 1)),
        packs(lambda: bytes(100 * LIMIT)),
    ],
)
async def test_a_file_that_is_too_large(handler: Handler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.adapters.openai.image_download.LARGEST_IMAGE", LIMIT)
    async with serving(handler) as url:
        with pytest.raises(GenerationError) as caught:
            await download(f"{url}/a.png", url)
    assert caught.value.kind is FailureKind.BAD_IMAGE
