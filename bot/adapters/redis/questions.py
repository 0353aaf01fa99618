"""`RedisQuestions`: what people are asked before anything is paid for."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis

from bot.adapters.redis.schema import question_from_json, question_key, question_to_json
from bot.adapters.redis_connections import bounded
from bot.domain.questions import PictureQuestion
from bot.ports import QUESTION_TTL


class RedisQuestions:
    """Implements `bot.ports.QuestionStore`. `patience` bounds each call, in seconds."""

    def __init__(self, redis: Redis, *, patience: float) -> None:
        self._redis: Any = redis  # its stubs do not know of `decode_responses`
        self._patience = patience

    async def keep_question(self, question: PictureQuestion) -> bool:
        async with bounded(self._patience):
            key, stored = question_key(question.id), question_to_json(question)
            return bool(await self._redis.set(key, stored, nx=True, ex=QUESTION_TTL))

    async def question(self, question_id: str) -> PictureQuestion | None:
        async with bounded(self._patience):
            stored: str | None = await self._redis.get(question_key(question_id))
        return question_from_json(stored) if stored else None
