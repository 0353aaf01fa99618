"""Images by the Responses API: a host model that has to call the image tool, streamed."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field, replace
from typing import Any

from openai import APIConnectionError, APIError, APIStatusError, AsyncOpenAI, AsyncStream

from bot.adapters.openai.event_stream import read_stream, reading_limit, record_id
from bot.adapters.openai.extras import Asked, OptionalParameter
from bot.adapters.openai.failures import failure_of
from bot.adapters.openai.image_files import decode_image
from bot.adapters.openai.refused_extras import RESPONSES, RefusedExtras, scope_of
from bot.adapters.openai.request_body import BodyBuilder, content_of, headers_of
from bot.adapters.openai.request_variant import (
    RequestVariant,
    variant_after_refusal,
    variant_after_stream,
    without_response_id,
)
from bot.adapters.openai.response_poller import ResponsePoller
from bot.adapters.openai.response_state import ResponseState
from bot.adapters.openai.wording import own_words
from bot.domain.costs import Usage
from bot.domain.failures import BLAMES_PROMPT, FailureKind, GenerationError
from bot.domain.images import GeneratedImage, ImageRequest
from bot.domain.option_table import OPTIONS
from bot.ports import CancelledCall, Checkpoint, RefusedSettings

logger = logging.getLogger(__name__)


@dataclass
class _Call:
    """The variant of a request that a call is made with just now, and the extras in it."""

    variant: RequestVariant
    asked: Asked = field(default_factory=dict)


class ResponsesBackend:
    """An `ImageBackend`. `timeout` is seconds for all of one `generate`, `partial_images` how
    many partial images are asked for (0–3; each is paid for).

    In the background (where the API allows it) a response outlives the connection and the
    process, so that a later run can go on from its id instead of paying twice.
    """

    def __init__(
        self,
        client: AsyncOpenAI,
        *,
        model: str,
        host_model: str,
        size: str,
        quality: str,
        timeout: float,
        background: bool,
        partial_images: int = 0,
        refused: RefusedSettings | None = None,
    ) -> None:
        self._client = client
        self._limit = reading_limit()
        self._poller = ResponsePoller(client, self._limit)
        self._timeout = timeout
        self._bodies = BodyBuilder(host_model, model, size, quality, partial_images, background)
        scope = scope_of(str(client.base_url), RESPONSES, host_model, model)
        self._refused = RefusedExtras(scope, refused)

    async def close(self) -> None:
        await self._client.close()

    async def cancel(self, response_id: str) -> CancelledCall:
        """Cancel a response in the background; any other ended with its connection."""
        in_background = (
            self._bodies.background and OptionalParameter.BACKGROUND not in self._refused.known
        )
        if response_id and in_background:
            return await self._poller.cancel(response_id)
        return CancelledCall()

    async def generate(self, request: ImageRequest, checkpoint: Checkpoint) -> GeneratedImage:
        """An edit goes by the id of the response that holds the image, as long as the provider
        knows it, then by our own bytes."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._timeout
        image = await self._resumed(request, deadline, checkpoint) if request.response_id else None
        if image is None:
            began = clock()
            await checkpoint.before_paid_call()
            deadline += clock() - began
            try:
                state = await self._ask(request, deadline, checkpoint)
            except GenerationError as error:
                by_bytes = without_response_id(request)
                if error.kind is not FailureKind.SOURCE_GONE or by_bytes is None:
                    raise
                logger.info("the provider no longer has the image to edit: sending ours")
                await _count_another(error.usage, error.may_be_paid, checkpoint)
                state = await self._ask(by_bytes, deadline, checkpoint)
            image = await self._image(state, request)
        return image

    async def _resumed(
        self, request: ImageRequest, deadline: float, checkpoint: Checkpoint
    ) -> GeneratedImage | None:
        """The image of an earlier response. One that is cut short there is asked for anew."""
        state = await self._resume(request, deadline, checkpoint)
        if state is None:
            return None
        try:
            return await self._image(state, request)
        except GenerationError as error:
            if error.kind is not FailureKind.CUT_IMAGE:
                raise
        checkpoint.call_ended(state.usage, may_be_paid=True)
        logger.info("response %s has a part of its image only: asking anew", state.id)
        return None

    async def _image(self, state: ResponseState, request: ImageRequest) -> GeneratedImage:
        if state.in_background and not state.ended:
            await self._poller.learn_usage(state)
        try:
            image = await decode_image(
                state.result,
                response_id=state.id,
                revised_prompt=state.revised_prompt,
                model=state.model,
                from_picture=request.from_picture,
            )
        except GenerationError as error:
            error.usage = state.usage
            raise
        return replace(image, usage=state.usage)

    async def _resume(
        self, request: ImageRequest, deadline: float, checkpoint: Checkpoint
    ) -> ResponseState | None:
        """An earlier run's response with its image; None where there is nothing to go on from.
        Raises where the response turned the prompt down, or where nobody can tell how it stands: it
        may be paid for already, so asking anew has to wait."""
        state = ResponseState(request.response_id, request.request_id)
        try:
            async with asyncio.timeout_at(deadline):
                if await self._poller.look(state):
                    state.lost = FailureKind.PROVIDER_DOWN
                    await self._poller.follow(state)
        except TimeoutError:
            await self._poller.last_look(state)
        except APIConnectionError:
            raise GenerationError(FailureKind.PROVIDER_DOWN) from None
        except (APIError, ValueError) as error:
            failure = failure_of(error)
            if failure.retryable:
                failure.may_be_paid = True  # the question alone was refused
                raise failure from None
        if state.result:
            return state
        reason = state.reason()
        timed_out = state.lost is FailureKind.TIMED_OUT
        under_way = bool(state.status) and not state.ended
        blames_prompt = state.ended and reason.kind in BLAMES_PROMPT
        if timed_out or under_way or blames_prompt:
            raise reason
        checkpoint.call_ended(reason.usage, may_be_paid=reason.may_be_paid)
        logger.info("response %s has no image to give: asking anew", state.id)
        return None

    async def _ask(
        self, request: ImageRequest, deadline: float, checkpoint: Checkpoint
    ) -> ResponseState:
        """The one paid call, and the response with its image. Where a call was accepted, and
        refused before an image was begun, there is another. Raises `GenerationError`."""
        variant, partials = RequestVariant(await self._refused.load()), self._bodies.partial_images
        while True:
            state = ResponseState(
                request_id=request.request_id,
                model=self._bodies.model,
                on_partial=checkpoint.partial_image if partials else None,
            )
            call = _Call(variant)
            try:
                async with asyncio.timeout_at(deadline):
                    await self._call(request, call, checkpoint, state)
            except TimeoutError:
                await self._poller.last_look(state)
            if state.result:
                return state
            following = variant_after_stream(request, call.variant, state, call.asked)
            if following is None:
                raise state.reason(own_words(request), OPTIONS.arguments(request.options))
            await _count_another(state.usage, state.may_be_paid, checkpoint)
            variant = following

    async def _call(
        self, request: ImageRequest, call: _Call, checkpoint: Checkpoint, state: ResponseState
    ) -> None:
        """Make the call, and learn all that can be learnt of its response."""
        creating = asyncio.create_task(self._create(request, call))
        try:
            created = await asyncio.shield(creating)
        except asyncio.CancelledError:
            await self._poller.learn_id(creating, state, checkpoint)
            raise
        except (APIError, ValueError) as error:
            chosen = OPTIONS.arguments(request.options)
            raise failure_of(error, own_words(request), chosen) from None
        if OptionalParameter.TOOL_MODEL not in call.asked:
            state.model = ""
        if isinstance(created, AsyncStream):
            async with created:
                state.lost = await read_stream(created, state, self._limit, checkpoint)
        elif isinstance(created, str):  # the SDK gives back what is no JSON
            state.lost = FailureKind.WRONG_ROUTE
        else:
            state.take_answer(created)
            await record_id(state, checkpoint)
        if state.id and not (state.result or state.ended):
            await self._poller.follow(state)

    async def _create(self, request: ImageRequest, call: _Call) -> Any:
        """Ask, and ask again without what the server refuses; once it has taken a call without,
        no more of that for a while. Answers the stream, or the response where the server has
        no streams. Raises `GenerationError(SOURCE_GONE)` where an edit goes by an id that the
        provider does not know."""
        content = await content_of(request)
        while True:
            call.asked = self._bodies.extras(request, content, call.variant.without)
            body = self._bodies.body(request, content, call.asked)
            try:
                created: Any = await self._client.responses.create(
                    **body, extra_headers=headers_of(request.request_id)
                )
            except APIStatusError as error:
                call.variant = variant_after_refusal(request, call.variant, error, call.asked)
            else:
                break
        await self._refused.add(call.variant.lasting)
        return created


async def _count_another(usage: Usage | None, paid: bool, checkpoint: Checkpoint) -> None:
    """A refusal that says what it took, or may be paid, is a call of its own before the next."""
    if paid or usage is not None:
        checkpoint.call_ended(usage, may_be_paid=paid)
        await checkpoint.before_paid_call()
