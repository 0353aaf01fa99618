"""The Images backend against the fake provider, and against servers that know less."""

import asyncio
import base64
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from PIL import Image

from bot.adapters.openai import ImagesBackend, image_download, openai_client
from bot.domain.failures import FailureKind, GenerationError
from bot.domain.images import EDITED, MADE, XMP_KEYWORD, BaseImage, GeneratedImage, ImageRequest
from bot.domain.options import Options
from tests import fake_openai as fakes
from tests.fake_openai import FakeOpenAI, Outcome
from tests.fakes import FakeCheckpoint

REQUEST = ImageRequest("a robot eating pizza on Mars", end_user="u" * 64)

Backend = Callable[..., ImagesBackend]


async def generate(backend: ImagesBackend, request: ImageRequest = REQUEST) -> GeneratedImage:
    """The image of one paid call, which has no response id and no partial images."""
    checkpoint = FakeCheckpoint()
    try:
        return await backend.generate(request, checkpoint)
    finally:
        assert (checkpoint.asked, checkpoint.started, checkpoint.partials) == (1, [], [])


async def failure(backend: ImagesBackend, request: ImageRequest = REQUEST) -> GenerationError:
    with pytest.raises(GenerationError) as caught:
        await generate(backend, request)
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
    image = await generate(backend())
    assert image.data == fake.made[-1].data
    assert (image.mime_type, image.width, image.height) == ("image/png", 64, 64)
    assert image.response_id == ""
    assert image.model == "gpt-image-2.5-flare"
    assert [one.body for one in fake.creates] == [
        {
            "model": "gpt-image-2.5-flare",
            "prompt": REQUEST.prompt,
            "size": "1024x1024",
            "quality": "low",
            "output_format": "png",
            "safety_identifier": "u" * 64,
        }
    ]
    assert len(fake.requests) == fake.paid == 1


async def test_auto_is_said_by_saying_nothing(fake: FakeOpenAI, backend: Backend) -> None:
    await generate(backend(size="auto", quality="auto"), ImageRequest("a robot"))
    assert fake.creates[0].body.keys() == {"model", "prompt", "output_format"}


async def test_webp_becomes_png(fake: FakeOpenAI, backend: Backend) -> None:
    fake.script(fakes.webp())
    image = await generate(backend())
    with Image.open(io.BytesIO(image.data)) as png:
        png.load()
        assert png.format == "PNG"
        assert MADE in png.text[XMP_KEYWORD]  # type: ignore[attr-defined]


async def test_webp_from_an_edit_of_a_persons_picture_says_so(
    fake: FakeOpenAI, backend: Backend
) -> None:
    fake.script(fakes.webp())
    image = await generate(backend(), an_edit(from_picture=True))
    with Image.open(io.BytesIO(image.data)) as png:
        png.load()
        assert EDITED in png.text[XMP_KEYWORD]  # type: ignore[attr-defined]


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
        (fakes.model_not_found(), FailureKind.MODEL_UNAVAILABLE),
        (fakes.bad_request(param="prompt"), FailureKind.BAD_REQUEST),
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
    running = asyncio.create_task(generate(backend()))
    await fake.until_held()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_calling_off_asks_nobody(fake: FakeOpenAI, backend: Backend) -> None:
    await backend().cancel("resp_1")
    assert fake.requests == []


# Options


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        (Options(), {"size": "1024x1024", "quality": "low"}),
        (Options(size="1536x864"), {"size": "1536x864", "quality": "low"}),
        (Options(size="auto", quality="auto", background="auto"), {}),
        (
            Options(quality="xhigh", background="transparent"),
            {"size": "1024x1024", "quality": "xhigh", "background": "transparent"},
        ),
    ],
)
@pytest.mark.parametrize("edits", [False, True])
async def test_what_a_person_chose_comes_before_the_settings(
    fake: FakeOpenAI, backend: Backend, options: Options, asked: dict[str, str], edits: bool
) -> None:
    base = BaseImage(png(), "image/png") if edits else None
    request = ImageRequest("a robot", options=options, base=base, change="at night")
    await generate(backend(), request)
    named = ("size", "quality", "background")
    body = fake.creates[0].body
    assert {name: body[name] for name in named if name in body} == asked
    assert bool(fake.edits) is edits


async def test_a_transparent_image_keeps_its_transparency(
    fake: FakeOpenAI, backend: Backend
) -> None:
    request = ImageRequest("a robot", options=Options(background="transparent"))
    image = await generate(backend(), request)
    with Image.open(io.BytesIO(image.data)) as transparent:
        assert transparent.convert("RGBA").getpixel((63, 0)) == (0, 0, 0, 0)


