"""Images by the Responses API: a host model that has to call the image tool, streamed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from openai import APIConnectionError, APIError, APIStatusError, AsyncOpenAI, AsyncStream

from bot.adapters.openai.response_state import ResponseState
from bot.adapters.openai.client import headers_of
from bot.adapters.openai.extras import Asked, Extra, log_refused
from bot.adapters.openai.failures import failure_of
from bot.adapters.openai.request_body import (
    Tool,
    body_of_call,
    content_of,
    extras_of_call,
)
from bot.adapters.openai.request_variant import (
    RequestVariant,
    by_bytes,
    variant_after_refusal,
    variant_after_stream,
)
from bot.adapters.openai.response_poller import ResponsePoller
from bot.adapters.openai.wording import own_words
from bot.domain.errors import BLAMES_PROMPT, FailureKind, GenerationError
from bot.domain.images import GeneratedImage, ImageRequest
from bot.ports import Checkpoint

logger = logging.getLogger(__name__)


@dataclass
class _Call:
    """The variant of a request that is asked with just now, and the extras in it."""

    variant: RequestVariant
    asked: Asked = field(default_factory=dict)


class ResponsesBackend:
    """An `ImageBackend`. `timeout` is seconds for all of one `generate`, `partial_images` how
    many images on the way are asked for (0–3; each is paid for).

    In the background (where the API allows it) a response outlives the connection and the
    process, so that it can be taken up again by its id instead of being paid for twice.
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
    ) -> None:
        self._client = client
        self._poller = ResponsePoller(client)
        self._host_model = host_model
        self._timeout = timeout
        self._background = background
        self._refused: frozenset[Extra] = frozenset()
        self._tool = Tool(model, size, quality, partial_images)

    async def close(self) -> None:
        await self._client.close()

    async def cancel(self, response_id: str) -> None:
        """Stop a response in the background; any other ended with its connection."""
        if response_id and self._background and Extra.BACKGROUND not in self._refused:
            await self._poller.cancel(response_id)

    async def generate(self, request: ImageRequest, checkpoint: Checkpoint) -> GeneratedImage:
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._timeout
        if request.response_id:
            earlier = ResponseState(
                request.response_id,
                request_id=request.request_id,
                from_picture=request.from_picture,
            )
            await self._until(deadline, earlier, self._take_up(earlier))
            if _stands(earlier):
                return await earlier.image()
            logger.info("response %s has no image to give: asking anew", earlier.id)
        asked_for = clock()
        await checkpoint.before_paid_call()
        deadline += clock() - asked_for
        return await self._anew(request, deadline, checkpoint)

    async def _anew(
        self, request: ImageRequest, deadline: float, checkpoint: Checkpoint
    ) -> GeneratedImage:
        """Edits go by the id of the response that holds the image, as long as the provider knows
        it, then by our own bytes."""
        shown = checkpoint.partial_image if self._tool.partial_images else None
        answer = ResponseState(
            on_partial=shown,
            request_id=request.request_id,
            model=self._tool.model,
            from_picture=request.from_picture,
        )
        try:
            await self._until(deadline, answer, self._ask(request, checkpoint, answer))
            return await answer.image()
        except GenerationError as error:
            bare = by_bytes(request)
            if error.kind is not FailureKind.SOURCE_GONE or bare is None:
                raise
        logger.info("the provider no longer has the image to edit: sending ours")
        return await self._anew(bare, deadline, checkpoint)

    async def _until(
        self, deadline: float, answer: ResponseState, work: Coroutine[Any, Any, None]
    ) -> None:
        try:
            async with asyncio.timeout_at(deadline):
                await work
        except TimeoutError:
            await self._poller.last_look(answer)

    async def _take_up(self, answer: ResponseState) -> None:
        """Go on from an earlier run's response. Raises where nobody can tell just now how it
        stands: it may be paid for already, so asking anew has to wait."""
        try:
            found = await self._poller.look(answer)
        except APIConnectionError:
            raise GenerationError(FailureKind.PROVIDER_DOWN) from None
        except (APIError, ValueError) as error:
            failure = failure_of(error)
            if failure.retryable:
                raise failure from None
            return
        if found:
            answer.lost = FailureKind.PROVIDER_DOWN
            await self._poller.follow(answer)

    async def _ask(self, request: ImageRequest, checkpoint: Checkpoint, answer: ResponseState) -> None:
        """The one paid call, and all that can be heard of it. Where it was accepted, and refused
        before an image was begun, there is another."""
        call = _Call(RequestVariant(self._refused))
        while True:
            await self._ask_once(request, call, checkpoint, answer)
            following = variant_after_stream(request, call.variant, answer, call.asked)
            if following is None:
                return
            call.variant = following
            answer.begin()

    async def _ask_once(
        self, request: ImageRequest, call: _Call, checkpoint: Checkpoint, answer: ResponseState
    ) -> None:
        told = False

        async def tell(answer: ResponseState) -> None:
            nonlocal told
            if answer.id and not told:
                told = True
                await _tell(checkpoint, answer.id)

        creating = asyncio.create_task(self._create(request, call))
        try:
            created = await asyncio.shield(creating)
        except asyncio.CancelledError:
            await self._poller.learn_id(creating, answer, tell)
            raise
        except (APIError, ValueError) as error:
            raise failure_of(error, own_words(request)) from None
        if isinstance(created, AsyncStream):
            async with created:
                answer.lost = await self._poller.read(created, answer, tell)
        else:
            answer.take_response(created)
            await tell(answer)
        if answer.id:
            await self._poller.follow(answer)

    async def _create(self, request: ImageRequest, call: _Call) -> Any:
        """Ask, and ask again without what the server refuses; once it has taken a call without,
        no more of that in this process. Answers the stream, or the response where the server has
        no streams. Raises `GenerationError(SOURCE_GONE)` where an edit goes by an id that the
        provider does not know."""
        content = await content_of(request)
        while True:
            without = call.variant.without
            extras = self._tool.extras(request, without) | extras_of_call(
                request, content, background=self._background
            )
            call.asked = {extra: value for extra, value in extras.items() if extra not in without}
            body = body_of_call(request, content, call.asked) | {
                "model": self._host_model,
                "tools": [self._tool.for_request(request, call.asked)],
            }
            try:
                created: Any = await self._client.responses.create(
                    **body, extra_headers=headers_of(request.request_id)
                )
            except APIStatusError as error:
                call.variant = variant_after_refusal(request, call.variant, error, call.asked)
            else:
                break
        if refused := call.variant.learnt - self._refused:
            self._refused |= refused
            log_refused(refused)
        return created


async def _tell(checkpoint: Checkpoint, response_id: str) -> None:
    """What cannot be written down must not cost the image that is being paid for."""
    try:
        await checkpoint.response_started(response_id)
    except Exception as error:  # noqa: BLE001 - whatever it is
        logger.warning("response %s was not recorded: %s", response_id, type(error).__name__)


def _stands(answer: ResponseState) -> bool:
    """Asking anew would be wrong: there is an image, or the time is up, or the response is still
    under way, or it turned the prompt down."""
    if answer.has_image or answer.lost is FailureKind.TIMED_OUT:
        return True
    if not answer.over:
        return bool(answer.status)
    return answer.verdict().kind in BLAMES_PROMPT
