"""The Responses backend against servers that say less than OpenAI, or nonsense."""

import base64
import io
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web
from PIL import Image

from bot.adapters.openai import ResponsesBackend, client, openai_client, response_poller
from bot.domain.failures import FailureKind, GenerationError
from bot.domain.images import BaseImage, GeneratedImage, ImageRequest
from tests.fakes import FakeCheckpoint


class OddServer:
    """Answers each POST with the next of `answers`, and each GET with the next of `reads`;
    `picky` may refuse a body first."""

    def __init__(self) -> None:
        self.answers: list[web.Response] = []
        self.reads: list[web.Response] = []
        self.bodies: list[dict[str, Any]] = []
        self.base_url = ""
        self.picky: Callable[[dict[str, Any]], web.Response | None] = lambda body: None

    async def create(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.json())
        if refusal := self.picky(self.bodies[-1]):
            return refusal
        return self.answers.pop(0)

    async def retrieve(self, request: web.Request) -> web.StreamResponse:
        return self.reads.pop(0) if self.reads else web.Response(status=404)


@pytest.fixture
async def server() -> AsyncIterator[OddServer]:
    odd = OddServer()
    app = web.Application()
    app.router.add_post("/v1/responses", odd.create)
    app.router.add_get("/v1/responses/{id}", odd.retrieve)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    odd.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield odd
    finally:
        await runner.cleanup()


@pytest.fixture
async def generate(server: OddServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    monkeypatch.setattr(client, "FREE_RETRIES", 0)
    monkeypatch.setattr(response_poller, "POLL", 0.01)
    backend = ResponsesBackend(
        openai_client("", server.base_url),
        model="sd",
        host_model="llm",
        size="512x512",
        quality="auto",
        timeout=30,
        background=True,
    )

    async def call(
        response_id: str = "",
        base: BaseImage | None = None,
        checkpoint: FakeCheckpoint | None = None,
    ) -> GeneratedImage:
        request = ImageRequest("a robot", response_id=response_id, base=base, change="smile")
        checkpoint = checkpoint or FakeCheckpoint()
        try:
            return await backend.generate(request, checkpoint)
        finally:
            assert set(checkpoint.started) <= {"resp_1"}
            assert checkpoint.partials == []

    yield call
    await backend.close()


def png() -> str:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "orange").save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def call_item(**fields: object) -> dict[str, object]:
    return {"type": "image_generation_call", "id": "ig_1", "status": "completed", **fields}


def events(*entries: object) -> web.Response:
    lines = (one if isinstance(one, str) else json.dumps(one) for one in entries)
    text = "".join(f"data: {line}\n\n" for line in lines)
    return web.Response(text=text, content_type="text/event-stream")


DONE = {"type": "response.output_item.done", "item": call_item(result=png())}
CREATED = {"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}}


async def kind_raised(generate: Any, *args: str) -> FailureKind:
    with pytest.raises(GenerationError) as caught:
        await generate(*args)
    return caught.value.kind


@pytest.mark.parametrize(
    "entries",
    [
        [DONE],
        [CREATED, DONE, "[DONE]"],
        [{"type": "response.completed", "response": {"output": [call_item(result=png())]}}],
        [
            CREATED,
            DONE,
            {"type": "response.failed", "response": {"id": "resp_1", "status": "failed"}},
        ],
        [DONE, '{"type": "resp'],
        [{"hello": "world"}, DONE],
    ],
)
async def test_an_image_is_taken_wherever_it_is(
    server: OddServer, generate: Any, entries: list[object]
) -> None:
    server.answers = [events(*entries)]
    assert (await generate()).width == 8
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    ("entries", "kind"),
    [
        ([], FailureKind.STREAM_ENDED),
        (["[DONE]"], FailureKind.STREAM_ENDED),
        ([CREATED, "[DONE]"], FailureKind.STREAM_ENDED),
        ([CREATED, '{"type": "resp'], FailureKind.PROVIDER_DOWN),
        ([{"type": "error", "message": "oops"}], FailureKind.PROVIDER_DOWN),
        ([{"type": "response.completed"}], FailureKind.NO_IMAGE),
        ([{"type": "response.failed"}], FailureKind.PROVIDER_DOWN),
        (
            [
                {"type": "response.output_item.done", "item": call_item(result=None)},
                {"type": "response.completed", "response": {"output": None}},
            ],
            FailureKind.NO_IMAGE,
        ),
        (
            [
                {
                    "type": "response.output_item.done",
                    "item": {
                        "type": "message",
                        "content": [{"type": "refusal", "refusal": "I won't."}],
                    },
                },
                {"type": "response.completed"},
            ],
            FailureKind.DECLINED,
        ),
    ],
)
async def test_no_image_whatever_else_is_said(
    server: OddServer, generate: Any, entries: list[object], kind: FailureKind
) -> None:
    server.answers = [events(*entries)]
    assert await kind_raised(generate) is kind
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (web.Response(text="<html>hello</html>"), FailureKind.STREAM_ENDED),
        (web.Response(text="<html>", content_type="text/html"), FailureKind.WRONG_ROUTE),
        (web.Response(status=404), FailureKind.WRONG_ROUTE),
        (web.Response(status=418, text="teapot"), FailureKind.BAD_REQUEST),
    ],
)
async def test_a_server_that_does_not_speak_this_api(
    server: OddServer, generate: Any, answer: web.Response, kind: FailureKind
) -> None:
    server.answers = [answer]
    assert await kind_raised(generate) is kind
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    "refusal",
    [
        web.json_response(
            {"detail": [{"loc": ["body", "tools", 0, "action"], "msg": "Extra inputs"}]},
            status=422,
        ),
        web.json_response({"error": "tools.0.action: Input should be 'auto'"}, status=400),
        web.Response(text='json: unknown field "action"', status=400),
    ],
)
async def test_the_action_is_left_out_for_servers_that_do_not_know_it(
    server: OddServer, generate: Any, refusal: web.Response
) -> None:
    server.answers = [refusal, events(DONE), events(DONE)]
    await generate()
    await generate(base=BaseImage(base64.b64decode(png()), "image/png"))
    assert ["action" in body["tools"][0] for body in server.bodies] == [True, False, False]
    assert ["background" in body for body in server.bodies] == [True, True, True]


