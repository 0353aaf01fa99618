"""The connections that web and worker share."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.queue import BullJobQueue
from bot.adapters.redis import RedisCancellations, RedisSessionStore, redis_client
from bot.adapters.slack import SlackFiles, SlackPublisher
from bot.settings import Settings
from bot.slack.identity import Identity


@dataclass(frozen=True)
class Outside:
    """Checked connections, and who the bot is."""

    settings: Settings
    slack: AsyncWebClient
    identity: Identity
    queue: BullJobQueue
    publisher: SlackPublisher
    files: SlackFiles

    @property
    def redis_url(self) -> str:
        return self.settings.redis_url.get_secret_value()

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
