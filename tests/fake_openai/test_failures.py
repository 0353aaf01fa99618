"""How each failure reaches a program that uses the SDK."""

import asyncio
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from tests import fake_openai as fo
from tests.fake_openai import FakeOpenAI, Outcome

from .conftest import CALL, result, stream, stream_into, types

REFUSED: list[tuple[Outcome, type[openai.APIStatusError], int, str | None]] = [
    (fo.moderation_400(), openai.BadRequestError, 400, "moderation_blocked"),
    (fo.bad_request("invalid_value", "size"), openai.BadRequestError, 400, "invalid_value"),
    (fo.insufficient_quota(), openai.RateLimitError, 429, "insufficient_quota"),
    (fo.billing_hard_limit_reached(), openai.RateLimitError, 429, "billing_hard_limit_reached"),
    (fo.billing_hard_limit_reached(400), openai.BadRequestError, 400, "billing_hard_limit_reached"),
    (fo.credit_balance_exhausted(), openai.RateLimitError, 429, "credit_balance_exhausted"),
    (fo.limit_exceeded(), openai.RateLimitError, 429, "project_spend_limit_exceeded"),
    (fo.rate_limited(), openai.RateLimitError, 429, "rate_limit_exceeded"),
    (fo.rate_limited(2, "slow_down"), openai.RateLimitError, 429, "slow_down"),
    (fo.rate_limited(2, "slow_down", status=503), openai.InternalServerError, 503, "slow_down"),
    (fo.invalid_api_key(), openai.AuthenticationError, 401, "invalid_api_key"),
    (fo.org_not_verified(), openai.PermissionDeniedError, 403, None),
    (fo.model_not_found(), openai.NotFoundError, 404, "model_not_found"),
    (fo.server_error(), openai.InternalServerError, 500, "server_error"),
]


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize(("outcome", "kind", "status", "code"), REFUSED)
async def test_refused_call_raises(
    fake: FakeOpenAI,
    client: AsyncOpenAI,
    outcome: Outcome,
    kind: type[openai.APIStatusError],
    status: int,
    code: str | None,
    streamed: bool,
) -> None:
    fake.script(outcome)
    with pytest.raises(kind) as caught:
        await client.responses.create(**CALL | {"stream": streamed})
    assert (caught.value.status_code, caught.value.code) == (status, code)
    assert caught.value.request_id
    assert isinstance(caught.value.body, dict)
    assert "error" not in caught.value.body
    assert fake.paid == 0


async def test_moderation_details_are_in_the_body(fake: FakeOpenAI, client: AsyncOpenAI) -> None:
    fake.script(fo.moderation_400())
    with pytest.raises(openai.BadRequestError) as caught:
        await stream(client)
    body: Any = caught.value.body
    assert caught.value.type == "image_generation_user_error"
    assert body["moderation_details"]["categories"] == ["violence"]


async def test_html_error_has_a_text_body_and_no_code(
    fake: FakeOpenAI, client: AsyncOpenAI
) -> None:
    fake.script(fo.server_error(502, html=True))
    with pytest.raises(openai.InternalServerError) as caught:
        await stream(client)
    assert isinstance(caught.value.body, str)
    assert caught.value.code is None


@pytest.mark.parametrize("value", [7, 0.5, "Wed, 01 Dec 2027 00:00:00 GMT", None])
async def test_retry_after_is_a_response_header(
    fake: FakeOpenAI, client: AsyncOpenAI, value: float | str | None
) -> None:
    fake.script(fo.rate_limited(value, milliseconds=True))
    with pytest.raises(openai.RateLimitError) as caught:
        await stream(client)
    headers = caught.value.response.headers
    assert headers.get("retry-after") == (None if value is None else str(value))
    assert headers.get("retry-after-ms") == (
        str(int(value * 1000)) if isinstance(value, int | float) else None
    )


async def test_sdk_retries_billing_errors_unless_told_not_to(fake: FakeOpenAI) -> None:
    fake.script(fo.insufficient_quota())
    async with AsyncOpenAI(base_url=fake.base_url, api_key=fake.api_key, max_retries=1) as client:
        await client.responses.create(**CALL)
    assert len(fake.creates) == 2


async def test_flat_stream_error_is_yielded(fake: FakeOpenAI, client: AsyncOpenAI) -> None:
    fake.script(fo.moderation_stream_error())
    last = (await stream(client))[-1]
    assert (last.type, last.code) == ("error", "moderation_blocked")


