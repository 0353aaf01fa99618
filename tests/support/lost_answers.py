"""Redis carries a command out, and the connection breaks before its answer."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError


def lose_first_answer(monkeypatch: pytest.MonkeyPatch, command: str) -> list[object]:
    """Lose the next answer to such a command. The list holds what was lost."""
    read = Redis.parse_response
    lost: list[object] = []

    async def lose(self: Redis, connection: object, name: str, **options: object) -> object:
        answer = await read(self, connection, name, **options)  # type: ignore[arg-type]
        if name == command and not lost:
            lost.append(answer)
            raise ConnectionError("cut")
        return answer

    monkeypatch.setattr(Redis, "parse_response", lose)
    return lost
