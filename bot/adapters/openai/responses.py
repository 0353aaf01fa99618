"""Images by the Responses API: a host model that has to call the image tool, streamed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, cast

from openai import APIConnectionError, APIError, APIStatusError, AsyncOpenAI, AsyncStream, omit
from openai.types.responses import ResponseStreamEvent
from openai.types.responses.tool_param import ImageGeneration

from bot.adapters.openai.answer import Answer
from bot.adapters.openai.failures import failure_of, kind_of
from bot.adapters.openai.following import Follower, read
from bot.domain.errors import BLAMES_PROMPT, FailureKind, GenerationError
from bot.domain.images import GeneratedImage, ImageRequest

logger = logging.getLogger(__name__)

OnStarted = Callable[[str], Awaitable[None]]


class ResponsesBackend:
    """An `ImageBackend`. `timeout` is seconds for all of one `generate`.

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
    ) -> None:
        self._client = client
        self._follower = Follower(client)
        self._host_model = host_model
        self._timeout = timeout
        self._background = background
        tool: dict[str, object] = {
            "type": "image_generation",
            "model": model,
            "size": size,
            "quality": quality,
            "output_format": "png",
            "partial_images": 0,
        }
        self._tool = cast(ImageGeneration, tool)

    async def close(self) -> None:
        await self._client.close()

    async def generate(self, request: ImageRequest, on_started: OnStarted) -> GeneratedImage:
        deadline = asyncio.get_running_loop().time() + self._timeout
        if request.response_id:
            earlier = Answer(request.response_id)
            await self._until(deadline, earlier, self._take_up(earlier))
            if _stands(earlier):
                return await earlier.image()
            logger.info("response %s has no image to give: asking anew", earlier.id)
        answer = Answer()
        await self._until(deadline, answer, self._ask(request, on_started, answer))
        return await answer.image()

    async def _until(
        self, deadline: float, answer: Answer, work: Coroutine[Any, Any, None]
    ) -> None:
        try:
            async with asyncio.timeout_at(deadline):
                await work
        except TimeoutError:
            await self._follower.last_look(answer)

    async def _take_up(self, answer: Answer) -> None:
        """Go on from an earlier run's response. Raises where nobody can tell just now how it
        stands: it may be paid for already, so asking anew has to wait."""
        try:
            found = await self._follower.look(answer)
        except APIConnectionError:
            raise GenerationError(FailureKind.PROVIDER_DOWN) from None
        except (APIError, ValueError) as error:
            failure = failure_of(error)
            if failure.retryable and not _has_no_such_call(error):
                raise failure from None
            return
        if found:
            answer.lost = FailureKind.PROVIDER_DOWN
            await self._follower.follow(answer)

    async def _ask(self, request: ImageRequest, on_started: OnStarted, answer: Answer) -> None:
        """The one paid call, and all that can be heard of it."""
        told = False

        async def tell(answer: Answer) -> None:
            nonlocal told
            if answer.id and not told:
                told = True
                await _tell(on_started, answer.id)

        try:
            stream = await self._create(request)
        except (APIError, ValueError) as error:
            raise failure_of(error) from None
        async with stream:
            answer.lost = await read(stream, answer, tell)
        if answer.id:
            await self._follower.follow(answer)

    async def _create(self, request: ImageRequest) -> AsyncStream[ResponseStreamEvent]:
        """In the background if that is asked for; once the API has refused that and taken the
        plain call, no more in this process."""
        if self._background:
            try:
                return await self._post(request, background=True)
            except APIStatusError as error:
                if not _refuses_background(error):
                    raise
            stream = await self._post(request, background=False)
            self._background = False
            logger.warning("the provider refuses background mode: going on without it")
            return stream
        return await self._post(request, background=False)

    async def _post(
        self, request: ImageRequest, *, background: bool
    ) -> AsyncStream[ResponseStreamEvent]:
        return await self._client.responses.create(
            model=self._host_model,
            input=request.prompt,
            stream=True,
            tools=[self._tool],
            tool_choice={"type": "image_generation"},
            safety_identifier=request.end_user or omit,
            background=True if background else omit,
            store=True if background else omit,
        )


async def _tell(on_started: OnStarted, response_id: str) -> None:
    """What cannot be written down must not cost the image that is being paid for."""
    try:
        await on_started(response_id)
    except Exception as error:  # noqa: BLE001 - whatever it is
        logger.warning("response %s was not recorded: %s", response_id, type(error).__name__)


def _stands(answer: Answer) -> bool:
    """Asking anew would be wrong: there is an image, or the time is up, or the response is still
    under way, or it turned the prompt down."""
    if answer.has_image or answer.lost is FailureKind.TIMED_OUT:
        return True
    if not answer.over:
        return bool(answer.status)
    return answer.verdict().kind in BLAMES_PROMPT


def _has_no_such_call(error: Exception) -> bool:
    return isinstance(error, APIStatusError) and error.status_code == 501


def _refuses_background(error: APIStatusError) -> bool:
    """Whether this refusal may be about background mode: a 400 (422 on some servers) that is not
    about the prompt or the model. Servers word it in many ways, and asking again costs nothing."""
    if error.status_code not in {400, 422} or error.code == "model_not_found":
        return False
    return kind_of(error.code or "", error.status_code) is FailureKind.BAD_REQUEST
