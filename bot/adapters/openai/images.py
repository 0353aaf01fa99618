"""Images by the Images API, which most servers compatible with OpenAI speak and nothing else."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Any

import httpx2
from openai import APIError, APIStatusError, AsyncOpenAI

from bot.adapters.openai.extras import Asked, OptionalParameter
from bot.adapters.openai.failures import failure_of
from bot.adapters.openai.image_download import download
from bot.adapters.openai.image_files import ImageFile, decode_image, file_of
from bot.adapters.openai.refused_extras import Call, RefusedExtras, scope_of
from bot.adapters.openai.request_body import headers_of
from bot.adapters.openai.request_variant import RequestVariant, refusal_within
from bot.adapters.openai.usage import usage_of_image
from bot.adapters.openai.wording import own_words, single_prompt
from bot.domain.costs import Usage
from bot.domain.failures import FailureKind, GenerationError
from bot.domain.images import GeneratedImage, ImageRequest, size_of_request
from bot.domain.option_table import OPTIONS
from bot.domain.options import AUTO, Value
from bot.ports import CancelledCall, Checkpoint, RefusedSettings

logger = logging.getLogger(__name__)

_PARAMETERS = {
    OptionalParameter.SIZE: "size",
    OptionalParameter.QUALITY: "quality",
    OptionalParameter.OUTPUT_FORMAT: "output_format",
    OptionalParameter.RESPONSE_FORMAT: "response_format",
    OptionalParameter.SAFETY_IDENTIFIER: "safety_identifier",
}
_GUESSES = (
    OptionalParameter.QUALITY,
    OptionalParameter.SAFETY_IDENTIFIER,
    OptionalParameter.OUTPUT_FORMAT,
    OptionalParameter.RESPONSE_FORMAT,
    OptionalParameter.SIZE,
)
"""The extras that a refusal without a name may be about: servers other than OpenAI lack them, or
take other values for them."""


class ImagesBackend:
    """An `ImageBackend`. `timeout` is seconds for all of one `generate`.

    This API has no ids, so a repeated run pays anew. It is not asked for partial images.
    """

    def __init__(
        self,
        client: AsyncOpenAI,
        *,
        model: str,
        size: str,
        quality: str,
        timeout: float,
        refused: RefusedSettings | None = None,
    ) -> None:
        self._client = client
        self._model = model
        self._timeout = timeout
        self._size = size
        self._extras = _extras(model, quality)
        url = str(client.base_url)
        self._refused = {c: RefusedExtras(scope_of(url, c, model), refused) for c in Call}

    async def close(self) -> None:
        await self._client.close()

    async def cancel(self, response_id: str) -> CancelledCall:
        """Does nothing: a call ends with its connection."""
        return CancelledCall()

    async def generate(self, request: ImageRequest, checkpoint: Checkpoint) -> GeneratedImage:
        await checkpoint.before_paid_call()
        usage: Usage | None = None
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._create(request)
                has_image = bool(getattr(answer, "data", None))
                usage = usage_of_image(getattr(answer, "usage", None), has_image=has_image)
                image = await self._image(answer, request.from_picture)
        except GenerationError as error:
            failure = error
        except TimeoutError:
            failure = GenerationError(FailureKind.TIMED_OUT)
        except (APIError, ValueError) as error:
            chosen = OPTIONS.arguments(request.options)
            failure = failure_of(error, own_words(request), chosen)
        else:
            return replace(image, usage=usage)
        failure.usage = usage
        raise failure from None

    async def _create(self, request: ImageRequest) -> Any:
        """Call the API, and call it again without each extra that the server refuses. A refused
        call costs nothing. An extra that was refused for certain stays left out for a while.
        What a person chose is never left out, because the image would not be what was asked
        for."""
        call = Call.EDIT if request.base else Call.GENERATE
        file = await file_of(request.base) if request.base else None
        chosen = OPTIONS.arguments(request.options)
        refused = self._refused[call]
        variant = RequestVariant(await refused.load())
        while True:
            asked = self._asked(request, chosen, variant.without)
            try:
                answer = await self._post(request, file, chosen, asked)
            except APIStatusError as error:
                following = variant.after(
                    error,
                    asked,
                    _GUESSES,
                    chosen=bool(chosen),
                    like_image=file is not None,
                    own=own_words(request),
                )
                if following is None:
                    raise
                variant = following
            else:
                break
        await refused.add(variant.lasting)
        return answer

    def _asked(
        self, request: ImageRequest, chosen: dict[str, Value], without: frozenset[OptionalParameter]
    ) -> dict[OptionalParameter, str]:
        """The extras that the call holds, by what the server has not refused."""
        extras = {**self._extras, OptionalParameter.SIZE: size_of_request(request, self._size)}
        if request.end_user and _is_gpt_image(self._model):
            extras[OptionalParameter.SAFETY_IDENTIFIER] = request.end_user
        return {
            extra: value
            for extra, value in extras.items()
            if extra not in without and _PARAMETERS[extra] not in chosen and value != AUTO
        }

    async def _post(
        self, request: ImageRequest, file: ImageFile | None, chosen: dict[str, Value], asked: Asked
    ) -> Any:
        """Ask for one image, which is every server's default."""
        options = {**{_PARAMETERS[extra]: value for extra, value in asked.items()}, **chosen}
        call: dict[str, Any] = {
            "model": self._model,
            "prompt": single_prompt(request),
            "extra_body": {name: value for name, value in options.items() if value != "auto"},
            "extra_headers": headers_of(request.request_id),
        }
        if file is None:
            answer = await self._client.images.generate(**call)
        else:
            answer = await self._client.images.edit(image=file, **call)
        if (error := _error_within(answer)) is not None:
            raise refusal_within(error)
        return answer

    async def _image(self, answer: Any, from_picture: bool) -> GeneratedImage:
        if isinstance(answer, str):  # the SDK gives back what is no JSON
            raise GenerationError(FailureKind.WRONG_ROUTE)
        images = getattr(answer, "data", None)
        if not isinstance(images, list) or not images:
            raise GenerationError(FailureKind.NO_IMAGE)
        encoded = getattr(images[0], "b64_json", None)
        revised_prompt = getattr(images[0], "revised_prompt", None) or ""
        if not isinstance(encoded, str) or not encoded:
            encoded = await self._fetch(getattr(images[0], "url", None))
        return await decode_image(
            encoded, revised_prompt=revised_prompt, model=self._model, from_picture=from_picture
        )

    async def _fetch(self, url: object) -> str | bytes:
        """The image that a `url` stands for: itself where it is a data URL."""
        if not isinstance(url, str) or not url:
            raise GenerationError(FailureKind.NO_IMAGE)
        if url.startswith("data:"):
            return url
        server = self._client.base_url
        try:
            address = str(server.join(url))
        except httpx2.InvalidURL:
            raise GenerationError(FailureKind.BAD_IMAGE) from None
        return await download(address, str(server))


def _error_within(answer: Any) -> object:
    """The error that a server sent with status 200 in place of images, if it did."""
    if getattr(answer, "data", None):
        return None
    if error := getattr(answer, "error", None):
        return error
    told = getattr(answer, "model_extra", None) or {}
    return told if told.keys() & {"message", "msg", "detail", "errors"} else None


def _is_gpt_image(model: str) -> bool:
    return "gpt-image" in model


def _extras(model: str, quality: str) -> dict[OptionalParameter, str]:
    """The extras that follow from the operator's settings. `auto` is OpenAI's default and unknown
    elsewhere, so it is left out. A PNG can be shown as it comes, with all metadata of its
    maker."""
    extras = {OptionalParameter.QUALITY: quality, OptionalParameter.OUTPUT_FORMAT: "png"}
    if not _is_gpt_image(model):
        extras[OptionalParameter.RESPONSE_FORMAT] = "b64_json"
    return {extra: value for extra, value in extras.items() if value != "auto"}
