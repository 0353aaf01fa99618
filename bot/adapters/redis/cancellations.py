"""Word of a cancelled attempt, over Redis pub/sub: from whoever cancels to every worker."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ConnectionError, RedisError

from bot.adapters.redis.schema import CANCELLED

log = logging.getLogger(__name__)

_PATIENCE = 2.5
"""Seconds for sending; left alone, the client would try for a quarter of an hour."""
_SILENCE = 3.0
"""Seconds without a message after which Redis is asked for a sign of life, and then given up."""
_AGAIN_AFTER = 0.5


class RedisCancellations:
    """Implements `bot.ports.Cancellations`, and listens for the worker."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis

    async def send(self, session_id: str) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._redis.publish(CANCELLED, session_id)
        except (RedisError, OSError) as error:  # OSError: TimeoutError is one
            log.warning("no word of a cancellation: %s", type(error).__name__)

    async def listen(self, heard: Callable[[str], None], missed: Callable[[], None]) -> None:
        """Call `heard` with each session id, for ever. `missed` is called whenever the listening
        begins (again): word sent before that did not arrive."""
        while True:
            try:
                await self._listen(heard, missed)
            except (RedisError, OSError) as error:
                log.info("not listening for cancellations: %s", type(error).__name__)
            await asyncio.sleep(_AGAIN_AFTER)

    async def _listen(self, heard: Callable[[str], None], missed: Callable[[], None]) -> None:
        """Until Redis does not answer any more: a connection that died silently says nothing."""
        async with self._redis.pubsub() as pubsub:
            await pubsub.subscribe(CANCELLED)
            asked = False
            while True:
                message = await pubsub.get_message(timeout=_SILENCE)
                if message is None and asked:
                    raise ConnectionError("no sign of life")
                asked = message is None
                if message is None:
                    await pubsub.ping()
                elif message["type"] == "subscribe":
                    missed()
                elif message["type"] == "message":
                    heard(message["data"])
