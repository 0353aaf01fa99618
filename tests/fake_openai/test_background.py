"""Background responses: resumed, cancelled, forgotten."""

import asyncio
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from tests import fake_openai as fo
from tests.fake_openai import FakeOpenAI
from tests.fake_openai.problems import no_such_previous

from .conftest import CALL, result, stream, stream_into, types


async def resume(client: AsyncOpenAI, response_id: str, after: int) -> list[Any]:
    events = await client.responses.retrieve(response_id, stream=True, starting_after=after)
    return [event async for event in events]


async def test_background_stream_says_that_it_is_queued(
    fake: FakeOpenAI, client: AsyncOpenAI
) -> None:
    events = await stream(client, background=True)
    assert types(events)[:3] == ["created", "queued", "in_progress"]
    assert events[0].response.status == "queued"


@pytest.mark.parametrize("at", ["created", "generating", "image", "item_done"])
async def test_dropped_background_stream_is_resumed(
    fake: FakeOpenAI, client: AsyncOpenAI, at: Any
) -> None:
    fake.script(fo.connection_dropped(at))
    events: list[Any] = []
    with pytest.raises(openai.APIConnectionError):
        await stream_into(events, client, background=True)
    cursor = events[-1].sequence_number
    rest = await resume(client, events[0].response.id, cursor)
    assert [event.sequence_number for event in events + rest] == list(range(9))
    assert result(events + rest)
    assert fake.paid == 1


async def test_resumed_stream_is_live(fake: FakeOpenAI, client: AsyncOpenAI) -> None:
    fake.script(fo.held("generating"))
    call = asyncio.create_task(stream(client, background=True))
    await fake.until_held()
    call.cancel()
    response_id = fake.creates[0].response_id or ""
    rest = asyncio.create_task(resume(client, response_id, 2))
    await fake.until(lambda: fake.requests[-1].sent == 3)
    assert (await client.responses.retrieve(response_id)).status == "in_progress"
    fake.release()
    assert types(await rest)[-1] == "completed"


async def test_background_without_stream_is_polled(fake: FakeOpenAI, client: AsyncOpenAI) -> None:
    response = await client.responses.create(**CALL | {"background": True})
    assert response.status == "queued"
    await fake.until(lambda: fake.in_flight == 0)
    assert (await client.responses.retrieve(response.id)).status == "completed"
    with pytest.raises(openai.BadRequestError):
        await resume(client, response.id, 0)


async def test_cancelled_response_ends_without_a_terminal_event(
    fake: FakeOpenAI, client: AsyncOpenAI
) -> None:
    fake.script(fo.held("generating"))
    call = asyncio.create_task(stream(client, background=True))
    await fake.until_held()
    response_id = fake.creates[0].response_id or ""
    for _ in range(2):
        assert (await client.responses.cancel(response_id)).status == "cancelled"
    assert types(await call)[-1] == "call.generating"
    assert fake.paid == 0


async def test_plain_call_works_where_background_is_refused(
    fake: FakeOpenAI, client: AsyncOpenAI
) -> None:
    fake.always(fo.background_unsupported())
    with pytest.raises(openai.BadRequestError) as caught:
        await stream(client, background=True)
    assert caught.value.param == "background"
    assert result(await stream(client))


async def test_deleted_forgotten_and_unstored_responses_are_gone(
    fake: FakeOpenAI, client: AsyncOpenAI
) -> None:
    ids = [(await client.responses.create(**CALL)).id for _ in range(2)]
    ids.append((await client.responses.create(**CALL | {"store": False})).id)
    await client.responses.delete(ids[0])
    fake.forget(ids[1])
    for response_id in ids:
        with pytest.raises(openai.NotFoundError):
            await client.responses.retrieve(response_id)
        with pytest.raises(openai.BadRequestError) as caught:
            await stream(client, previous_response_id=response_id)
        assert caught.value.code == "previous_response_not_found"
    fake.previous_not_found = lambda response_id: no_such_previous(response_id, 404)
    with pytest.raises(openai.NotFoundError):
        await stream(client, previous_response_id=ids[0])


async def test_previous_response_can_be_lost_on_demand(
    fake: FakeOpenAI, client: AsyncOpenAI
) -> None:
    fake.always(fo.previous_response_not_found())
    first = await client.responses.create(**CALL)
    with pytest.raises(openai.BadRequestError) as caught:
        await stream(client, previous_response_id=first.id)
    assert caught.value.code == "previous_response_not_found"


async def test_reads_fail_on_demand(fake: FakeOpenAI, client: AsyncOpenAI) -> None:
    response = await client.responses.create(**CALL)
    fake.script_reads(fo.server_error(503), fo.connection_dropped())
    with pytest.raises(openai.InternalServerError):
        await client.responses.retrieve(response.id)
    with pytest.raises(openai.APIConnectionError):
        await client.models.retrieve("gpt-5.6-luna")
    assert (await client.responses.retrieve(response.id)).id == response.id
