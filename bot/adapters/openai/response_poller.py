"""Following a response that is under way by its id. Nothing here costs anything."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from typing import Any

from openai import APIError, AsyncOpenAI, AsyncStream, omit

from bot.adapters.openai.client import for_free_calls
from bot.adapters.openai.event_stream import events_of, read_stream, record_id
from bot.adapters.openai.request_body import headers_of
from bot.adapters.openai.response_state import ResponseState
from bot.concurrency import SoftLimit
from bot.domain.failures import FailureKind, GenerationError
from bot.ports import CancelledCall, Checkpoint

logger = logging.getLogger(__name__)

POLL = 1.0
"""Seconds between two questions how a response stands."""
LAST_LOOK = 5.0
"""Seconds for each of the last two calls after the deadline."""
CANCEL_PATIENCE = 2.0
"""Seconds that cancelling a response may take."""
LAST_CHANCE = 0.8
"""Seconds for a cancelled call to tell its id: the person who cancels sees the end within one
second."""


class ResponsePoller:
    """Asks for responses by their ids. `limit` is the one that all streams share."""

    def __init__(self, client: AsyncOpenAI, limit: SoftLimit) -> None:
        self._limit = limit
        self._responses = for_free_calls(client).responses

    async def look(self, state: ResponseState) -> bool:
        """Ask how the response stands; False where the server answers something else.

        Raises `APIError`, or `ValueError` for an answer that is no JSON.
        """
        headers = headers_of(state.request_id)
        state.take_response(await self._responses.retrieve(state.id, extra_headers=headers))
        return bool(state.status)

    async def follow(self, state: ResponseState) -> None:
        """Go on until the response has an image or has ended, or until the server tells no more."""
        streams = state.in_background
        try:
            while not (state.result or state.ended):
                streams = streams and await self._reopen_stream(state)
                if state.result or state.ended or not await self.look(state):
                    return
                if not (state.result or state.ended):
                    await asyncio.sleep(POLL)
        except (APIError, ValueError) as error:
            logger.warning("can't go on from response %s: %s", state.id, type(error).__name__)

    async def _reopen_stream(self, state: ResponseState) -> bool:
        """Read the events after the last one; False where the server has no stream for it."""
        try:
            stream = await self._responses.retrieve(
                state.id,
                stream=True,
                starting_after=omit if state.sequence is None else state.sequence,
                extra_headers=headers_of(state.request_id),
            )
        except (APIError, ValueError):
            return False
        async with stream:
            await read_stream(stream, state, self._limit)
        return True

    async def last_look(self, state: ResponseState) -> None:
        """After the deadline: take what is there by now, else cancel the response so that it is not
        paid for."""
        state.lost = FailureKind.TIMED_OUT
        for ask in (self._responses.retrieve, self._responses.cancel):
            if state.result or state.ended or not state.in_background:
                return
            try:
                async with asyncio.timeout(LAST_LOOK):
                    headers = headers_of(state.request_id)
                    state.take_response(await ask(state.id, extra_headers=headers))
            except (APIError, ValueError, TimeoutError) as error:
                logger.info("late, and %s did not tell: %s", state.id, type(error).__name__)

    async def learn_usage(self, state: ResponseState) -> None:
        """Ask once more about a response that has brought its image, and not told what it took."""
        try:
            async with asyncio.timeout(LAST_LOOK):
                await self.look(state)
        except (APIError, ValueError, TimeoutError) as error:
            logger.info("%s did not tell its usage: %s", state.id, type(error).__name__)

    async def cancel(self, response_id: str) -> CancelledCall:
        """Cancel a background response before it is paid for, where that is possible; never
        raises."""
        state = ResponseState(response_id)
        try:
            async with asyncio.timeout(CANCEL_PATIENCE):
                state.take_response(await self._responses.cancel(response_id))
        except Exception as error:  # noqa: BLE001 - the caller could do nothing about it
            logger.info("%s could not be cancelled: %s", response_id, type(error).__name__)
        return CancelledCall(state.usage, state.may_be_paid)

    async def learn_id(
        self, creating: asyncio.Task[Any], state: ResponseState, checkpoint: Checkpoint
    ) -> None:
        """Record the id of a call whose caller was cancelled. The call may be paid for all the
        same; by its id the response can be cancelled, or a later run can go on from it."""
        try:
            async with asyncio.timeout(LAST_CHANCE):
                created = await creating
                if not isinstance(created, AsyncStream):
                    state.take_response(created)
                    await record_id(state, checkpoint)
                    return
                async with created, aclosing(events_of(created, self._limit)) as events:
                    async for event in events:
                        state.take_event(event)
                        await record_id(state, checkpoint)
                        if state.id:
                            break
        except (TimeoutError, APIError, ValueError, GenerationError) as error:
            logger.info("the id of a cancelled call was not learnt: %s", type(error).__name__)
        finally:
            creating.cancel()
