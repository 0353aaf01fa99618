"""The Images backend against the fake provider, and against servers that know less."""

import asyncio
import base64
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from PIL import Image

from bot.adapters.openai import ImagesBackend, download, openai_client
from bot.domain.errors import FailureKind, GenerationError
from bot.domain.images import ImageRequest
from tests import fake_openai as fakes
from tests.fake_openai import FakeOpenAI, Outcome

REQUEST = ImageRequest("a robot eating pizza on Mars", end_user="u" * 64)

Backend = Callable[..., ImagesBackend]


async def unexpected(response_id: str) -> None:
    raise AssertionError(f"{response_id} was told")


async def failure(backend: ImagesBackend) -> GenerationError:
    with pytest.raises(GenerationError) as caught:
        await backend.generate(REQUEST, unexpected)
    return caught.value


@pytest.fixture
async def fake() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI(latency=0.02) as server:
        yield server


@pytest.fixture
async def backend(fake: FakeOpenAI) -> AsyncIterator[Backend]:
    """Makes backends that speak to the fake, or to another address, and closes them."""
    made: list[ImagesBackend] = []

    def make(
        base_url: str = "",
        *,
        model: str = "gpt-image-2.5-flare",
        size: str = "1024x1024",
        quality: str = "low",
        timeout: float = 30.0,
    ) -> ImagesBackend:
        client = openai_client(fake.api_key, base_url or fake.base_url)
        made.append(ImagesBackend(client, model=model, size=size, quality=quality, timeout=timeout))
        return made[-1]

    yield make
    for one in made:
        await one.close()


# OpenAI itself


async def test_brings_the_image_and_asks_as_the_api_wants_it(
    fake: FakeOpenAI, backend: Backend
) -> None:
    image = await backend().generate(REQUEST, unexpected)
    assert image.data == fake.made[-1].data
    assert (image.mime_type, image.width, image.height) == ("image/png", 64, 64)
    assert image.response_id == ""
    assert [one.body for one in fake.creates] == [
        {
            "model": "gpt-image-2.5-flare",
            "prompt": REQUEST.prompt,
            "n": 1,
            "size": "1024x1024",
            "quality": "low",
            "output_format": "png",
            "safety_identifier": "u" * 64,
        }
    ]
    assert len(fake.requests) == fake.paid == 1


async def test_auto_is_said_by_saying_nothing(fake: FakeOpenAI, backend: Backend) -> None:
    await backend(size="auto", quality="auto").generate(ImageRequest("a robot"), unexpected)
    assert fake.creates[0].body.keys() == {"model", "prompt", "n", "output_format"}


async def test_webp_becomes_png(fake: FakeOpenAI, backend: Backend) -> None:
    fake.script(fakes.webp())
    image = await backend().generate(REQUEST, unexpected)
    with Image.open(io.BytesIO(image.data)) as png:
        assert png.format == "PNG"


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (fakes.moderation_400(), FailureKind.MODERATION),
        (fakes.insufficient_quota(), FailureKind.QUOTA),
        (fakes.billing_hard_limit_reached(400), FailureKind.QUOTA),
        (fakes.credit_balance_exhausted(), FailureKind.QUOTA),
        (fakes.limit_exceeded(), FailureKind.QUOTA),
        (fakes.invalid_api_key(), FailureKind.BAD_KEY),
        (fakes.org_not_verified(), FailureKind.UNVERIFIED),
        (fakes.model_not_found(), FailureKind.BAD_REQUEST),
        (fakes.bad_request(param="quality"), FailureKind.BAD_REQUEST),
        (fakes.rate_limited(3), FailureKind.RATE_LIMITED),
        (fakes.server_error(), FailureKind.PROVIDER_DOWN),
        (fakes.server_error(502, html=True), FailureKind.PROVIDER_DOWN),
        (fakes.response_failed(), FailureKind.PROVIDER_DOWN),
        (fakes.connection_dropped(paid=False), FailureKind.PROVIDER_DOWN),
        (fakes.completed_without_anything(), FailureKind.NO_IMAGE),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
