"""The connections that web and worker share."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from dataclasses import dataclass

from redis.asyncio import Redis

from bot.adapters.imaging import SerialExecutor
from bot.adapters.queue import BullJobQueue
from bot.adapters.redis import (
    RecordPolicy,
    RedisBooks,
    RedisLimitSettings,
    RedisRecord,
    RedisSessionStore,
    redis_client,
)
from bot.adapters.slack import SlackClient, SlackFiles, SlackPacing, SlackPublisher
from bot.domain.call_defaults import Defaults
from bot.ports import Prices
from bot.service.budgets import Budgets
from bot.service.limits import WorkspaceLimits
from bot.settings import Settings
from bot.slack.identity import Identity


class RedisClients:
    """Clients of one Redis. Those whose calls may take equally long are one, with the connections
    that it has: a connection costs as much as several calls. The stack closes them."""

    def __init__(self, url: str, stack: AsyncExitStack) -> None:
        self._url = url
        self._stack = stack
        self._clients: dict[float, Redis] = {}

    def with_patience(self, patience: float) -> Redis:
        """A client whose calls take `patience` seconds at most."""
        if patience not in self._clients:
            self._clients[patience] = redis_client(self._url, patience)
            self._stack.push_async_callback(self._clients[patience].aclose)
        return self._clients[patience]


@dataclass(frozen=True)
class Clients:
    """Checked connections, with the settings, and who the bot is."""

    settings: Settings
    redis: RedisClients
    slack: SlackClient
    identity: Identity
    queue: BullJobQueue
    publisher: SlackPublisher
    files: SlackFiles
    reading: SerialExecutor
    pacing: SlackPacing
    prices: Prices

    @property
    def redis_url(self) -> str:
        return self.settings.redis_url.get_secret_value()

    def sessions(self, redis: Redis, patience: float) -> RedisSessionStore:
        return RedisSessionStore(
            redis,
            session_ttl=self.settings.session_ttl,
            image_ttl=self.settings.image_ttl,
            user_bytes=self.settings.user_bytes,
            patience=patience,
            record=self.record_policy,
            ledger_ttl=self.settings.ledger_ttl,
        )

    @property
    def record_policy(self) -> RecordPolicy:
        return RecordPolicy(self.settings.audit_ttl, self.settings.audit_prompts)

    def record(self, redis: Redis, patience: float) -> RedisRecord:
        return RedisRecord(redis, patience, self.record_policy)

    def limits(self, redis: Redis, patience: float) -> WorkspaceLimits:
        settings = RedisLimitSettings(redis, patience, self.record_policy)
        return WorkspaceLimits(settings, self.settings.operator_limits, time.time)

    def budgets(self, redis: Redis, patience: float) -> Budgets:
        settings = self.settings
        defaults = Defaults(
            settings.image_model,
            settings.host_model,
            settings.image_size,
            settings.image_quality,
            settings.partial_images,
        )
        limits = self.limits(redis, patience)
        books = self.books(redis, patience)
        zone = settings.zone
        admins = settings.admin_ids
        return Budgets(books, self.prices, limits.limits_of, defaults, zone, time.time, admins)

    def books(self, redis: Redis, patience: float) -> RedisBooks:
        return RedisBooks(redis, ledger_ttl=self.settings.ledger_ttl, patience=patience)
