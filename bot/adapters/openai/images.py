"""Images by the Images API, which most servers compatible with OpenAI speak and nothing else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from typing import Any

from openai import APIError, APIStatusError, AsyncOpenAI

from bot.adapters.openai.base import File, file_of
from bot.adapters.openai.client import headers_of
from bot.adapters.openai.decoding import decode_image
from bot.adapters.openai.download import download
from bot.adapters.openai.failures import failure_of
from bot.adapters.openai.refusals import names_unknown
from bot.adapters.openai.wording import all_in_one
from bot.domain.errors import FailureKind, GenerationError
from bot.domain.images import GeneratedImage, ImageRequest
from bot.domain.options import Options
from bot.ports import OnAsking, free_to_ask

logger = logging.getLogger(__name__)

_CAN_DO_WITHOUT = ("output_format", "response_format", "quality", "safety_identifier")


class Call(Enum):
    """Servers may know an option of one and not of the other."""

    GENERATE = auto()
    EDIT = auto()


class ImagesBackend:
    """An `ImageBackend`. `timeout` is seconds for all of one `generate`.

    This API has no ids, so nothing is told to `on_started`, and a repeated run pays anew. It is
    not asked for partial images.
    """

    def __init__(
        self, client: AsyncOpenAI, *, model: str, size: str, quality: str, timeout: float
    ) -> None:
        self._client = client
        self._model = model
        self._timeout = timeout
        self._options = _options(model, size, quality)
        self._unknown: set[tuple[Call, str]] = set()

    async def close(self) -> None:
        await self._client.close()

    async def cancel(self, response_id: str) -> None:
        """Nothing outlives its connection."""

    async def generate(
        self,
        request: ImageRequest,
        on_started: Callable[[str], Awaitable[None]],
        on_partial: Callable[[str], None],
        on_asking: OnAsking = free_to_ask,
    ) -> GeneratedImage:
        await on_asking()
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
        call = Call.EDIT if request.base else Call.GENERATE
        file = await file_of(request.base) if request.base else None
        chosen = _chosen(request.options)
        while True:
            mine = self._options_for(request, call)
            try:
                return await self._post(request, file, mine | chosen)
            except APIStatusError as error:
                spare = (name for name in _CAN_DO_WITHOUT if name in mine.keys() - chosen.keys())
                unknown = next((name for name in spare if names_unknown(error, name)), None)
                if unknown is None:
                    raise
                self._unknown.add((call, unknown))
                logger.warning("the provider does not know %s: going on without it", unknown)

    async def _post(self, request: ImageRequest, file: File | None, options: dict[str, str]) -> Any:
        call: dict[str, Any] = {
            "model": self._model,
            "prompt": all_in_one(request),
            "n": 1,
            "extra_body": {name: value for name, value in options.items() if value != "auto"},
            "extra_headers": headers_of(request.request_id),
        }
        if file is None:
            return await self._client.images.generate(**call)
        return await self._client.images.edit(image=file, **call)

    def _options_for(self, request: ImageRequest, call: Call) -> dict[str, str]:
        """What goes along on the operator's behalf."""
        options = dict(self._options)
        if request.end_user and _is_gpt_image(self._model):
            options["safety_identifier"] = request.end_user
        return {name: value for name, value in options.items() if (call, name) not in self._unknown}

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
    options = {"size": size, "quality": quality}
    if _is_gpt_image(model):
        return options | {"output_format": "png"}
    return options | {"response_format": "b64_json"}


def _chosen(options: Options) -> dict[str, str]:
    """What the person chose: never left out, because the image would not be what was asked for."""
    named = {
        "size": options.size,
        "quality": options.quality,
        "background": options.background,
    }
    return {name: value for name, value in named.items() if value}
