"""The worker process: jobs → flow → provider and Slack."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from functools import partial

from redis.asyncio import Redis

from bot.adapters.queue import BullWorker
from bot.adapters.redis import (
    REFUSED,
    RedisAppBlockedStore,
    RedisCancellations,
    RedisHeartbeats,
    RedisNotices,
    RedisPictures,
    RedisProviderSlots,
    RedisRefusedSettings,
    WriteProbe,
)
from bot.adapters.slack import WorkspaceAdmins
from bot.concurrency import BackgroundTasks, cancel_and_wait
from bot.domain.jobs import JobKind
from bot.flow import ReviewFlow
from bot.generation.call_pricing import CallPricing
from bot.generation.image_copies import ImageCopies
from bot.generation.image_requests import ImageRequests
from bot.generation.picture_loader import PictureLoader
from bot.generation.recording import RetryingStore, RunCheckpoint
from bot.generation.shared_provider import SharedProvider
from bot.jobs.announce import Announce, RootMessage
from bot.jobs.budget_notices import BudgetNotices
from bot.jobs.cancellation import CancelledAttempts, ShowCancelled
from bot.jobs.dispatcher import JobDispatcher
from bot.jobs.generate import CancellationWatch, Generate, GenerationRunner
from bot.jobs.hold_sweeper import HoldSweeper
from bot.jobs.last_try import Handler, LastTry
from bot.jobs.publish import Publish, ShowAttemptEnd, ShowDiscard
from bot.jobs.queue_cleaner import QueueCleaner
from bot.jobs.sealer import RecordSealer
from bot.jobs.slack_breaker import AuthTest, SlackBreaker
from bot.jobs.sweeper import Sweeper
from bot.ops.doctor import Verdict, identify
from bot.ops.serving import Monitoring
from bot.ops.shutdown import Shutdown
from bot.ops.startup import warn_of_models
from bot.ports import Cancellations, Heartbeats, ImageBackend, PictureStore, SessionStore
from bot.progress.draft_refresher import DraftRefresher
from bot.progress.live_preview import LivePreviews
from bot.progress.live_status import LiveStatus
from bot.progress.queue_position import QueuePositions
from bot.telemetry.meters import GenerationMeter
from bot.wiring.backends import image_backend
from bot.wiring.clients import Clients

PATIENCE = 60.0
"""Seconds for the store while a paid image waits to be recorded."""
SMALL_PATIENCE = 2.0
"""Seconds for Redis to take a heartbeat, or that Slack refuses the app."""
SEAL_PATIENCE = 10.0
"""Seconds for each step of sealing the record, which nobody waits for."""
PROBE_PATIENCE = 2.0
"""Seconds for the store to take a small change."""


def slack_breaker(clients: Clients, tasks: BackgroundTasks) -> SlackBreaker:
    """A breaker to which this process reports each call that Slack refuses because it refuses the
    app."""

    async def auth_test() -> AuthTest:
        finding, identity = await identify(clients.slack)
        refused = finding.verdict is Verdict.WRONG
        return AuthTest(refused, identity.scopes if identity else None)

    app_blocked_store = RedisAppBlockedStore(
        clients.redis.with_patience(SMALL_PATIENCE), SMALL_PATIENCE
    )
    breaker = SlackBreaker(app_blocked_store, auth_test, tasks)
    clients.slack.on_app_blocked = breaker.report
    clients.slack.on_doubt = breaker.doubt
    clients.slack.on_worked = breaker.worked
    clients.slack.before_call = breaker.before_call
    return breaker


def budget_notices(clients: Clients, redis: Redis, sessions: SessionStore) -> BudgetNotices:
    identity, settings = clients.identity, clients.settings
    listed = identity.has_scope("users:read") and not identity.org_wide
    return BudgetNotices(
        clients.books(redis, PATIENCE),
        RedisNotices(redis, PATIENCE),
        clients.publisher,
        sessions,
        clients.limits(redis, PATIENCE).limits_of,
        settings.zone,
        time.time,
        settings.admin_ids,
        WorkspaceAdmins(clients.slack, identity.team_id) if listed else None,
    )


def job_dispatcher(
    clients: Clients,
    sessions: SessionStore,
    pictures: PictureStore,
    cancellations: Cancellations,
    heartbeats: Heartbeats,
    breaker: SlackBreaker,
    backend: ImageBackend,
    notices: BudgetNotices,
) -> tuple[JobDispatcher, CancellationWatch]:
    """The handlers of the jobs, one for each kind, and what finds out that one is cancelled."""
    settings, publisher, queue = clients.settings, clients.publisher, clients.queue
    status = LiveStatus(sessions, publisher)
    retrying = RetryingStore(sessions, status.waits_for)
    previews = LivePreviews(sessions, publisher, enabled=settings.partial_images > 0)
    brought = PictureLoader(pictures, clients.files, heartbeats, retrying)
    copies = ImageCopies(retrying, clients.files)
    ends = CallPricing(clients.prices, settings.image_model, settings.host_model)
    flow = ReviewFlow(
        retrying,
        backend,
        publisher,
        ImageRequests(retrying, clients.files, brought, avoid_rejected=settings.avoid_rejected),
        status.changed,
        partial(RunCheckpoint, retrying, heartbeats, breaker, previews.offer, ends=ends),
        GenerationMeter(settings.image_backend.value),
        copies,
        clients.identity.bot_name,
    )
    runner = GenerationRunner(retrying, flow, previews, heartbeats)
    watch = CancellationWatch(sessions)
    cancelled = CancelledAttempts(sessions, backend, publisher, previews, ends)
    drafts = DraftRefresher(retrying, publisher)
    root = RootMessage(retrying, publisher, clients.identity.bot_name)
    show_end = ShowAttemptEnd(previews, drafts, status)
    show_cancelled = ShowCancelled(retrying, queue, cancellations, cancelled, drafts, status)
    publish = Publish(retrying, publisher, copies, show_end, clients.identity.bot_name)
    handlers: dict[JobKind, Handler] = {
        JobKind.ANNOUNCE: Announce(retrying, queue, root, drafts, status, notices),
        JobKind.GENERATE: Generate(runner, watch, cancelled, root, status, show_end),
        JobKind.SHOW_CANCELLED: show_cancelled,
        JobKind.PUBLISH: publish,
        JobKind.SHOW_DISCARD: ShowDiscard(retrying, show_end),
    }
    last_try = LastTry(retrying, publisher, flow, status)
    return JobDispatcher(retrying, handlers, last_try, breaker, publisher), watch


async def start_worker(
    clients: Clients, stack: AsyncExitStack, monitoring: Monitoring, shutdown: Shutdown
) -> list[asyncio.Task[None]]:
    settings, publisher, queue = clients.settings, clients.publisher, clients.queue
    redis = clients.redis.with_patience(PATIENCE)
    sessions, cancellations = clients.sessions(redis, PATIENCE), RedisCancellations(redis)
    pictures = RedisPictures(
        redis, ttl=settings.image_ttl, patience=PATIENCE, user_bytes=settings.user_bytes
    )
    refused = RedisRefusedSettings(clients.redis.with_patience(SMALL_PATIENCE), SMALL_PATIENCE)
    backend = image_backend(settings, clients.reading, refused)
    stack.push_async_callback(backend.close)
    slots = RedisProviderSlots(
        clients.redis.with_patience(SMALL_PATIENCE),
        SMALL_PATIENCE,
        settings.provider_concurrency or 0,
    )
    stack.push_async_callback(slots.close)
    heartbeats = RedisHeartbeats(
        clients.redis.with_patience(SMALL_PATIENCE), SMALL_PATIENCE, settings.job_lease
    )
    books = clients.books(redis, PATIENCE)
    budgets = clients.budgets(clients.redis.with_patience(SMALL_PATIENCE), SMALL_PATIENCE)
    publisher.tightest_budget = budgets.tightest_budget
    write_probe = WriteProbe(clients.redis.with_patience(PROBE_PATIENCE), PROBE_PATIENCE)
    record = clients.record(clients.redis.with_patience(SEAL_PATIENCE), SEAL_PATIENCE)
    tasks = BackgroundTasks()
    breaker = slack_breaker(clients, tasks)
    await breaker.close_if_uninstalled()
    notices = budget_notices(clients, redis, sessions)
    dispatcher, watch = job_dispatcher(
        clients,
        sessions,
        pictures,
        cancellations,
        heartbeats,
        breaker,
        SharedProvider(backend, slots),
        notices,
    )
    concurrency, lease = settings.worker_concurrency, settings.job_lease
    worker = BullWorker(clients.redis_url, queue.in_turn(dispatcher), concurrency, lease, slots)
    monitoring.add_readiness_check(lambda: worker.takes_jobs, "no jobs are taken")
    for trouble, reason in REFUSED.items():
        monitoring.add_readiness_check(partial(write_probe.is_free_of, trouble), reason)
    monitoring.add_readiness_check(
        lambda: breaker.is_closed, "Slack refuses the app: nothing is generated"
    )
    stack.push_async_callback(tasks.drain, 0.0)
    tasks.spawn(warn_of_models(settings))
    running = asyncio.create_task(worker.run())
    watching = [
        Sweeper(sessions, queue).run(),
        HoldSweeper(books, sessions, heartbeats).run(),
        notices.run(),
        QueueCleaner(queue).run(),
        RecordSealer(record, settings.sealing_keys, settings.audit_ttl).run(),
        QueuePositions(sessions, queue, publisher, lambda: write_probe.trouble).run(),
        heartbeats.beat_for_ever(),
        slots.renew_for_ever(),
        write_probe.repeat(),
        breaker.watch(),
        watch.run(),
        cancellations.listen(watch.cancelled, watch.look_soon),
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
