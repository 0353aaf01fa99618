"""Images by the Images API, which most servers compatible with OpenAI speak and nothing else."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

from openai import APIError, APIStatusError, AsyncOpenAI

from bot.adapters.openai.decoding import decode_image
from bot.adapters.openai.download import download
from bot.adapters.openai.failures import failure_of
from bot.domain.errors import FailureKind, GenerationError
from bot.domain.images import GeneratedImage, ImageRequest

logger = logging.getLogger(__name__)

_NOT_KNOWN = re.compile(
    r"unknown|unrecogni[sz]ed|unexpected|unsupported.param|extra (inputs|fields)|not permitted"
)
_CAN_DO_WITHOUT = ("output_format", "response_format", "quality", "safety_identifier")


class ImagesBackend:
    """An `ImageBackend`. `timeout` is seconds for all of one `generate`.

    This API has no ids, so nothing is told to `on_started`, and a repeated run pays anew.
    """

    def __init__(
        self, client: AsyncOpenAI, *, model: str, size: str, quality: str, timeout: float
    ) -> None:
        self._client = client
        self._model = model
        self._timeout = timeout
        self._options = _options(model, size, quality)
        self._unknown: set[str] = set()

    async def close(self) -> None:
        await self._client.close()

    async def generate(
        self, request: ImageRequest, on_started: Callable[[str], Awaitable[None]]
    ) -> GeneratedImage:
        try:
            async with asyncio.timeout(self._timeout):
                return await self._image(await self._create(request))
        except TimeoutError:
            raise GenerationError(FailureKind.TIMED_OUT) from None
        except (APIError, ValueError) as error:
            raise failure_of(error) from None

    async def _create(self, request: ImageRequest) -> Any:
        """Ask, and ask again without each option that the server turns out not to know. A refused
        call costs nothing; what was left out stays left out in this process."""
        while True:
            options = self._options_for(request)
            try:
                return await self._client.images.generate(
                    model=self._model, prompt=request.prompt, n=1, extra_body=options
                )
            except APIStatusError as error:
                unknown = _unknown_option(error, options)
                if unknown is None:
                    raise
                self._unknown.add(unknown)
                logger.warning("the provider does not know %s: going on without it", unknown)

    def _options_for(self, request: ImageRequest) -> dict[str, str]:
        options = dict(self._options)
        if request.end_user and _is_gpt_image(self._model):
            options["safety_identifier"] = request.end_user
        return {name: value for name, value in options.items() if name not in self._unknown}

    async def _image(self, answer: Any) -> GeneratedImage:
        images = getattr(answer, "data", None)
        if not images:
            raise GenerationError(FailureKind.NO_IMAGE)
        encoded = getattr(images[0], "b64_json", None)
        revised_prompt = getattr(images[0], "revised_prompt", None) or ""
        if not encoded:
            encoded = await self._fetch(getattr(images[0], "url", None))
        return await decode_image(encoded, revised_prompt=revised_prompt)

    async def _fetch(self, url: str | None) -> str | bytes:
        """The image that a `url` stands for: itself where it is a data URL."""
        if not url:
            raise GenerationError(FailureKind.NO_IMAGE)
        if url.startswith("data:"):
            return url
        return await download(str(self._client.base_url.join(url)))


def _is_gpt_image(model: str) -> bool:
    return "gpt-image" in model


def _options(model: str, size: str, quality: str) -> dict[str, str]:
    """What goes along with the prompt. `auto` is OpenAI's default and unknown elsewhere, so it is
    said by saying nothing."""
    chosen = {"size": size, "quality": quality}
    if _is_gpt_image(model):
        chosen["output_format"] = "png"
    else:
        chosen["response_format"] = "b64_json"
    return {name: value for name, value in chosen.items() if value != "auto"}


def _unknown_option(error: APIStatusError, options: dict[str, str]) -> str | None:
    """The option that a refusal names as one the server does not know. A value that it does not
    take is another matter: leaving that out would quietly change what was asked for."""
    told = str(error.body).lower()
    if error.status_code not in {400, 422} or not _NOT_KNOWN.search(told):
        return None
    named = (name for name in _CAN_DO_WITHOUT if name in options)
    return next((name for name in named if re.search(rf"\b{name}\b", told)), None)
