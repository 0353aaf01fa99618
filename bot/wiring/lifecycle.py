"""The composition root: settings → adapters → flow → web and worker, and their end.

One process is web (Slack's requests in), worker (jobs), or both. Everything is opened on an exit
stack, so it is closed in reverse: first no more requests, then no more jobs, then the connections.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from contextlib import AsyncExitStack
from enum import Flag, auto

from pydantic import SecretStr

from bot.adapters.embedded_redis import EmbeddedRedis
from bot.adapters.imaging import SerialExecutor
from bot.adapters.pictures import PictureReader
from bot.adapters.queue import BullJobQueue
from bot.adapters.redis import RedisRateLimiter, RedisServer, RedisServerClaim
from bot.adapters.redis.server_claim import RENEW_EVERY
from bot.adapters.slack import (
    SlackFiles,
    SlackPacing,
    SlackPublisher,
    slack_client,
    slack_session,
)
from bot.concurrency import cancel_and_wait, run_until_event, wait_for_event
from bot.jobs.repeating import repeat_for_ever
from bot.ops.serving import HttpServer, Monitoring
from bot.ops.shared_gauges import SharedGauges
from bot.ops.shutdown import Shutdown
from bot.ops.spending import SpendingReader
from bot.ops.startup import check_at_start, require_settings, wait_for_own_redis
from bot.settings import Settings
from bot.slack.identity import Identity
from bot.wiring.backends import prices_of
from bot.wiring.clients import Clients, RedisClients
from bot.wiring.web import start_web
from bot.wiring.worker import start_worker

log = logging.getLogger(__name__)

HEALTH_PATIENCE = 1.5
"""Seconds for Redis to answer a health check."""
PACE_PATIENCE = 1.5
"""Seconds for Redis to give a call of Slack's its turn, after which this process paces itself."""


class Role(Flag):
    """The work of a process."""

    WEB = auto()
    WORKER = auto()


async def run(settings: Settings, role: Role, *, embedded_redis: bool = False) -> None:
    """Run until SIGTERM or SIGINT. Raises `StartupError` where a setting or an outside service is
    wrong, and `TaskEnded` where a task that has to run for ever has ended."""
    require_settings(
        settings, web=Role.WEB in role, worker=Role.WORKER in role, own_redis=embedded_redis
    )
    shutdown = Shutdown()
    shutdown.listen_to_signals()
    async with AsyncExitStack() as stack:
        if embedded_redis and not settings.redis_url.get_secret_value():
            settings = _embed_redis(settings, stack)
        clients = await run_until_event(
            _connect(settings, role, stack, shutdown), shutdown.requested
        )
        endless = None
        if clients is not None:
            endless = await run_until_event(
                _start(clients, role, stack, shutdown), shutdown.requested
            )
        if clients is not None and endless is not None:
            _freeze_garbage_collector()
            log.info("ready as @%s", clients.identity.bot_name)
            await shutdown.wait_until_requested(endless)
            log.info("stopping")
            await _drain(settings, role, shutdown)
    shutdown.ignore_signals()
    log.info("stopped")


def _freeze_garbage_collector() -> None:
    """The objects of the start, 150,000 and mostly code, are never garbage. Looking through them
    would stop the event loop for 70 ms now and then."""
    gc.collect()
    gc.freeze()


async def _drain(settings: Settings, role: Role, shutdown: Shutdown) -> None:
    """Serve on for a while, as not ready: a load balancer needs that time to send requests
    elsewhere. Socket Mode needs none, because Slack itself is told; a worker gets no requests."""
    if role is Role.WEB and not settings.socket_mode:
        await wait_for_event(shutdown.urgent, settings.drain_seconds)


async def _start(
    clients: Clients, role: Role, stack: AsyncExitStack, shutdown: Shutdown
) -> list[asyncio.Task[None]]:
    """Start the parts of the role, and answer the tasks that must not end."""
    monitoring = await _serve_monitoring(clients, role, stack, shutdown)
    endless: list[asyncio.Task[None]] = []
    if Role.WORKER in role:
        endless += await start_worker(clients, stack, monitoring, shutdown)
    if Role.WEB in role:
        await start_web(clients, stack, monitoring, shutdown)
    monitoring.started()
    return endless