async def test_nested_stream_error_is_raised(fake: FakeOpenAI, client: AsyncOpenAI) -> None:
    fake.script(fo.moderation_stream_error(nested=True))
    with pytest.raises(openai.APIError) as caught:
        await stream(client)
    assert type(caught.value) is openai.APIError
    assert caught.value.code == "moderation_blocked"


async def test_failed_item_comes_before_response_failed(
    fake: FakeOpenAI, client: AsyncOpenAI
) -> None:
    fake.script(fo.moderation_failed_item(), fo.moderation_failed_item(response_completes=True))
    events = await stream(client)
    item = events[-2].item
    assert (item.status, item.result, item.error.code) == ("failed", None, "moderation_blocked")
    assert events[-1].type == "response.failed"
    assert events[-1].response.error.code == "image_content_policy_violation"
    assert types(await stream(client))[-2:] == ["output_item.done", "completed"]


async def test_failed_response_is_yielded(fake: FakeOpenAI, client: AsyncOpenAI) -> None:
    fake.script(fo.response_failed(), fo.response_failed("insufficient_quota", checked=False))
    for code in ("server_error", "insufficient_quota"):
        last = (await stream(client))[-1]
        assert (last.type, last.response.status) == ("response.failed", "failed")
        assert last.response.error.code == code
    assert fake.paid == 0


async def test_incomplete_response_is_yielded(fake: FakeOpenAI, client: AsyncOpenAI) -> None:
    fake.script(fo.incomplete("content_filter"))
    last = (await stream(client))[-1]
    assert last.type == "response.incomplete"
    assert last.response.incomplete_details.reason == "content_filter"


async def test_refusal_in_words_completes(fake: FakeOpenAI, client: AsyncOpenAI) -> None:
    fake.script(fo.refusal_in_words("No."), fo.completed_without_anything())
    events = await stream(client)
    assert events[-1].type == "response.completed"
    assert events[-1].response.output_text == "No."
    empty = await client.responses.create(**CALL)
    assert (empty.status, empty.output, fake.paid) == ("completed", [], 0)


async def test_stream_can_end_silently(fake: FakeOpenAI, client: AsyncOpenAI) -> None:
    fake.script(fo.ends_silently(), fo.ends_silently(with_image=True))
    events = await stream(client)
    assert types(events)[-1] == "call.generating"
    assert result(events) is None
    assert result(await stream(client))
    await fake.until(lambda: fake.paid == 2)


@pytest.mark.parametrize(("at", "count"), [("created", 1), (3, 3), ("image", 5), ("item_done", 7)])
async def test_dropped_stream_raises_after_what_came(
    fake: FakeOpenAI, client: AsyncOpenAI, at: Any, count: int
) -> None:
    fake.script(fo.connection_dropped(at))
    events: list[Any] = []
    with pytest.raises(openai.APIConnectionError) as caught:
        await stream_into(events, client)
    assert len(events) == count
    assert not isinstance(caught.value, openai.APITimeoutError)
    await fake.until(lambda: fake.paid == 1)
    assert fake.creates[0].disconnected
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve(fake.made[0].response_id)


@pytest.mark.parametrize("paid", [True, False])
async def test_connection_dropped_before_any_byte(
    fake: FakeOpenAI, client: AsyncOpenAI, paid: bool
) -> None:
    fake.script(fo.connection_dropped(paid=paid))
    with pytest.raises(openai.APIConnectionError):
        await stream(client)
    await fake.until(lambda: fake.in_flight == 0)
    assert fake.paid == paid


@pytest.mark.parametrize("at", ["request", "created", "item_done"])
async def test_hanging_runs_into_the_read_timeout(
    fake: FakeOpenAI, client: AsyncOpenAI, at: Any
) -> None:
    fake.script(fo.hang(at))
    with pytest.raises(openai.APITimeoutError):
        await stream(client, timeout=0.5)
    await fake.until(lambda: fake.creates and fake.creates[0].disconnected)


async def test_client_that_leaves_has_paid(fake: FakeOpenAI, client: AsyncOpenAI) -> None:
    fake.script(fo.slow(0.05))
    call = asyncio.create_task(stream(client))
    await fake.until(lambda: fake.creates and fake.creates[0].sent >= 5)
    call.cancel()
    await fake.until(lambda: fake.paid == 1)
    assert fake.creates[0].disconnected


async def test_rules_come_before_the_script(fake: FakeOpenAI, client: AsyncOpenAI) -> None:
    fake.when(lambda body: "bad" in body["input"], fo.moderation_400())
    fake.script(fo.refusal_in_words())
    with pytest.raises(openai.BadRequestError):
        await stream(client, input="something bad")
    assert result(await stream(client)) is None
    assert result(await stream(client))
