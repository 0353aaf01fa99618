"""Connections to Redis, for more callers than there are connections."""

from __future__ import annotations

from typing import Any

from redis.asyncio import BlockingConnectionPool


class TurnsPool(BlockingConnectionPool):
    """Callers wait for their turn. One who gives up in the moment that it comes passes it on: up
    to Python 3.12 `asyncio.Condition` lets it lapse, and others would wait beside idle
    connections."""

    async def get_connection(self, *args: Any, **options: Any) -> Any:
        get_connection: Any = super().get_connection
        try:
            return await get_connection(*args, **options)
        except BaseException:
            async with self._condition:
                self._condition.notify()
            raise
