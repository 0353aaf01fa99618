"""The connections that web and worker share."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass

from redis.asyncio import Redis

from bot.adapters.imaging import SerialExecutor
from bot.adapters.queue import BullJobQueue
from bot.adapters.redis import (
    RedisCancellations,
    RedisHeartbeats,
    RedisSessionStore,
    RedisShutOuts,
    redis_client,
)
from bot.adapters.slack import SlackClient, SlackFiles, SlackPublisher
from bot.settings import Settings
from bot.slack.identity import Identity

SMALL_PATIENCE = 2.0
"""Seconds for Redis to hear that a run lives, or how Slack stands."""


@dataclass(frozen=True)
class Outside:
    """Checked connections, and who the bot is."""

    settings: Settings
    slack: SlackClient
    identity: Identity
    queue: BullJobQueue
    publisher: SlackPublisher
    files: SlackFiles
    reading: SerialExecutor

    @property
    def redis_url(self) -> str:
        return self.settings.redis_url.get_secret_value()

    def heartbeats(self, stack: AsyncExitStack) -> RedisHeartbeats:
        return RedisHeartbeats(self._small(stack), SMALL_PATIENCE, self.settings.job_lease)

    def shut_outs(self, stack: AsyncExitStack) -> RedisShutOuts:
        return RedisShutOuts(self._small(stack), SMALL_PATIENCE)

    def _small(self, stack: AsyncExitStack) -> Redis:
        redis = redis_client(self.redis_url, SMALL_PATIENCE)
        stack.push_async_callback(redis.aclose)
        return redis

    def redis(
        self, stack: AsyncExitStack, patience: float
    ) -> tuple[RedisSessionStore, RedisCancellations]:
        """What is kept in Redis, and the word that is sent over it. Calls take `patience` seconds
        at most."""
        redis = redis_client(self.redis_url, patience)
        stack.push_async_callback(redis.aclose)
        sessions = RedisSessionStore(
            redis,
            session_ttl=self.settings.session_ttl,
            image_ttl=self.settings.image_ttl,
            patience=patience,
        )
        return sessions, RedisCancellations(redis)
