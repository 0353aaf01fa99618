"""What only we asked for is given up where a server refuses it, one thing at a time; what a person
asked for never is.

Each extra is refused in one of the wordings; `tests/unit/adapters/openai/test_refusal.py` reads
each extra in each of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from itertools import cycle
from typing import Any

import pytest

from bot.adapters.openai import ImagesBackend, openai_client, response_poller
from bot.domain.failures import FailureKind, GenerationError
from bot.domain.images import BaseImage, ImageRequest
from bot.domain.options import Options
from tests import fake_openai as fakes
from tests.fake_openai import FakeOpenAI, Outcome
from tests.fakes import FakeCheckpoint
from tests.integration.responses import REQUEST, Backend, failure, shows

REGENERATED = replace(REQUEST, avoid=("a red robot",))
CHOSEN = Options(size="1536x1024", quality="high", background="transparent")


def streams(body: dict[str, Any]) -> bool:
    return bool(body.get("stream"))


def tool(body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = body["tools"][0]
    return found


def contains(name: str, body: dict[str, Any]) -> bool:
    return name in body


def tool_contains(name: str, body: dict[str, Any]) -> bool:
    return name in tool(body)


IN_CALL = ["safety_identifier", "tool_choice", "instructions", "background", "store", "stream"]
IN_TOOL = ["size", "quality", "output_format", "partial_images", "action"]
WORDINGS: list[Callable[[str], Outcome]] = [
    fakes.unknown_parameter,
    lambda name: fakes.refused(f"Unrecognized request argument supplied: {name}"),
    lambda name: fakes.refused(f"'{name}' is not supported with this model", 404, param=name),
    lambda name: fakes.refused(f"Additional properties are not allowed ('{name}' was unexpected)"),
    lambda name: fakes.refused(f"create() got an unexpected keyword argument '{name}'", 422),
]


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response_poller, "POLL", 0.01)


async def twice(fake: FakeOpenAI, one: Any, request: ImageRequest) -> None:
    """The image comes, and the next one without a refusal; no partial image is shown."""
    checkpoint = FakeCheckpoint()
    assert shows(await one.generate(request, checkpoint), fake)
    asked = len(fake.creates)
    assert shows(await one.generate(request, checkpoint), fake)
    assert len(fake.creates) == asked + 1
    assert checkpoint.partials == []
    assert fake.paid == 2


@pytest.mark.parametrize(("name", "wording"), list(zip(IN_CALL, cycle(WORDINGS), strict=False)))
async def test_an_extra_of_the_call_is_given_up(
    fake: FakeOpenAI, backend: Backend, name: str, wording: Callable[[str], Outcome]
) -> None:
    fake.when(lambda body: name in body, wording(name))
    await twice(fake, backend(quality="medium"), REGENERATED)
    kept = {"safety_identifier", "instructions", "background", "stream"} - {name}
    kept -= {"background"} if name == "store" else set()
    assert kept <= fake.creates[-1].body.keys()


@pytest.mark.parametrize(("name", "wording"), list(zip(IN_TOOL, cycle(WORDINGS), strict=False)))
@pytest.mark.parametrize("where", ["", "tools[0]."])
async def test_an_extra_of_the_tool_is_given_up(
    fake: FakeOpenAI,
    backend: Backend,
    name: str,
    wording: Callable[[str], Outcome],
    where: str,
) -> None:
    fake.when(lambda body: name in tool(body), wording(f"{where}{name}"))
    await twice(fake, backend(quality="medium"), REQUEST)
    assert set(IN_TOOL) - {name} <= tool(fake.creates[-1].body).keys()
    assert {"safety_identifier", "background", "stream"} <= fake.creates[-1].body.keys()


async def test_an_image_comes_from_a_server_that_knows_hardly_anything(
    fake: FakeOpenAI, backend: Backend
) -> None:
    for name in IN_CALL:
        fake.when(partial(contains, name), fakes.unknown_parameter(name))
    for name in IN_TOOL:
        fake.when(partial(tool_contains, name), fakes.unknown_parameter(f"tools[0].{name}"))
    await twice(fake, backend(quality="medium"), REGENERATED)
    body = fake.creates[-1].body
    assert body.keys() == {"model", "input", "tools"}
    assert tool(body).keys() == {"type", "model"}
    assert body["input"].startswith(REGENERATED.prompt)
    assert "a red robot" in body["input"]


# A stream that must have partial images


@pytest.mark.parametrize("background", [True, False])
async def test_one_partial_image_is_asked_for_where_a_stream_needs_it(
    fake: FakeOpenAI, backend: Backend, background: bool
) -> None:
    fake.when(
        lambda body: streams(body) and not tool(body).get("partial_images"),
        fakes.streaming_needs_partials(),
    )
    await twice(fake, backend(background=background), REQUEST)
    assert [tool(one.body)["partial_images"] for one in fake.creates] == [0, 1, 1]


@pytest.mark.parametrize("background", [True, False])
async def test_the_answer_comes_in_one_piece_where_there_are_no_streams(
    fake: FakeOpenAI, backend: Backend, background: bool
) -> None:
    fake.when(streams, fakes.streaming_needs_partials())
    checkpoint, one = FakeCheckpoint(), backend(background=background)
    image = await one.generate(REQUEST, checkpoint)
    assert shows(image, fake)
    assert checkpoint.started == [image.response_id]
    assert "partial_images" not in tool(fake.creates[-1].body)
    edit = replace(REQUEST, base=BaseImage(image.data, "image/png", image.response_id), change="x")
    assert shows(await one.generate(edit, FakeCheckpoint()), fake)
    assert fake.paid == 2


async def test_a_response_without_a_stream_is_taken_up_again(
    fake: FakeOpenAI, backend: Backend
) -> None:
    fake.when(streams, fakes.refused("streaming is not supported"))
    fake.hold("generating")
    checkpoint, one = FakeCheckpoint(), backend()
    running = asyncio.create_task(one.generate(REQUEST, checkpoint))
    await fake.until(lambda: checkpoint.started)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    fake.release()
    again = replace(REQUEST, response_id=checkpoint.started[0])
    assert shows(await backend().generate(again, checkpoint), fake)
    assert fake.paid == 1


# Guesses


async def test_a_vague_refusal_ends_background_mode_for_that_request_alone(
    fake: FakeOpenAI, backend: Backend
) -> None:
    fake.script(fakes.refused("Something is wrong."))
    one = backend()
    for _ in range(3):
        await one.generate(REQUEST, FakeCheckpoint())
    assert ["background" in each.body for each in fake.creates] == [True, False, True, True]
    assert fake.paid == 3


BARE = ["background", "partial_images", "stream", "quality", "size", "output_format"]


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("name", [*BARE, "safety_identifier", "action"])
async def test_an_image_comes_from_a_server_that_never_says_what_it_does_not_take(
    fake: FakeOpenAI, backend: Backend, name: str, status: int
) -> None:
    def taken_amiss(body: dict[str, Any]) -> bool:
        if name == "partial_images":
            return streams(body) and not tool(body).get(name)
        return name in body or name in tool(body)

    fake.when(taken_amiss, fakes.refused("Bad Request", status))
    one = backend(quality="medium")
    for asked in (1, 2):
        before = len(fake.creates)
        assert shows(await one.generate(REQUEST, FakeCheckpoint()), fake)
        assert len(fake.creates) - before <= 10
        assert fake.paid == asked
        assert "background" in fake.creates[before].body


@pytest.mark.parametrize(
    "words",
    [
        "Could not process background request: cannot allocate",
        "Rate of generation too high for prompt 'red cat, plain background'; cannot go on now",
        "Invalid prompt: '…plain background that must not be stored'",
        "background job could not be created",
    ],
)
async def test_everyday_words_end_background_mode_for_no_other_request(
    fake: FakeOpenAI, backend: Backend, words: str
) -> None:
    fake.script(fakes.refused(words))
    one = backend()
    prompt = "red cat, plain background that must not be stored"
    for _ in range(2):
        await one.generate(replace(REQUEST, prompt=prompt), FakeCheckpoint())
    assert ["background" in each.body for each in fake.creates] == [True, False, True]


async def test_the_prompts_own_words_stop_nothing(fake: FakeOpenAI, backend: Backend) -> None:
    prompt = "a poster about our content policy"
    words = f"Unknown parameter: 'safety_identifier' in the request '{prompt}'"
    fake.when(partial(contains, "safety_identifier"), fakes.refused(words))
    await twice(fake, backend(), replace(REQUEST, prompt=prompt))


# Other ways to refuse


@pytest.mark.parametrize("status", [403, 405, 500])
@pytest.mark.parametrize("name", ["safety_identifier", "background", "stream"])
async def test_any_status_refuses_that_names_a_parameter(
    fake: FakeOpenAI, backend: Backend, name: str, status: int
) -> None:
    words = f"litellm.APIConnectionError: unsupported parameter {name}"
    fake.when(partial(contains, name), fakes.refused(words, status))
    await twice(fake, backend(), REQUEST)


@pytest.mark.parametrize("status", [403, 405, 500])
async def test_no_other_such_refusal_is_asked_again(
    fake: FakeOpenAI, backend: Backend, status: int
) -> None:
    fake.script(fakes.refused("The background store broke.", status))
    await failure(backend())
    assert len(fake.creates) == 1


@pytest.mark.parametrize(
    ("words", "code", "kind"),
    [
        ("Prompt flagged by moderation", None, FailureKind.MODERATION),
        ("Azure OpenAI's content management policy", "400", FailureKind.MODERATION),
        ("litellm.ContentPolicyViolationError: blocked", "400", FailureKind.MODERATION),
        ("Your prompt may contain text", "contentFilter", FailureKind.MODERATION),
        ("Billing hard limit has been reached", None, FailureKind.QUOTA),
        ("API key not valid. Please pass a valid one.", "INVALID_ARGUMENT", FailureKind.BAD_KEY),
    ],
)
async def test_a_failure_told_in_words_is_not_asked_again(
    fake: FakeOpenAI, backend: Backend, words: str, code: str | None, kind: FailureKind
) -> None:
    fake.script(fakes.refused(words, code=code))
    assert (await failure(backend())).kind is kind
    assert len(fake.creates) == 1


# What a person asked for


@pytest.mark.parametrize("edits", [False, True])
@pytest.mark.parametrize("name", ["size", "quality", "background"])
@pytest.mark.parametrize("wording", WORDINGS)
async def test_what_a_person_chose_is_kept_or_the_refusal_told(
    fake: FakeOpenAI,
    backend: Backend,
    name: str,
    wording: Callable[[str], Outcome],
    edits: bool,
) -> None:
    value = CHOSEN.get(name)
    fake.when(lambda body: tool(body).get(name) == value, wording(f"tools[0].{name}"))
    request = replace(REQUEST, options=CHOSEN)
    if edits:
        data = (await backend().generate(REQUEST, FakeCheckpoint())).data
        request = replace(request, base=BaseImage(data, "image/png"), change="at night")
    paid, begun = fake.paid, len(fake.creates)
    assert (await failure(backend(), request)).kind is FailureKind.BAD_REQUEST
    assert fake.paid == paid
    assert len(fake.creates) <= begun + 4  # each guess once
    for one in fake.creates[begun:]:
        assert {key: tool(one.body)[key] for key in ("size", "quality", "background")} == {
            "size": "1536x1024",
            "quality": "high",
            "background": "transparent",
        }


async def test_what_one_person_chose_takes_nothing_from_the_others(
    fake: FakeOpenAI, backend: Backend
) -> None:
    fake.when(
        lambda body: tool(body)["size"] == "3840x2160" and "quality" in tool(body),
        fakes.refused("Quality 'medium' is not supported at this size.", param="tools[0].quality"),
    )
    one = backend(quality="medium")
    await one.generate(replace(REQUEST, options=Options(size="3840x2160")), FakeCheckpoint())
    await one.generate(REQUEST, FakeCheckpoint())
    qualities = [tool(each.body).get("quality") for each in fake.creates]
    assert qualities == ["medium", None, "medium"]


# The Images API


@pytest.fixture
async def images(fake: FakeOpenAI) -> AsyncIterator[ImagesBackend]:
    client = openai_client(fake.api_key, fake.base_url)
    backend = ImagesBackend(
        client, model="gpt-image-2.5-flare", size="1024x1024", quality="medium", timeout=30
    )
    yield backend
    await backend.close()


OF_IMAGES = ["size", "quality", "output_format", "safety_identifier"]


@pytest.mark.parametrize("wording", WORDINGS)
@pytest.mark.parametrize("name", OF_IMAGES)
async def test_the_images_api_gives_up_the_same(
    fake: FakeOpenAI, images: ImagesBackend, name: str, wording: Callable[[str], Outcome]
) -> None:
    fake.when(lambda body: name in body, wording(name))
    for _ in range(2):
        assert shows(await images.generate(REQUEST, FakeCheckpoint()), fake)
    assert [name in one.body for one in fake.creates] == [True, False, False]
    assert set(OF_IMAGES) - {name} <= fake.creates[-1].body.keys()


@pytest.mark.parametrize("value", ["medium", "1024x1024"])
async def test_a_value_of_the_settings_that_a_server_does_not_have(
    fake: FakeOpenAI, images: ImagesBackend, value: str
) -> None:
    """Such as a server that knows the qualities `standard` and `hd`."""
    words = f"Invalid value: '{value}'. Supported values are: 'standard', 'hd', '512x512'."
    fake.when(lambda body: value in body.values(), fakes.refused(words))
    assert shows(await images.generate(REQUEST, FakeCheckpoint()), fake)
    assert fake.paid == 1


@pytest.mark.parametrize(
    "refusal",
    [
        fakes.refused("Bad Request"),
        fakes.refused("Unprocessable", 422),
        fakes.refused("Input should be 'standard' or 'hd'"),
        fakes.refused("value is not a valid enumeration member; permitted: 'standard', 'hd'"),
        fakes.refused("medium is not one of standard, hd"),
        fakes.refused("medium"),
        fakes.refused("KeyError: 'medium'", 500),
    ],
)
async def test_an_image_comes_from_a_server_with_other_qualities(
    fake: FakeOpenAI, images: ImagesBackend, refusal: Outcome
) -> None:
    fake.when(partial(contains, "quality"), refusal)
    for _ in range(2):
        assert shows(await images.generate(REQUEST, FakeCheckpoint()), fake)
    assert len(fake.creates) <= 4
    assert set(OF_IMAGES) - {"quality"} <= fake.creates[-1].body.keys()


@pytest.mark.parametrize("name", ["size", "quality", "background"])
async def test_the_images_api_keeps_what_a_person_chose(
    fake: FakeOpenAI, images: ImagesBackend, name: str
) -> None:
    fake.when(lambda body: name in body, fakes.unknown_parameter(name))
    with pytest.raises(GenerationError):
        await images.generate(replace(REQUEST, options=CHOSEN), FakeCheckpoint())
    assert all(one.body[name] == CHOSEN.get(name) for one in fake.creates)
    assert fake.paid == 0


async def test_a_vague_refusal_of_the_images_api_costs_nothing_for_long(
    fake: FakeOpenAI, images: ImagesBackend
) -> None:
    fake.when(lambda body: "safety_identifier" in body, fakes.refused("Bad request"))
    for _ in range(2):
        await images.generate(REQUEST, FakeCheckpoint())
    held = ["safety_identifier" in one.body for one in fake.creates]
    assert held == [True, True, False] * 2
    assert fake.paid == 2
