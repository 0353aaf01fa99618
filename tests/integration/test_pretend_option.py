"""One more option in the table is stored, and reaches the provider, where it is never left out."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from bot.adapters.openai import ImagesBackend, openai_client
from bot.adapters.redis import RedisSessionStore
from bot.adapters.redis.schema import session_key
from bot.domain.failures import FailureKind, GenerationError
from bot.domain.images import BaseImage, ImageRequest
from bot.domain.option_table import OPTIONS
from bot.domain.options import Options
from bot.views.captions import option_words
from tests import fake_openai as fakes
from tests.fake_openai import FakeOpenAI, Outcome
from tests.fakes import ID, FakeCheckpoint, a_session, an_attempt
from tests.integration.responses import REQUEST, Backend, failure
from tests.support.pretend import NAME, pretended

pytestmark = pytest.mark.usefixtures("pretend_option")

CHOSEN = replace(REQUEST, options=pretended("low"))
REFUSALS = [
    fakes.unknown_parameter("moderation"),
    fakes.refused("Unrecognized request argument supplied: moderation"),
    fakes.refused("The moderation level is not available for this account"),
    fakes.refused("moderation should be one of those in the list", 422),
]


@pytest.fixture
async def images(fake: FakeOpenAI) -> AsyncIterator[ImagesBackend]:
    client = openai_client(fake.api_key, fake.base_url)
    one = ImagesBackend(
        client, model="gpt-image-2.5-flare", size="1024x1024", quality="low", timeout=30.0
    )
    yield one
    await one.close()


@pytest.fixture
def store(redis: Any) -> RedisSessionStore:
    return RedisSessionStore(redis, session_ttl=600, image_ttl=60, patience=5.0)


# stored


async def test_it_is_stored_with_the_session_and_its_attempts(
    store: RedisSessionStore, redis: Any
) -> None:
    options = pretended("low", count=2)
    attempts = (an_attempt(posted=True, options=options),)
    created = await store.create(replace(a_session(), options=options, attempts=attempts))
    assert await store.load(ID) == created
    assert created.latest.options == options
    stored = await redis.hget(session_key(ID), "options")
    assert json.loads(stored) == {"count": 2, NAME: "low"}


async def test_it_is_stored_as_a_default(store: RedisSessionStore) -> None:
    await store.keep_defaults("T1", "U1", pretended("low"))
    assert await store.defaults_of("T1", "U1") == pretended("low")


async def test_a_version_that_does_not_know_it_leaves_the_session_alone(
    store: RedisSessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.create(a_session(options=pretended("low")))
    monkeypatch.setattr(OPTIONS, "specs", OPTIONS.specs[:-1])
    with pytest.raises(ValueError, match="not known"):
        await store.load(ID)
    assert await store.load_many([ID]) == []


# asked of the provider


async def test_the_responses_api_is_asked_for_it(fake: FakeOpenAI, backend: Backend) -> None:
    data = (await backend().generate(CHOSEN, FakeCheckpoint())).data
    edit = replace(CHOSEN, base=BaseImage(data, "image/png"), change="at night")
    await backend().generate(edit, FakeCheckpoint())
    assert [one.tool["moderation"] for one in fake.creates] == ["low", "low"]
    await backend().generate(replace(REQUEST, options=Options(count=2)), FakeCheckpoint())
    assert "moderation" not in fake.creates[-1].tool


async def test_the_images_api_is_asked_for_it(fake: FakeOpenAI, images: ImagesBackend) -> None:
    await images.generate(CHOSEN, FakeCheckpoint())
    await images.generate(REQUEST, FakeCheckpoint())
    assert [one.body.get("moderation") for one in fake.creates] == ["low", None]


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_the_responses_api_may_refuse_it_but_it_is_never_left_out(
    fake: FakeOpenAI, backend: Backend, refusal: Outcome
) -> None:
    fake.when(lambda body: "moderation" in body["tools"][0], refusal)
    assert (await failure(backend(quality="low"), CHOSEN)).kind is FailureKind.BAD_REQUEST
    (asked,) = fake.creates
    assert (asked.tool["moderation"], asked.tool["quality"]) == ("low", "low")


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_the_images_api_may_refuse_it_but_it_is_never_left_out(
    fake: FakeOpenAI, images: ImagesBackend, refusal: Outcome
) -> None:
    fake.when(lambda body: "moderation" in body, refusal)
    assert (await image_failure(images, CHOSEN)).kind is FailureKind.BAD_REQUEST
    (asked,) = fake.creates
    assert (asked.body["moderation"], asked.body["quality"]) == ("low", "low")


async def test_what_only_we_asked_for_is_given_up_beside_it(
    fake: FakeOpenAI, backend: Backend
) -> None:
    fake.when(lambda body: "action" in body["tools"][0], fakes.unknown_parameter("tools[0].action"))
    await backend().generate(CHOSEN, FakeCheckpoint())
    assert [one.tool["moderation"] for one in fake.creates] == ["low", "low"]
    assert "action" not in fake.creates[-1].tool


# told


def test_a_status_line_tells_of_it() -> None:
    assert option_words(pretended("low", background="opaque")) == "low · opaque"


async def image_failure(backend: ImagesBackend, request: ImageRequest) -> GenerationError:
    with pytest.raises(GenerationError) as caught:
        await backend.generate(request, FakeCheckpoint())
    return caught.value
