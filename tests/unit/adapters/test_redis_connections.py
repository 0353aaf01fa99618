"""How connections to Redis are made."""

from __future__ import annotations

from typing import Any

from redis.asyncio.connection import Connection

from bot.adapters.redis_connections import redis_pool


def test_a_command_is_packed_as_redis_py_packs_it() -> None:
    pool = redis_pool("redis://127.0.0.1:1")
    untyped: Any = pool
    connection, plain = untyped.make_connection(), Connection()
    for command in (
        ("HGETALL", "imagine:{T1}:é"),
        ("EVALSHA", "0" * 40, 1, "key", 1.5, -3, b"\x00\xff", "", 10**20, 1e300),
        ("CONFIG GET", "maxmemory"),
        ("SET", "image", "a" * 100_000, "EX", 60),
        ("SET", "image", b"\xff" * 100_000),
    ):
        assert b"".join(connection.pack_command(*command)) == b"".join(plain.pack_command(*command))


def test_an_image_is_not_copied_to_be_sent() -> None:
    untyped: Any = redis_pool("redis://127.0.0.1:1")
    image = b"\xff" * 100_000
    assert any(part is image for part in untyped.make_connection().pack_command("SET", "i", image))