async def test_a_refusal_of_the_action_that_helps_nothing_is_forgotten(
    server: OddServer, generate: Any
) -> None:
    refusals = [web.Response(text='unknown field "action"', status=400) for _ in range(12)]
    server.answers = [*refusals, events(DONE)]
    assert await kind_raised(generate) is FailureKind.BAD_REQUEST
    tried = len(server.bodies)
    server.answers = [events(DONE)]
    await generate()
    assert "action" in server.bodies[tried]["tools"][0]
    assert "background" in server.bodies[tried]
    assert len(server.bodies) == tried + 1 <= 10


NO_STATE = [
    (400, {"error": {"message": "Invalid `previous_response_id`.", "code": "invalid_request"}}),
    (400, {"error": {"message": "x", "param": "previous_response_id"}}),
    (400, {"error": {"message": "oops"}}),
    (404, {"error": {"message": "Item with id 'rs_1' not found."}}),
    (404, {"detail": "Not Found"}),
    (410, {"error": "gone"}),
    (422, {"detail": [{"loc": ["body", "previous_response_id"], "msg": "Extra inputs"}]}),
    (400, {"error": {"message": "Previous response can't be used with Zero Data Retention."}}),
    (400, {"error": {"message": "Action 'edit' needs an image.", "param": "tools[0].action"}}),
]


@pytest.mark.parametrize(("status", "words"), NO_STATE)
async def test_an_image_that_the_server_lacks_is_sent_along_however_it_says_so(
    server: OddServer, generate: Any, status: int, words: dict[str, Any]
) -> None:
    def refuses(body: dict[str, Any]) -> bool:
        return "previous_response_id" in body

    server.picky = lambda body: web.json_response(words, status=status) if refuses(body) else None
    server.answers = [events(CREATED, DONE), events(DONE)]
    base = BaseImage(base64.b64decode(png()), "image/png", "resp_0")
    assert (await generate(base=base)).width == 8
    assert not refuses(server.bodies[-1])
    assert server.bodies[-1]["input"][0]["content"][1]["image_url"].endswith(png())
    assert server.bodies[-1]["tools"][0]["action"] == "edit"
    assert server.bodies[-1]["background"]
    await generate()
    assert server.bodies[-1]["tools"][0]["action"] == "generate"
    assert server.bodies[-1]["background"]


@pytest.mark.parametrize(("status", "code"), [(400, "moderation_blocked"), (429, ""), (403, "")])
async def test_other_refusals_do_not_send_the_image_along(
    server: OddServer, generate: Any, status: int, code: str
) -> None:
    error = {"code": code, "message": "previous_response_id not found"}
    server.answers = [web.json_response({"error": error}, status=status)]
    await kind_raised(lambda: generate(base=BaseImage(base64.b64decode(png()), "", "resp_0")))
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    "refusal",
    [
        web.json_response(
            {"detail": [{"loc": ["body", "background"], "msg": "Extra inputs are not permitted"}]},
            status=422,
        ),
        web.json_response({"error": "storing responses is unsupported"}, status=400),
        web.Response(text='json: unknown field "store"', status=400),
    ],
)
async def test_background_mode_is_given_up_for_servers_that_lack_it(
    server: OddServer, generate: Any, refusal: web.Response
) -> None:
    server.answers = [refusal, events(DONE), events(DONE)]
    await generate()
    await generate()
    assert ["background" in body for body in server.bodies] == [True, False, False]


async def test_a_moderated_prompt_about_a_background_is_not_sent_twice(
    server: OddServer, generate: Any
) -> None:
    error = {"code": "moderation_blocked", "message": "rejected: a store in the background"}
    server.answers = [web.json_response({"error": error}, status=400)]
    assert await kind_raised(generate) is FailureKind.MODERATION
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    "read",
    [
        web.Response(text="<html>hello</html>"),
        web.json_response({"hello": "world"}),
        web.json_response([1]),
        web.Response(text='{"id": ', content_type="application/json"),
    ],
)
async def test_nonsense_about_an_earlier_response(
    server: OddServer, generate: Any, read: web.Response
) -> None:
    server.reads = [read]
    server.answers = [events(DONE)]
    if read.text == '{"id": ':
        assert await kind_raised(generate, "resp_1") is FailureKind.PROVIDER_DOWN
        assert server.bodies == []
    else:
        assert (await generate("resp_1")).width == 8


async def test_an_earlier_response_is_polled_until_it_is_there(
    server: OddServer, generate: Any
) -> None:
    under_way = {"id": "resp_1", "status": "in_progress"}
    done = {"id": "resp_1", "status": "completed", "output": [call_item(result=png())]}
    server.reads = [web.json_response(one) for one in (under_way, under_way, done)]
    assert (await generate("resp_1")).response_id == "resp_1"
    assert server.bodies == []
