"""Following a response that is under way, by its stream or by its id. Nothing in here costs
anything."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

from openai import APIConnectionError, APIError, AsyncOpenAI, AsyncStream, omit

from bot.adapters.openai.response_state import ResponseState
from bot.adapters.openai.client import for_free_calls, headers_of
from bot.adapters.openai.event_stream import events_of, reading_limit
from bot.adapters.openai.failures import failure_of
from bot.domain.errors import FailureKind, GenerationError

logger = logging.getLogger(__name__)

SILENCE = 60.0
"""Seconds without an event after which the stream of a background response counts as dead: it
can be opened again. Any other stream has the whole time of the attempt."""

LINGER = 5.0
"""Seconds to wait for the end of a stream that has brought its image already."""

POLL = 1.0
LAST_WORD = 5.0
"""Seconds for each of the last two calls after the deadline."""
CANCEL_PATIENCE = 2.0
"""Seconds that calling something off may take."""

LAST_CHANCE = 0.8
"""Seconds for a cancelled call to tell its id: who cancels is to see the end within one."""

Heard = Callable[[ResponseState], Awaitable[None]]


class ResponsePoller:
    """Reads responses by their streams, and asks for them by their ids."""

    def __init__(self, client: AsyncOpenAI) -> None:
        self._limit = reading_limit()
        self._responses = for_free_calls(client).responses

    async def read(
        self, stream: AsyncStream[Any], answer: ResponseState, heard: Heard | None = None
    ) -> FailureKind:
        """Take the stream's events until nothing more is needed or the stream ends, however that
        happens; answer what its end counts as if nothing more is learnt. `heard` is awaited after
        each event."""
        try:
            async with aclosing(events_of(stream, self._limit)) as events:
                # The last event of a response repeats its image in full. One in the background
                # comes to its end without a listener; any other might not.
                while not (answer.over or (answer.has_image and answer.in_background)):
                    silence = SILENCE if answer.in_background else None
                    async with asyncio.timeout(LINGER if answer.has_image else silence):
                        event = await anext(events, None)
                    if event is None:
                        return FailureKind.STREAM_ENDED
                    answer.take_event(event)
                    del event
                    if heard is not None:
                        await heard(answer)
        except TimeoutError:
            return FailureKind.TIMED_OUT
        except (APIConnectionError, ValueError):  # dropped, or cut in the middle of an event
            return FailureKind.PROVIDER_DOWN
        except APIError as error:  # an error event whose error is nested: the SDK raises it
            answer.error = error.body
            answer.failure = failure_of(error)
        return FailureKind.STREAM_ENDED

    async def look(self, answer: ResponseState) -> bool:
        """Ask how the response stands; False where the server answers something else.

        Raises `APIError`, or `ValueError` for what is no JSON.
        """
        headers = headers_of(answer.request_id)
        response = await self._responses.retrieve(answer.id, extra_headers=headers)
        answer.take_response(response)
        return bool(answer.status)

    async def follow(self, answer: ResponseState) -> None:
        """Go on until the response is settled, or until the server does not tell any more."""
        streams = answer.in_background
        try:
            while not answer.settled:
                streams = streams and await self._stream(answer)
                if answer.settled or not await self.look(answer) or answer.settled:
                    return
                await asyncio.sleep(POLL)
        except (APIError, ValueError) as error:
            logger.warning("can't go on from response %s: %s", answer.id, type(error).__name__)

    async def _stream(self, answer: ResponseState) -> bool:
        """Hear the events after the last one; False where the server has no stream for it."""
        after = omit if answer.sequence is None else answer.sequence
        try:
            stream = await self._responses.retrieve(
                answer.id,
                stream=True,
                starting_after=after,
                extra_headers=headers_of(answer.request_id),
            )
        except (APIError, ValueError):
            return False
        async with stream:
            await self.read(stream, answer)
        return True

    async def last_look(self, answer: ResponseState) -> None:
        """The time is up: take what is there by now, else stop the work so that it is not paid."""
        answer.lost = FailureKind.TIMED_OUT
        for ask in (self._responses.retrieve, self._responses.cancel):
            if answer.settled or not answer.in_background:
                return
            try:
                async with asyncio.timeout(LAST_WORD):
                    headers = headers_of(answer.request_id)
                    answer.take_response(await ask(answer.id, extra_headers=headers))
            except (APIError, ValueError, TimeoutError) as error:
                logger.info("late, and %s did not tell: %s", answer.id, type(error).__name__)

    async def cancel(self, response_id: str) -> None:
        """Stop a background response before it is paid for, as well as that can be done; never
        raises."""
        try:
            async with asyncio.timeout(CANCEL_PATIENCE):
                await self._responses.cancel(response_id)
        except Exception as error:  # noqa: BLE001 - nobody could do anything about it
            logger.info("%s could not be cancelled: %s", response_id, type(error).__name__)

    async def learn_id(self, creating: asyncio.Task[Any], answer: ResponseState, tell: Heard) -> None:
        """A call that nobody waits for any more may be paid for all the same. By its id it can be
        called off, or gone on from."""
        try:
            async with asyncio.timeout(LAST_CHANCE):
                created = await creating
                if isinstance(created, AsyncStream):
                    await self._read_id(created, answer, tell)
                else:
                    answer.take_response(created)
                    await tell(answer)
        except (TimeoutError, APIError, ValueError, GenerationError) as error:
            logger.info("what was asked last was not learnt: %s", type(error).__name__)
        finally:
            creating.cancel()

    async def _read_id(self, stream: AsyncStream[Any], answer: ResponseState, tell: Heard) -> None:
        async with stream, aclosing(events_of(stream, self._limit)) as events:
            async for event in events:
                answer.take_event(event)
                await tell(answer)
                if answer.id:
                    break
