"""Servers that accept a call, and refuse a parameter of it inside the stream."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from bot.domain.costs import Usage
from bot.domain.failures import FailureKind, GenerationError
from tests.fakes import FakeCheckpoint
from tests.integration.test_responses_odd_servers import (
    CREATED,
    DONE,
    OddServer,
    call_item,
    events,
    generate,
    kind_raised,
    server,
)

__all__ = ["generate", "server"]

NAMES = ["background", "action", "size"]


def error(name: str) -> dict[str, Any]:
    return {"code": "unknown_parameter", "message": f"Unknown parameter: '{name}'", "param": name}


def failed(name: str, **fields: Any) -> list[dict[str, Any]]:
    said = {"code": "invalid_request", "message": error(name)["message"]}
    ended = {"id": "resp_1", "status": "failed", "error": said, "output": [], **fields}
    return [CREATED, {"type": "response.failed", "response": ended}]


REFUSALS = [
    lambda name: [{"type": "error", **error(name)}],
    lambda name: [{"error": error(name)}],
    lambda name: [CREATED, {"type": "error", "error": error(name)}],
    failed,
    lambda name: failed(name, background=True),
]


def refuse(server: OddServer, name: str, entries: list[Any]) -> None:
    def picky(body: dict[str, Any]) -> web.Response:
        taken_amiss = name in body or name in body["tools"][0]
        return events(*entries) if taken_amiss else events(DONE)

    server.picky = picky


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("name", NAMES)
async def test_it_is_given_up(server: OddServer, generate: Any, name: str, refusal: Any) -> None:
    refuse(server, name, refusal(name))
    for _ in range(2):
        await generate()
    assert len(server.bodies) == 3


async def test_a_refusal_that_was_paid_for_is_a_call_of_its_own(
    server: OddServer, generate: Any
) -> None:
    took = {"input_tokens": 50, "output_tokens": 9}
    refuse(server, "action", failed("action", usage=took))
    checkpoint = FakeCheckpoint()
    await generate(checkpoint=checkpoint)
    assert checkpoint.ended == [(Usage(host_in=50, host_out=9), False)]
    assert checkpoint.asked == len(server.bodies) == 2


async def test_so_is_one_that_was_carried_out_and_tells_no_usage(
    server: OddServer, generate: Any
) -> None:
    ended = {"id": "resp_1", "status": "completed", "error": error("action"), "output": []}
    refuse(server, "action", [CREATED, {"type": "response.completed", "response": ended}])
    checkpoint = FakeCheckpoint()
    await generate(checkpoint=checkpoint)
    assert checkpoint.ended == [(None, True)]
    assert checkpoint.asked == len(server.bodies) == 2


@pytest.mark.parametrize(
    "begun",
    [
        {"type": "response.output_item.added", "item": call_item()},
        {"type": "response.image_generation_call.generating"},
    ],
)
async def test_not_where_an_image_was_begun(
    server: OddServer, generate: Any, begun: dict[str, Any]
) -> None:
    refuse(server, "action", [CREATED, begun, {"type": "error", **error("action")}])
    assert await kind_raised(generate) is FailureKind.BAD_REQUEST
    assert len(server.bodies) == 1


async def test_no_other_error_is_asked_again(server: OddServer, generate: Any) -> None:
    said = {"type": "error", "code": "server_error", "message": "The background broke."}
    refuse(server, "action", [said])
    assert await kind_raised(generate) is FailureKind.PROVIDER_DOWN
    assert len(server.bodies) == 1


DETAILS = {"categories": ["violence", "hate"], "moderation_stage": "output"}
BLOCKED = {"code": "moderation_blocked", "message": "no", "moderation_details": DETAILS}


@pytest.mark.parametrize(
    "entries",
    [
        [{"type": "error", **BLOCKED}],
        [{"error": BLOCKED}],
        [CREATED, {"type": "response.failed", "response": {"status": "failed", "error": BLOCKED}}],
        [
            CREATED,
            {"type": "response.output_item.done", "item": call_item(error=BLOCKED)},
            {"type": "response.completed", "response": {"id": "resp_1", "status": "completed"}},
        ],
        [
            {
                "type": "response.output_item.done",
                "item": call_item(error={"message": "no"} | {"moderation_details": DETAILS}),
            },
            {"type": "response.failed", "response": {"status": "failed"}},
        ],
    ],
)
async def test_the_categories_of_a_moderation_come_along(
    server: OddServer, generate: Any, entries: list[Any]
) -> None:
    server.answers = [events(*entries)]
    with pytest.raises(GenerationError) as caught:
        await generate()
    assert caught.value.kind is FailureKind.MODERATION
    assert caught.value.details == ("violence", "hate")