async def test_every_ending_without_an_image(
    fake: FakeOpenAI, backend: Backend, outcome: Outcome, kind: FailureKind
) -> None:
    fake.script(outcome)
    error = await failure(backend())
    assert (error.kind, error.said) == (kind, "")
    assert error.retry_after == (3.0 if kind is FailureKind.RATE_LIMITED else None)
    assert len(fake.requests) == 1
    assert fake.paid == 0


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (fakes.invalid_base64(), FailureKind.BAD_IMAGE),
        (fakes.not_an_image(), FailureKind.BAD_IMAGE),
        (fakes.connection_dropped("image"), FailureKind.PROVIDER_DOWN),
        (fakes.hang("image"), FailureKind.TIMED_OUT),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
async def test_a_paid_call_is_not_repeated(
    fake: FakeOpenAI, backend: Backend, outcome: Outcome, kind: FailureKind
) -> None:
    fake.script(outcome)
    assert (await failure(backend(timeout=1.0))).kind is kind
    assert len(fake.requests) == fake.paid == 1


async def test_cancellation_passes(fake: FakeOpenAI, backend: Backend) -> None:
    fake.hold("generating")
    running = asyncio.create_task(backend().generate(REQUEST, unexpected))
    await fake.until_held()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


# Servers that are compatible with OpenAI, more or less


Answer = Callable[[web.Request, dict[str, Any]], web.StreamResponse]


