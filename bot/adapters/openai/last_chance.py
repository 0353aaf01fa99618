"""The id of a call that was cancelled before its answer had come."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from typing import Any

from openai import APIError, AsyncStream

from bot.adapters.openai.events import events_of
from bot.adapters.openai.response_poller import Heard
from bot.adapters.openai.response_state import Answer
from bot.domain.errors import GenerationError
from bot.turns import Turns

logger = logging.getLogger(__name__)

LAST_CHANCE = 0.8
"""Seconds for a cancelled call to tell its id: who cancels is to see the end within one."""


async def learn_id(creating: asyncio.Task[Any], answer: Answer, turns: Turns, tell: Heard) -> None:
    """A call that nobody waits for any more may be paid for all the same. By its id it can be
    called off, or gone on from."""
    try:
        async with asyncio.timeout(LAST_CHANCE):
            created = await creating
            if isinstance(created, AsyncStream):
                await _read_id(created, answer, turns, tell)
            else:
                answer.take_response(created)
                await tell(answer)
    except (TimeoutError, APIError, ValueError, GenerationError) as error:
        logger.info("what was asked last was not learnt: %s", type(error).__name__)
    finally:
        creating.cancel()


async def _read_id(stream: AsyncStream[Any], answer: Answer, turns: Turns, tell: Heard) -> None:
    async with stream, aclosing(events_of(stream, turns)) as events:
        async for event in events:
            answer.take_event(event)
            await tell(answer)
            if answer.id:
                break