async def test_what_was_turned_down_is_told_after_the_prompt(
    fake: FakeOpenAI, backend: Backend
) -> None:
    request = replace(REQUEST, avoid=("a red robot", "a blue robot"))
    await generate(backend(), request)
    text = fake.creates[0].text
    assert text.startswith(REQUEST.prompt + "\n\n")
    assert "- a red robot\n- a blue robot\n" in text
    long = replace(request, prompt="x" * 31_990)
    await generate(backend(), long)
    assert fake.creates[1].text == long.prompt


# Edits


@pytest.mark.parametrize(
    ("image_format", "said", "sent"),
    [
        ("PNG", "image/png", "png"),
        ("JPEG", "image/jpeg", "jpeg"),
        ("WEBP", "image/png", "webp"),
        ("GIF", "image/gif", "png"),
    ],
)
async def test_an_edit_sends_the_image_as_a_file(
    fake: FakeOpenAI, backend: Backend, image_format: str, said: str, sent: str
) -> None:
    data = png(image_format=image_format)
    request = replace(
        REQUEST,
        base=BaseImage(data, said, "resp_1"),
        changes=("a bigger hat",),
        change="make the cat friendlier",
    )
    image = await generate(backend(), request)
    assert image.data == fake.made[-1].data
    (edit,) = fake.edits
    assert edit.path == "/v1/images/edits"
    (upload,) = edit.uploads
    assert (upload.field, upload.filename) == ("image", f"image.{sent}")
    assert upload.content_type == f"image/{sent}"
    assert (upload.data == data) is (image_format != "GIF")
    said_in_order = [REQUEST.prompt, "a bigger hat", "Change only this", request.change]
    places = [edit.text.index(words) for words in said_in_order]
    assert places == sorted(places)
    assert {name: value for name, value in edit.body.items() if name != "prompt"} == {
        "model": "gpt-image-2.5-flare",
        "size": "1024x1024",
        "quality": "low",
        "output_format": "png",
        "safety_identifier": "u" * 64,
    }
    assert len(fake.requests) == fake.paid == 1


@pytest.mark.parametrize(
    ("base", "kind"),
    [
        (BaseImage(response_id="resp_1"), FailureKind.SOURCE_GONE),
        (BaseImage(), FailureKind.SOURCE_GONE),
        (BaseImage(b"<html>", "image/png"), FailureKind.SOURCE_UNREADABLE),
    ],
)
async def test_an_edit_needs_the_image(
    fake: FakeOpenAI, backend: Backend, base: BaseImage, kind: FailureKind
) -> None:
    request = replace(REQUEST, base=base, change="at night")
    assert (await failure(backend(), request)).kind is kind
    assert fake.requests == []


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (fakes.moderation_400(), FailureKind.MODERATION),
        (fakes.insufficient_quota(), FailureKind.QUOTA),
        (fakes.server_error(), FailureKind.PROVIDER_DOWN),
        (fakes.hang("image"), FailureKind.TIMED_OUT),
        (fakes.not_an_image(), FailureKind.BAD_IMAGE),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
async def test_an_edit_fails_as_anything_else_does(
    fake: FakeOpenAI, backend: Backend, outcome: Outcome, kind: FailureKind
) -> None:
    fake.script(outcome)
    assert (await failure(backend(timeout=1.0), an_edit())).kind is kind
    assert len(fake.requests) == 1


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
        multipart = request.content_type == "multipart/form-data"
        body = dict(await request.post()) if multipart else await request.json()
        self.bodies.append(body)
        return self.answer(request, body)

    async def fetch(self, request: web.Request) -> web.StreamResponse:
        self.fetched.append({name.lower(): value for name, value in request.headers.items()})
        return self.files.pop(0)


@asynccontextmanager
async def compatible(answer: Answer, *, edits: bool = True) -> AsyncIterator[Compatible]:
    server = Compatible(answer)
    app = web.Application()
    app.router.add_post("/v1/images/generations", server.generate)
    if edits:
        app.router.add_post("/v1/images/edits", server.generate)
    app.router.add_get("/generated/{name}", server.fetch)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield server
    finally:
        await runner.cleanup()


def png(size: tuple[int, int] = (8, 8), image_format: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "orange").save(out, image_format)
    return out.getvalue()


def an_edit(**changes: Any) -> ImageRequest:
    base = BaseImage(png(), "image/png")
    return replace(REQUEST, base=base, change="at night", **changes)


def brings(**fields: str) -> web.Response:
    return web.json_response({"created": 1, "data": [fields]})


def brings_png() -> web.Response:
    return brings(b64_json=base64.b64encode(png()).decode())