class Compatible:
    """A small server; `answer` makes the answer to a body, and `files` are what it hands out."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.bodies: list[dict[str, Any]] = []
        self.files: list[web.Response] = []
        self.fetched: list[dict[str, str]] = []
        self.base_url = ""

    async def generate(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.json())
        return self.answer(request, self.bodies[-1])

    async def fetch(self, request: web.Request) -> web.StreamResponse:
        self.fetched.append({name.lower(): value for name, value in request.headers.items()})
        return self.files.pop(0)


@asynccontextmanager
async def compatible(answer: Answer) -> AsyncIterator[Compatible]:
    server = Compatible(answer)
    app = web.Application()
    app.router.add_post("/v1/images/generations", server.generate)
    app.router.add_get("/generated/{name}", server.fetch)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield server
    finally:
        await runner.cleanup()


def png(size: tuple[int, int] = (8, 8)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "orange").save(out, "PNG")
    return out.getvalue()


def brings(**fields: str) -> web.Response:
    return web.json_response({"created": 1, "data": [fields]})


def brings_png() -> web.Response:
    return brings(b64_json=base64.b64encode(png()).decode())


async def test_other_models_are_asked_for_base64(backend: Backend) -> None:
    async with compatible(lambda request, body: brings_png()) as server:
        one = backend(server.base_url, model="stablediffusion", size="512x512", quality="auto")
        assert (await one.generate(REQUEST, unexpected)).data == png()
    assert server.bodies == [
        {
            "model": "stablediffusion",
            "prompt": REQUEST.prompt,
            "n": 1,
            "size": "512x512",
            "response_format": "b64_json",
        }
    ]


def openai_words(name: str) -> web.Response:
    message = f"Unknown parameter: '{name}'."
    error = {"message": message, "type": "x", "param": name, "code": "unknown_parameter"}
    return web.json_response({"error": error}, status=400)


def pydantic_words(name: str) -> web.Response:
    detail = {"type": "extra_forbidden", "loc": ["body", name], "input": "x"}
    detail |= {"msg": "Extra inputs are not permitted"}
    return web.json_response({"detail": [detail]}, status=422)


def plain_words(name: str) -> web.Response:
    return web.Response(text=f'json: unknown field "{name}"', status=400)


@pytest.mark.parametrize("words", [openai_words, pydantic_words, plain_words])
async def test_what_a_server_does_not_know_is_left_out_from_then_on(
    backend: Backend, words: Callable[[str], web.Response]
) -> None:
    def picky(request: web.Request, body: dict[str, Any]) -> web.Response:
        unknown = [name for name in ("response_format", "quality") if name in body]
        return words(unknown[0]) if unknown else brings_png()

    async with compatible(picky) as server:
        one = backend(server.base_url, model="sd")
        await one.generate(REQUEST, unexpected)
        assert len(server.bodies) == 3
        await one.generate(REQUEST, unexpected)
        assert len(server.bodies) == 4
    assert server.bodies[-1].keys() == {"model", "prompt", "n", "size"}


async def test_the_hash_of_the_person_is_left_out_where_it_is_not_known(backend: Backend) -> None:
    def picky(request: web.Request, body: dict[str, Any]) -> web.Response:
        return openai_words("safety_identifier") if "safety_identifier" in body else brings_png()

    async with compatible(picky) as server:
        one = backend(server.base_url)
        await one.generate(REQUEST, unexpected)
        await one.generate(REQUEST, unexpected)
    assert len(server.bodies) == 3


@pytest.mark.parametrize(
    "text",
    [
        "Unknown parameter: 'prompt'.",
        "Unknown parameter: 'n'.",
        "Size 1024x1024 is not supported, unknown size.",
        "quality must be one of standard, hd",
    ],
)
async def test_nothing_else_is_left_out(backend: Backend, text: str) -> None:
    async with compatible(lambda request, body: web.Response(text=text, status=400)) as server:
        assert (await failure(backend(server.base_url))).kind is FailureKind.BAD_REQUEST
    assert len(server.bodies) == 1


async def test_a_server_that_keeps_refusing_what_it_was_not_sent(backend: Backend) -> None:
    async with compatible(lambda request, body: openai_words("quality")) as server:
        assert (await failure(backend(server.base_url))).kind is FailureKind.BAD_REQUEST
    assert len(server.bodies) == 2


async def test_a_data_url_is_taken(backend: Backend) -> None:
    url = "data:image/png;base64," + base64.b64encode(png()).decode()
    async with compatible(lambda request, body: brings(url=url)) as server:
        assert (await backend(server.base_url).generate(REQUEST, unexpected)).data == png()


@pytest.mark.parametrize("absolute", [True, False])
async def test_an_address_is_fetched_without_the_key(backend: Backend, absolute: bool) -> None:
    def answer(request: web.Request, body: dict[str, Any]) -> web.Response:
        origin = str(request.url.origin()) if absolute else ""
        return brings(url=f"{origin}/generated/1.png", revised_prompt="a robot")

    async with compatible(answer) as server:
        server.files = [web.Response(status=503), web.Response(body=png())]
        image = await backend(server.base_url).generate(REQUEST, unexpected)
    assert (image.data, image.revised_prompt) == (png(), "a robot")
    assert len(server.fetched) == 2
    assert not any("authorization" in headers for headers in server.fetched)
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    "files",
    [
        [web.Response(status=404) for _ in range(3)],
        [web.Response(text="<html>no image here</html>")],
        [web.Response(body=bytes(2000))],
    ],
)
async def test_an_address_that_brings_no_image(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, files: list[web.Response]
) -> None:
    monkeypatch.setattr(download, "MAX_BYTES", 1000)
    async with compatible(lambda request, body: brings(url="/generated/1.png")) as server:
        server.files = files
        assert (await failure(backend(server.base_url))).kind is FailureKind.BAD_IMAGE
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (lambda: brings(), FailureKind.NO_IMAGE),
        (lambda: web.json_response({"created": 1, "data": None}), FailureKind.NO_IMAGE),
        (lambda: web.json_response({"hello": "world"}), FailureKind.NO_IMAGE),
        (lambda: web.json_response([1]), FailureKind.NO_IMAGE),
        (lambda: web.Response(text="<html>hello</html>"), FailureKind.NO_IMAGE),
        (lambda: brings(url="ftp://somewhere/x.png"), FailureKind.BAD_IMAGE),
        (lambda: brings(url="http://[broken"), FailureKind.BAD_IMAGE),
        (
            lambda: web.Response(text='{"created": 1, "da', content_type="application/json"),
            FailureKind.PROVIDER_DOWN,
        ),
        (
            lambda: web.json_response({"error": {"code": 500, "message": "oom"}}, status=500),
            FailureKind.PROVIDER_DOWN,
        ),
        (
            lambda: web.json_response({"error": "no such model"}, status=404),
            FailureKind.BAD_REQUEST,
        ),
    ],
)
async def test_answers_that_are_not_as_they_should_be(
    backend: Backend, answer: Callable[[], web.Response], kind: FailureKind
) -> None:
    async with compatible(lambda request, body: answer()) as server:
        assert (await failure(backend(server.base_url))).kind is kind
    assert len(server.bodies) == 1
