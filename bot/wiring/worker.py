"""The worker process: jobs → flow → provider and Slack."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from functools import partial

from bot.adapters.measured_backend import MeasuredBackend
from bot.adapters.queue import BullWorker
from bot.adapters.redis import RedisCancellations, RedisHeartbeats, RedisServer, RedisShutOuts
from bot.concurrency import BackgroundTasks, cancel_and_wait
from bot.flow import ReviewFlow
from bot.generation.checkpoint import Checkpoints
from bot.generation.image_requests import Requests
from bot.generation.store_retries import StoreRetries, retrying_store
from bot.jobs.generate import GenerationRunner
from bot.jobs.handler import JobHandler
from bot.jobs.last_try import GivingUp
from bot.jobs.slack_breaker import AuthTest, SlackBreaker
from bot.jobs.sweeper import Sweeper
from bot.ops.doctor import Verdict, identify
from bot.ops.serving import Monitoring
from bot.ops.shutdown import Shutdown
from bot.ops.startup import warn_of_models
from bot.ops.write_probe import REFUSED, WriteProbe
from bot.progress.live_preview import LivePreviews
from bot.progress.live_status import LiveStatus
from bot.progress.queue_position import QueueStatus
from bot.wiring.backends import image_backend
from bot.wiring.clients import Clients

PATIENCE = 60.0
"""Seconds for the store while a paid image waits to be recorded."""
SMALL_PATIENCE = 2.0
"""Seconds for Redis to take a heartbeat, or that Slack refuses the app."""
PROBE_PATIENCE = 2.0
"""Seconds for the store to take a small change."""


def slack_breaker(clients: Clients, stack: AsyncExitStack, tasks: BackgroundTasks) -> SlackBreaker:
    """A breaker to which this process reports each call that Slack refuses because it refuses the
    app."""

    async def auth_test() -> AuthTest:
        finding, identity = await identify(clients.slack)
        refused = finding.verdict is Verdict.WRONG
        return AuthTest(refused, identity.scopes if identity else None)

    shut_outs = RedisShutOuts(clients.redis(stack, SMALL_PATIENCE), SMALL_PATIENCE)
    breaker = SlackBreaker(shut_outs, auth_test, tasks)
    clients.slack.on_shut_out = breaker.report
    clients.slack.on_doubt = breaker.doubt
    clients.slack.on_worked = breaker.worked
    return breaker


async def start_worker(
    clients: Clients, stack: AsyncExitStack, monitoring: Monitoring, shutdown: Shutdown
) -> list[asyncio.Task[None]]:
    settings, publisher, queue = clients.settings, clients.publisher, clients.queue
    redis = clients.redis(stack, PATIENCE)
    sessions, cancellations = clients.sessions(redis, PATIENCE), RedisCancellations(redis)
    backend = MeasuredBackend(
        image_backend(settings, clients.reading), settings.image_backend.value
    )
    stack.push_async_callback(backend.close)
    status = LiveStatus(sessions, publisher)
    store_retries = StoreRetries(status.waits_for)
    retrying = retrying_store(sessions, store_retries)
    heartbeats = RedisHeartbeats(
        clients.redis(stack, SMALL_PATIENCE), SMALL_PATIENCE, settings.job_lease
    )
    probed = RedisServer(clients.redis(stack, PROBE_PATIENCE), PROBE_PATIENCE)
    write_probe = WriteProbe(probed.probe_write)
    previews = LivePreviews(sessions, publisher, enabled=settings.partial_images > 0)
    requests = Requests(retrying, clients.files, heartbeats, avoid_rejected=settings.avoid_rejected)
    tasks = BackgroundTasks()
    breaker = slack_breaker(clients, stack, tasks)
    flow = ReviewFlow(
        retrying,
        backend,
        publisher,
        requests,
        status.changed,
        Checkpoints(retrying, heartbeats, breaker, previews.offer),
    )
    generations = GenerationRunner(
        sessions, backend, publisher, flow, status, previews, heartbeats, store_retries
    )
    bot_name = clients.identity.bot_name
    handler = JobHandler(
        retrying,
        queue,
        cancellations,
        publisher,
        generations,
        GivingUp(retrying, publisher, flow, status),
        status,
        store_retries,
        breaker,
        bot_name,
    )
    worker = BullWorker(clients.redis_url, handler, settings.worker_concurrency, settings.job_lease)
    monitoring.needs(lambda: worker.takes_jobs, "no jobs are taken")
    for trouble, reason in REFUSED.items():
        monitoring.needs(partial(write_probe.is_free_of, trouble), reason)
    monitoring.needs(lambda: breaker.is_closed, "Slack refuses the app: nothing is generated")
    stack.push_async_callback(tasks.drain, 0.0)
    tasks.spawn(warn_of_models(settings))
    running = asyncio.create_task(worker.run())
    watching = [
        Sweeper(sessions, queue).run(),
        QueueStatus(sessions, queue, publisher, lambda: write_probe.trouble).run(),
        heartbeats.beat_for_ever(),
        write_probe.repeat(),
        breaker.watch(),
        cancellations.listen(generations.cancelled, generations.look_at_all),
    ]
    endless = [asyncio.create_task(watch) for watch in watching]
    grace = settings.shutdown_grace
    stack.push_async_callback(_stop_worker, worker, running, endless, grace, shutdown)
    return [running, *endless]


async def _stop_worker(
    worker: BullWorker,
    running: asyncio.Task[None],
    watchers: list[asyncio.Task[None]],
    grace: float,
    shutdown: Shutdown,
) -> None:
    """The watchers go on meanwhile, so that a person can still cancel a running job. A second
    signal ends the running jobs at once."""

    async def stop_at_once() -> None:
        await shutdown.urgent.wait()
        await worker.stop(0.0)

    hurrying = asyncio.create_task(stop_at_once())
    await worker.stop(grace)
    if not shutdown.urgent.is_set():
        hurrying.cancel()
    await cancel_and_wait(*watchers)
    await asyncio.gather(running, hurrying, return_exceptions=True)
