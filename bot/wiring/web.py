"""The web process: Slack → listeners → services → Redis."""

from __future__ import annotations

import logging
import time
from contextlib import AsyncExitStack

from bot.adapters.redis import RedisAppBlockedStore, RedisCancellations, RedisSignatures
from bot.concurrency import BackgroundTasks
from bot.domain.policy import Policy
from bot.ops.serving import HttpServer, Monitoring
from bot.ops.shutdown import Shutdown
from bot.service import Services
from bot.service.waiting_limit import WaitingLimit
from bot.slack.bolt import bolt_app
from bot.slack.listeners import ListenerDependencies, register
from bot.slack.request_tracking import InFlightRequests
from bot.slack.transport.http import events_routes
from bot.slack.transport.signing import Replays, Signing
from bot.slack.transport.socket_mode import SocketModeConnections
from bot.wiring.clients import Clients

log = logging.getLogger(__name__)

PATIENCE = 1.5
"""Seconds for the store while Slack waits: acks have to be there within 3."""
SIGNATURE_PATIENCE = 0.3
"""Seconds for Redis to say whether a request is a replay."""
_DRAIN = 5.0


async def start_web(
    clients: Clients, stack: AsyncExitStack, monitoring: Monitoring, shutdown: Shutdown
) -> None:
    settings, tasks, in_flight = clients.settings, BackgroundTasks(), InFlightRequests()
    signing_secret = settings.slack_signing_secret.get_secret_value()
    who = settings.who_may_start
    app = bolt_app(clients.slack, clients.identity, signing_secret, who, tasks)
    register(app, _listener_dependencies(clients, tasks))
    # after the stack has got the Redis clients, because what ends here still uses them
    stack.push_async_callback(tasks.drain, _DRAIN)
    stack.push_async_callback(in_flight.wait_until_finished, _DRAIN)
    if settings.socket_mode:
        sockets = SocketModeConnections(app, settings.slack_app_token.get_secret_value(), in_flight)
        stack.push_async_callback(sockets.stop)
        monitoring.add_readiness_check(
            lambda: sockets.connected, "no Socket Mode connection is open"
        )
        await sockets.start()
        log.info("connected over Socket Mode")
        return
    signatures = RedisSignatures(
        clients.redis.with_patience(SIGNATURE_PATIENCE), SIGNATURE_PATIENCE
    )
    routes = [
        *events_routes(app, Signing(signing_secret), Replays(signatures), in_flight),
        *monitoring.routes(),
    ]
    server = HttpServer(routes, settings.port, stop=shutdown.requested)
    stack.push_async_callback(server.stop)
    log.info("listening for Slack on port %s", await server.start())


def _listener_dependencies(clients: Clients, tasks: BackgroundTasks) -> ListenerDependencies:
    return ListenerDependencies(
        _services(clients, tasks),
        tasks,
        clients.identity,
        clients.settings.ai_label,
        RedisAppBlockedStore(clients.redis.with_patience(PATIENCE), PATIENCE),
        clients.pacing.expect_root,
        clients.settings.admin_ids,
    )


def _services(clients: Clients, tasks: BackgroundTasks) -> Services:
    settings, redis = clients.settings, clients.redis.with_patience(PATIENCE)
    sessions = clients.sessions(redis, PATIENCE)
    at_most = settings.user_images_waiting
    return Services.build(
        sessions,
        clients.queue,
        RedisCancellations(redis),
        Policy.parse(settings.directors, clients.identity.installation),
        tasks,
        time.time,
        settings.option_table,
        rules=(WaitingLimit(sessions, at_most),) if at_most else (),
        budgets=clients.budgets(redis, PATIENCE),
        limits=clients.limits(redis, PATIENCE),
        ledger=clients.books(redis, PATIENCE),
        zone=settings.zone,
        record=clients.record(redis, PATIENCE),
    )
