"""`RedisPictures`: people's pictures, one for each of Slack's files."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import pybase64
from redis.asyncio import Redis

from bot.adapters.redis.image_bytes import ImageBytes
from bot.adapters.redis.schema import picture_key, readers_key
from bot.adapters.redis_errors import bounded
from bot.domain.images import BaseImage

READERS_TTL = 24 * 3600
"""Seconds for which it is known that workers were lost with a picture."""

_BEGIN = """
-- KEYS: the set of readers; ARGV: the reader, the set's time in seconds, the readers that were lost
-- Answers 1 where the reader is recorded, 0 where another one lives.
local lost = {}
for i = 3, #ARGV do lost[ARGV[i]] = true end
for _, other in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  if other ~= ARGV[1] and not lost[other] then return 0 end
end
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
"""


class RedisPictures:
    """Implements `bot.ports.PictureStore`. `ttl` and `patience` are seconds. `user_bytes`
    is how much one person's pictures and images may be; 0 sets no bound."""

    def __init__(self, redis: Redis, *, ttl: int, patience: float, user_bytes: int = 0) -> None:
        self._redis: Any = redis  # its stubs do not know of `decode_responses`
        self._ttl = ttl
        self._patience = patience
        self._bytes = ImageBytes(redis, most=user_bytes, list_ttl=ttl)
        self._begin = redis.register_script(_BEGIN)

    async def load(self, team: str, file_id: str) -> BaseImage | None:
        async with bounded(self._patience):
            key = picture_key(team, file_id)
            stored: str | None = await self._redis.getex(key, ex=self._ttl)
        if not stored:
            return None
        fields = json.loads(stored)
        return BaseImage(**{**fields, "data": pybase64.b64decode(fields["data"])})

    async def keep(self, team: str, user: str, file_id: str, picture: BaseImage) -> None:
        fields = {
            "data": pybase64.b64encode_as_string(picture.data),
            "mime_type": picture.mime_type,
            "width": picture.width,
            "height": picture.height,
        }
        async with bounded(self._patience):
            key, data = picture_key(team, file_id), json.dumps(fields)
            await self._bytes.keep(team, user, key, data, self._ttl)

    async def readers(self, team: str, file_id: str) -> set[str]:
        async with bounded(self._patience):
            found: set[str] = await self._redis.smembers(readers_key(team, file_id))
        return found

    async def begin_reading(
        self, team: str, file_id: str, reader: str, lost: Collection[str]
    ) -> bool:
        async with bounded(self._patience):
            begun = await self._begin(
                keys=[readers_key(team, file_id)], args=[reader, READERS_TTL, *lost]
            )
        return bool(begun)

    async def end_reading(self, team: str, file_id: str, reader: str) -> None:
        async with bounded(self._patience):
            await self._redis.srem(readers_key(team, file_id), reader)

    async def forget_readers(self, team: str, file_id: str) -> None:
        async with bounded(self._patience):
            await self._redis.unlink(readers_key(team, file_id))