def _embed_redis(settings: Settings, stack: AsyncExitStack) -> Settings:
    redis = stack.enter_context(EmbeddedRedis(settings.data_dir))
    log.info("the embedded Redis keeps its data in %s", settings.data_dir.resolve())
    return settings.model_copy(update={"redis_url": SecretStr(redis.url)})


async def _connect(
    settings: Settings, role: Role, stack: AsyncExitStack, shutdown: Shutdown
) -> Clients | None:
    """None where the program was stopped while it waited for Redis or Slack."""
    prices = prices_of(settings)
    http = await stack.enter_async_context(slack_session())
    token = settings.slack_bot_token.get_secret_value()
    slack = slack_client(token, settings.slack_api_url, http)
    identity = await check_at_start(settings, slack, shutdown.requested, web=Role.WEB in role)
    if identity is None:
        return None
    redis = RedisClients(settings.redis_url.get_secret_value(), stack)
    if not await _claim_redis(redis, identity, stack, shutdown):
        return None
    queue = BullJobQueue(settings.redis_url.get_secret_value(), settings.user_images_at_once)
    stack.push_async_callback(queue.close)
    reading = SerialExecutor()
    pacing = SlackPacing(
        RedisRateLimiter(redis.with_patience(PACE_PATIENCE), identity.installation, PACE_PATIENCE),
        settings.slack_messages_per_second,
    )
    slack.pacing = pacing
    publisher = SlackPublisher(
        slack,
        http,
        ai_label=settings.ai_label,
        job_lease=settings.job_lease,
        pacing=pacing,
        may_read_files=identity.has_scope("files:read"),
    )
    reader = PictureReader()
    stack.push_async_callback(reader.close)
    files = SlackFiles(slack, http, reader)
    return Clients(
        settings, redis, slack, identity, queue, publisher, files, reading, pacing, prices
    )


async def _claim_redis(
    redis: RedisClients, identity: Identity, stack: AsyncExitStack, shutdown: Shutdown
) -> bool:
    """Claim Redis for this installation until the end of the stack; False where the program was
    stopped meanwhile."""
    claim = RedisServerClaim(
        redis.with_patience(PACE_PATIENCE), identity.installation, PACE_PATIENCE
    )
    if not await wait_for_own_redis(claim.other, shutdown.requested):
        return False
    stack.push_async_callback(claim.release)
    renewing = repeat_for_ever(claim.renew, RENEW_EVERY, log, "the claim of Redis")
    stack.push_async_callback(cancel_and_wait, asyncio.create_task(renewing))
    return True


async def _serve_monitoring(
    clients: Clients, role: Role, stack: AsyncExitStack, shutdown: Shutdown
) -> Monitoring:
    """On a port of its own, for a worker and for Socket Mode, where nothing else listens. It starts
    before the parts that it reports on, and ends after them."""
    redis = RedisServer(clients.redis.with_patience(HEALTH_PATIENCE), HEALTH_PATIENCE)
    monitoring = Monitoring(redis.ping, shutdown.requested)
    if Role.WORKER in role:
        record = clients.record(clients.redis.with_patience(HEALTH_PATIENCE), HEALTH_PATIENCE)
        of_books = clients.redis.with_patience(HEALTH_PATIENCE)
        spending = SpendingReader(
            clients.books(of_books, HEALTH_PATIENCE),
            clients.limits(of_books, HEALTH_PATIENCE).limits_of,
            clients.settings.zone,
            time.time,
        )
        gauges = SharedGauges(
            clients.queue.depths, redis.census, redis.memory, record.unsealed_since, spending.read
        )
        stack.push_async_callback(gauges.close)
        monitoring.refresh_by(gauges.refresh)
    if clients.settings.health_port is not None:
        server = HttpServer(monitoring.routes(), clients.settings.health_port)
        stack.push_async_callback(server.stop)
        log.info("telling of our health on port %s", await server.start())
    return monitoring
