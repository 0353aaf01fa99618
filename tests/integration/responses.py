"""Responses backends that speak to the fake provider, for the tests of what they do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from bot.adapters.openai import ResponsesBackend, openai_client
from bot.domain.failures import GenerationError
from bot.domain.images import GeneratedImage, ImageRequest
from tests.fake_openai import FakeOpenAI
from tests.fakes import FakeCheckpoint

REQUEST = ImageRequest("a robot eating pizza on Mars", end_user="u" * 64)

Backend = Callable[..., ResponsesBackend]


@asynccontextmanager
async def backends(fake: FakeOpenAI) -> AsyncIterator[Backend]:
    """Makes backends that speak to the fake, and closes them."""
    made: list[ResponsesBackend] = []

    def make(
        *,
        key: str = "",
        model: str = "gpt-image-2.5-flare",
        timeout: float = 30.0,
        background: bool = True,
        quality: str = "auto",
        partial_images: int = 0,
    ) -> ResponsesBackend:
        made.append(
            ResponsesBackend(
                openai_client(key or fake.api_key, fake.base_url),
                model=model,
                host_model="gpt-5.6-luna",
                size="1024x1024",
                quality=quality,
                timeout=timeout,
                background=background,
                partial_images=partial_images,
            )
        )
        return made[-1]

    yield make
    for one in made:
        await one.close()


async def failure(backend: ResponsesBackend, request: ImageRequest = REQUEST) -> GenerationError:
    checkpoint = FakeCheckpoint()
    with pytest.raises(GenerationError) as caught:
        await backend.generate(request, checkpoint)
    assert checkpoint.partials == []
    return caught.value


def shows(image: GeneratedImage, fake: FakeOpenAI) -> bool:
    """Whether this is the image that was made last."""
    return image.data == fake.made[-1].data
