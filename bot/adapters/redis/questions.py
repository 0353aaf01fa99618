"""`RedisQuestions`: what people are asked before anything is paid for."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis

from bot.adapters.redis.schema import question_key
from bot.adapters.redis.session_fields import question_from_json, question_to_json
from bot.adapters.redis_errors import bounded
from bot.domain.questions import Question, WaitingPicture
from bot.ports import QUESTION_TTL, WAITING_PICTURE_TTL


class RedisQuestions:
    """Implements `bot.ports.QuestionStore`. `patience` bounds each call, in seconds."""

    def __init__(self, redis: Redis, *, patience: float) -> None:
        self._redis: Any = redis  # its stubs do not know of `decode_responses`
        self._patience = patience

    async def keep_question(self, question: Question) -> bool:
        async with bounded(self._patience):
            key, stored = question_key(question.id), question_to_json(question)
            return bool(await self._redis.set(key, stored, nx=True, ex=QUESTION_TTL))

    async def question(self, question_id: str) -> Question | None:
        async with bounded(self._patience):
            stored: str | None = await self._redis.get(question_key(question_id))
        return question_from_json(stored) if stored else None

    async def keep_waiting_picture(self, *pictures: WaitingPicture) -> None:
        async with bounded(self._patience):
            for picture in pictures:
                key, stored = question_key(picture.id), question_to_json(picture)
                await self._redis.set(key, stored, ex=WAITING_PICTURE_TTL)

    async def drop_question(self, question_id: str) -> None:
        async with bounded(self._patience):
            await self._redis.unlink(question_key(question_id))
