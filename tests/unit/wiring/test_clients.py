from __future__ import annotations

from contextlib import AsyncExitStack

from bot.wiring.clients import RedisClients


async def test_calls_that_may_take_equally_long_share_connections() -> None:
    async with AsyncExitStack() as stack:
        clients = RedisClients("redis://127.0.0.1:1", stack)
        one, other = clients.with_patience(1.5), clients.with_patience(2.0)
        assert clients.with_patience(1.5) is one
        assert one.connection_pool is not other.connection_pool
        socket_timeouts = [
            each.connection_pool.connection_kwargs["socket_timeout"] for each in (one, other)
        ]
        assert socket_timeouts == [1.5, 2.0]
