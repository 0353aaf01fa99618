"""What the fake refuses, remembers and lists; how it lives."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from bot.sandbox import PATIENCE
from tests.fake_openai import FakeOpenAI
from tests.fake_openai.sdk_check import complaints

from .conftest import TOOL, stream


def part(**image: str) -> list[Any]:
    content = [{"type": "input_text", "text": "x"}, {"type": "input_image", **image}]
    return [{"role": "user", "content": content}]


def tool(**options: Any) -> dict[str, Any]:
    return {"tools": [{**TOOL, **options}]}


WRONG: list[tuple[dict[str, Any], str]] = [
    (tool(size="1000x1000"), "tools[0].size"),
    (tool(size="256x1024"), "tools[0].size"),
    (tool(size="3840x3840"), "tools[0].size"),
    (tool(quality="best"), "tools[0].quality"),
    (tool(model="gpt-image-1.5", quality="max"), "tools[0].quality"),
    (tool(model="gpt-image-1.5", size="1536x864"), "tools[0].size"),
    (tool(model="gpt-5.6-luna"), "tools[0].model"),
    (tool(n=2), "tools[0].n"),
    (tool(partial_images=4), "tools[0].partial_images"),
    (tool(partial_images="2"), "tools[0].partial_images"),
    (tool(action="paint"), "tools[0].action"),
    (tool(action="edit"), "tools[0].action"),
    (tool(output_format="bmp"), "tools[0].output_format"),
    (tool(output_format="jpeg", background="transparent"), "tools[0].background"),
    ({"tools": [{"type": "dalle"}]}, "tools[0].type"),
    ({"tools": []}, "tool_choice"),
    ({"tool_choice": {"type": "image"}}, "tool_choice"),
    ({"model": "gpt-image-2.5-flare"}, "model"),
    ({"input": ""}, "input"),
    ({"input": "x" * 32_001}, "input"),
    ({"input": part(image_url="data:image/png;base64,AAAA")}, "input[0].content[1].image_url"),
    ({"input": part(image_url="file:///x.png")}, "input[0].content[1].image_url"),
    ({"input": part(url="x")}, "input[0].content[1].url"),
    ({"safety_identifier": "x" * 129}, "safety_identifier"),
    ({"metadata": {str(n): "x" for n in range(17)}}, "metadata"),
    ({"metadata": {"k": "v" * 513}}, "metadata"),
    ({"background": True, "store": False}, "background"),
    ({"extra_body": {"prompt_id": 1}}, "prompt_id"),
]


@pytest.mark.parametrize(("changes", "param"), WRONG)
async def test_wrong_request_is_a_400_that_names_the_parameter(
    fake: FakeOpenAI, client: AsyncOpenAI, changes: dict[str, Any], param: str
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await stream(client, **changes)
    assert (caught.value.param, fake.paid) == (param, 0)


@pytest.mark.parametrize("size", ["auto", "1536x864", "3840x2160", "2160x3840", "1024x1536"])
async def test_right_sizes(fake: FakeOpenAI, client: AsyncOpenAI, size: str) -> None:
    fake.latency = 0
    metadata = {str(n): "x" * 512 for n in range(16)}
    await stream(client, **tool(size=size), metadata=metadata, safety_identifier="x" * 128)


async def test_requests_are_recorded(fake: FakeOpenAI, client: AsyncOpenAI) -> None:
    await stream(client, input="hello", extra_headers={"X-Client-Request-Id": "r1"})
    record = fake.requests[0]
    assert (record.method, record.path, record.status) == ("POST", "/v1/responses", 200)
    assert record.body["input"] == "hello"
    assert record.headers["x-client-request-id"] == "r1"
    assert record.at > 0
    assert record.outcome == "success"
    assert not record.disconnected


async def test_wrong_key(fake: FakeOpenAI) -> None:
    async with AsyncOpenAI(base_url=fake.base_url, api_key="sk-wrong", max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError) as caught:
            await client.models.list()
    assert caught.value.code == "invalid_api_key"


async def test_models(fake: FakeOpenAI, client: AsyncOpenAI) -> None:
    fake.models["gpt-image-2.5-flare"]["shutdown_date"] = "2027-03-01"
    assert (await client.models.retrieve("gpt-image-2.5-flare")).shutdown_date == "2027-03-01"
    assert (await client.models.retrieve("gpt-5.6-luna")).shutdown_date is None
    assert len([model async for model in client.models.list()]) == len(fake.models)
    with pytest.raises(openai.NotFoundError) as caught:
        await client.models.retrieve("gpt-image-9")
    assert caught.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError):
        await stream(client, **tool(model="gpt-image-9"))


async def test_restart_on_the_same_port(fake: FakeOpenAI, client: AsyncOpenAI) -> None:
    await stream(client)
    await fake.stop()
    with pytest.raises(openai.APIConnectionError):
        await stream(client)
    await fake.start()
    await stream(client)
    assert fake.paid == 2


async def test_what_the_types_forbid_is_noticed() -> None:
    model = {"id": "x", "object": "model", "created": 1, "owned_by": "system"}
    assert complaints("model", model) == []
    assert complaints("model", {**model, "created": "1"})
    assert complaints("model", {**model, "colour": "red"}) == ["model: unknown field .colour"]
    fake = FakeOpenAI()
    with pytest.raises(AssertionError, match="colour"):
        async with fake:
            fake.check("model", {**model, "colour": "red"})


async def test_runs_as_a_process() -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.fake_openai", "--latency", "0"]
    process = await asyncio.create_subprocess_exec(*command, cwd=root, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode()
        said = dict(word.split("=", 1) for word in line.split())
        async with AsyncOpenAI(
            base_url=said["OPENAI_BASE_URL"], api_key=said["OPENAI_API_KEY"]
        ) as client:
            assert (await stream(client))[-1].type == "response.completed"
    finally:
        process.terminate()
        status = await asyncio.wait_for(process.wait(), PATIENCE)
    assert status == 0