async def test_other_models_are_asked_for_base64(backend: Backend) -> None:
    async with compatible(lambda request, body: brings_png()) as server:
        one = backend(server.base_url, model="stablediffusion", size="512x512", quality="auto")
        assert (await generate(one)).data == png()
    assert server.bodies == [
        {
            "model": "stablediffusion",
            "prompt": REQUEST.prompt,
            "size": "512x512",
            "output_format": "png",
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
        await generate(one)
        assert len(server.bodies) == 3
        await generate(one)
        assert len(server.bodies) == 4
    assert server.bodies[-1].keys() == {"model", "prompt", "size", "output_format"}


async def test_the_hash_of_the_person_is_left_out_where_it_is_not_known(backend: Backend) -> None:
    def picky(request: web.Request, body: dict[str, Any]) -> web.Response:
        return openai_words("safety_identifier") if "safety_identifier" in body else brings_png()

    async with compatible(picky) as server:
        one = backend(server.base_url)
        await generate(one)
        await generate(one)
    assert len(server.bodies) == 3


async def test_an_edit_leaves_out_what_it_turns_out_that_edits_do_not_know(
    backend: Backend,
) -> None:
    def picky(request: web.Request, body: dict[str, Any]) -> web.Response:
        edits = request.path.endswith("/edits")
        return openai_words("quality") if edits and "quality" in body else brings_png()

    async with compatible(picky) as server:
        one = backend(server.base_url, model="sd")
        for request in (an_edit(), REQUEST, an_edit()):
            await generate(one, request)
    assert ["quality" in body for body in server.bodies] == [True, False, True, False]
    assert server.bodies[1]["image"].filename == "image.png"
    assert server.bodies[1]["response_format"] == "b64_json"


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("quality", Options(quality="high")),
        ("background", Options(background="transparent")),
        ("size", Options(size="1536x864")),
    ],
)
@pytest.mark.parametrize("edits", [False, True])
async def test_what_a_person_chose_is_never_left_out(
    backend: Backend, name: str, options: Options, edits: bool
) -> None:
    def picky(request: web.Request, body: dict[str, Any]) -> web.Response:
        return openai_words(name) if name in body else brings_png()

    async with compatible(picky) as server:
        one = backend(server.base_url, model="sd", size="auto")
        plain = an_edit() if edits else REQUEST
        await generate(one, plain)
        asked = len(server.bodies)
        for _ in range(2):
            refused = await failure(one, replace(plain, options=options))
            assert refused.kind is FailureKind.BAD_REQUEST
        assert len(server.bodies) == asked + 2
        assert all(name in body for body in server.bodies[asked:])


@pytest.mark.parametrize("status", [404, 501])
async def test_a_server_that_has_no_edits(backend: Backend, status: int) -> None:
    def none(request: web.Request, body: dict[str, Any]) -> web.Response:
        return web.Response(status=status)

    async with compatible(none, edits=status != 404) as server:
        assert (await failure(backend(server.base_url), an_edit())).kind is FailureKind.WRONG_ROUTE


@pytest.mark.parametrize(
    "text",
    [
        "Unknown parameter: 'prompt'.",
        "Unknown parameter: 'n'.",
        "Invalid value for 'prompt': string too long.",
        'json: unknown field "model"',
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
        assert (await generate(backend(server.base_url))).data == png()


@pytest.mark.parametrize("absolute", [True, False])
async def test_an_address_is_fetched_without_the_key(backend: Backend, absolute: bool) -> None:
    def answer(request: web.Request, body: dict[str, Any]) -> web.Response:
        origin = str(request.url.origin()) if absolute else ""
        return brings(url=f"{origin}/generated/1.png", revised_prompt="a robot")

    async with compatible(answer) as server:
        server.files = [web.Response(status=503), web.Response(body=png())]
        image = await generate(backend(server.base_url))
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
    monkeypatch.setattr(image_download, "LARGEST_IMAGE", 1000)
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
        (lambda: web.Response(text="<html>hello</html>"), FailureKind.WRONG_ROUTE),
        (
            lambda: web.Response(text="<html>log in</html>", content_type="text/html"),
            FailureKind.WRONG_ROUTE,
        ),
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
            FailureKind.MODEL_UNAVAILABLE,
        ),
    ],
)
async def test_answers_that_are_not_as_they_should_be(
    backend: Backend, answer: Callable[[], web.Response], kind: FailureKind
) -> None:
    async with compatible(lambda request, body: answer()) as server:
        assert (await failure(backend(server.base_url))).kind is kind
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    ("options", "size"), [(Options(), "1536x960"), (Options(size="1024x1024"), "1024x1024")]
)
async def test_an_edit_has_the_shape_of_its_image_unless_somebody_chose_one(
    backend: Backend, options: Options, size: str
) -> None:
    base = BaseImage(png(), "image/png", width=1600, height=1000)
    async with compatible(lambda _, body: brings_png()) as server:
        await generate(backend(server.base_url), an_edit(options=options))
        await generate(backend(server.base_url), replace(an_edit(options=options), base=base))
    assert [body.get("size") for body in server.bodies] == [options.size or "1024x1024", size]
