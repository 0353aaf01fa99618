"""The composition root: settings → adapters → flow → web and worker, and their end.

One process is web (Slack's requests in), worker (jobs), or both. Everything is opened on an exit
stack, so it is closed in reverse: first no more requests, then no more jobs, then the connections.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from enum import Flag, auto
from typing import Any, TypeVar

from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.embedded_redis import EmbeddedRedis
from bot.adapters.queue import BullJobQueue, BullWorker
from bot.adapters.redis import RedisCancellations, RedisSessionStore, redis_client
from bot.adapters.slack import SlackFiles, SlackPublisher, slack_client, slack_session
from bot.backends import image_backend
from bot.direction import Direction, Portfolio
from bot.domain.errors import ImagineError
from bot.domain.policy import Policy
from bot.flow import ReviewFlow
from bot.flow.live_preview import LivePreviews
from bot.flow.live_status import LiveStatus
from bot.flow.requests import Requests
from bot.ports import SessionStore
from bot.settings import Settings
from bot.slack.bolt import Identity, bolt_app
from bot.slack.http import HttpServer, events_routes, health_routes
from bot.slack.listeners import Listeners
from bot.slack.socket_mode import SocketModeConnections
from bot.startup import check_at_start, warn_of_models
from bot.tasks import BackgroundTasks, end
from bot.worker.generations import Generations
from bot.worker.handler import JobHandler
from bot.worker.queue_status import QueueStatus
from bot.worker.sweeper import Sweeper

log = logging.getLogger(__name__)

T = TypeVar("T")

WEB_PATIENCE = 1.5
"""Seconds for the store while Slack waits: acks have to be there within 3."""
WORKER_PATIENCE = 60.0
"""Seconds for the store while a paid image waits to be recorded."""
_DRAIN = 5.0


class Role(Flag):
    """What a process does."""

    WEB = auto()
    WORKER = auto()


class WorkEnded(ImagineError):
    """Something that has to run for ever has ended."""


@dataclass(frozen=True)
class Outside:
    """The connections that web and worker share, checked."""

    settings: Settings
    slack: AsyncWebClient
    identity: Identity
    queue: BullJobQueue
    publisher: SlackPublisher
    files: SlackFiles

    @property
    def redis_url(self) -> str:
        return self.settings.redis_url.get_secret_value()


async def run(settings: Settings, role: Role, *, embedded_redis: bool = False) -> None:
    """Run until SIGTERM or SIGINT. Raises `StartupError` where something outside is wrong, and
    `WorkEnded` where something that has to go on did not."""
    stop = _stop_on_signals()
    async with AsyncExitStack() as stack:
        if embedded_redis and not settings.redis_url.get_secret_value():
            settings = _embed_redis(settings, stack)
        outside = await _connect(settings, role, stack, stop)
        if outside is None:
            return
        endless = await _unless_stopped(stop, _start(outside, role, stack))
        if endless is not None:
            log.info("ready as @%s", outside.identity.bot_name)
            await _until_stopped(stop, endless)
        log.info("stopping")
    log.info("stopped")


async def _start(outside: Outside, role: Role, stack: AsyncExitStack) -> list[asyncio.Task[None]]:
    """Start what the role asks for, and answer the tasks that must not end."""
    endless: list[asyncio.Task[None]] = []
    if Role.WORKER in role:
        endless += await _start_worker(outside, stack)
    if Role.WEB in role:
        await _start_web(outside, stack)
    await _serve_health(outside, stack)
    return endless


async def _unless_stopped(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """What the work answers, or None where the program is stopped before its end."""
    working, stopped = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if working.done():
        return working.result()
    working.cancel()
    await asyncio.wait({working})
    return None


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def _embed_redis(settings: Settings, stack: AsyncExitStack) -> Settings:
    redis = stack.enter_context(EmbeddedRedis(settings.data_dir))
    log.info("the embedded Redis keeps its data in %s", settings.data_dir.resolve())
    return settings.model_copy(update={"redis_url": SecretStr(redis.url)})


async def _connect(
    settings: Settings, role: Role, stack: AsyncExitStack, stop: asyncio.Event
) -> Outside | None:
    """None where the program was stopped while it waited for something outside."""
    http = await stack.enter_async_context(slack_session())
    token = settings.slack_bot_token.get_secret_value()
    slack = slack_client(token, settings.slack_api_url, http)
    identity = await check_at_start(settings, slack, stop, web=Role.WEB in role)
    if identity is None:
        return None
    queue = BullJobQueue(settings.redis_url.get_secret_value())
    stack.push_async_callback(queue.close)
    publisher, files = SlackPublisher(slack, http), SlackFiles(slack, http)
    return Outside(settings, slack, identity, queue, publisher, files)


def _redis(
    outside: Outside, stack: AsyncExitStack, patience: float
) -> tuple[SessionStore, RedisCancellations]:
    """What is kept in Redis, and the word that is sent over it."""
    redis = redis_client(outside.redis_url, patience)
    stack.push_async_callback(redis.aclose)
    sessions = RedisSessionStore(
        redis,
        session_ttl=outside.settings.session_ttl,
        image_ttl=outside.settings.image_ttl,
        patience=patience,
    )
    return sessions, RedisCancellations(redis)


async def _start_web(outside: Outside, stack: AsyncExitStack) -> None:
    settings = outside.settings
    sessions, cancellations = _redis(outside, stack, WEB_PATIENCE)
    tasks = BackgroundTasks()
    stack.push_async_callback(tasks.drain, _DRAIN)
    direction = Direction(
        sessions,
        outside.queue,
        cancellations,
        Policy.parse(settings.directors),
        tasks,
        time.time,
        settings.qualities,
    )
    signing_secret = settings.slack_signing_secret.get_secret_value()
    app = bolt_app(outside.slack, outside.identity, signing_secret)
    portfolio = Portfolio(sessions, settings.qualities)
    Listeners(direction, portfolio, outside.publisher, tasks, outside.identity).register(app)
    if settings.socket_mode:
        sockets = SocketModeConnections(app, settings.slack_app_token.get_secret_value())
        stack.push_async_callback(sockets.stop)
        await sockets.start()
        log.info("connected over Socket Mode")
        return
    routes = events_routes(app, signing_secret) + health_routes(sessions)
    server = HttpServer(routes, settings.port)
    stack.push_async_callback(server.stop)
    log.info("listening for Slack on port %s", await server.start())


async def _serve_health(outside: Outside, stack: AsyncExitStack) -> None:
    """For a worker, and for Socket Mode, where nothing else listens."""
    port = outside.settings.health_port
    if port is None:
        return
    sessions, _ = _redis(outside, stack, WEB_PATIENCE)
    server = HttpServer(health_routes(sessions), port)
    stack.push_async_callback(server.stop)
    log.info("telling of our health on port %s", await server.start())


async def _start_worker(outside: Outside, stack: AsyncExitStack) -> list[asyncio.Task[None]]:
    settings, publisher, queue = outside.settings, outside.publisher, outside.queue
    sessions, cancellations = _redis(outside, stack, WORKER_PATIENCE)
    backend = image_backend(settings)
    stack.push_async_callback(backend.close)
    status = LiveStatus(sessions, publisher)
    previews = LivePreviews(sessions, publisher, enabled=settings.partial_images > 0)
    requests = Requests(sessions, outside.files, avoid_rejected=settings.avoid_rejected)
    flow = ReviewFlow(sessions, backend, publisher, requests, previews, status.changed)
    generations = Generations(sessions, backend, publisher, flow, status, previews)
    bot_name = outside.identity.bot_name
    handler = JobHandler(sessions, queue, cancellations, publisher, generations, status, bot_name)
    worker = BullWorker(outside.redis_url, handler, settings.worker_concurrency)
    tasks = BackgroundTasks()
    stack.push_async_callback(tasks.drain, 0.0)
    tasks.spawn(warn_of_models(settings))
    running = asyncio.create_task(worker.run())
    watching = [
        Sweeper(sessions, queue, flow, publisher).run(),
        QueueStatus(sessions, queue, publisher).run(),
        cancellations.listen(generations.cancelled, generations.look_at_all),
    ]
    endless = [asyncio.create_task(watch) for watch in watching]
    stack.push_async_callback(_stop_worker, worker, running, endless, settings.shutdown_grace)
    return [running, *endless]


async def _stop_worker(
    worker: BullWorker,
    running: asyncio.Task[None],
    watchers: list[asyncio.Task[None]],
    grace: float,
) -> None:
    for watcher in watchers:
        watcher.cancel()
    await worker.stop(grace)
    await asyncio.gather(running, *(end(watcher) for watcher in watchers), return_exceptions=True)


async def _until_stopped(stop: asyncio.Event, endless: list[asyncio.Task[None]]) -> None:
    stopped = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait({stopped, *endless}, return_when=asyncio.FIRST_COMPLETED)
    if stopped in done:
        return
    stopped.cancel()
    raise WorkEnded("the worker could not be kept running")
