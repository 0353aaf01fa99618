"""What takes people's requests, put together: Slack → listeners → services → Redis."""

from __future__ import annotations

import logging
import time
from contextlib import AsyncExitStack

from bot.adapters.redis import RedisSignatures, redis_client
from bot.concurrency import BackgroundTasks
from bot.domain.policy import Policy
from bot.ops.serving import HttpServer, Monitoring
from bot.ops.stopping import Stopping
from bot.service import Services
from bot.slack.bolt import bolt_app
from bot.slack.listeners import ListenerDependencies, register
from bot.slack.request_tracking import InFlightRequests
from bot.slack.transport.http import events_routes
from bot.slack.transport.signing import Replays, Signing
from bot.slack.transport.socket_mode import SocketModeConnections
from bot.wiring.clients import Outside

log = logging.getLogger(__name__)

PATIENCE = 1.5
"""Seconds for the store while Slack waits: acks have to be there within 3."""
SIGNATURE_PATIENCE = 0.3
"""Seconds for Redis to say whether a request is a replay."""
_DRAIN = 5.0


async def start_web(
    outside: Outside, stack: AsyncExitStack, monitoring: Monitoring, stopping: Stopping
) -> None:
    settings = outside.settings
    sessions, cancellations = outside.redis(stack, PATIENCE)
    tasks = BackgroundTasks()
    stack.push_async_callback(tasks.drain, _DRAIN)
    in_flight = InFlightRequests()
    stack.push_async_callback(in_flight.wait_until_finished, _DRAIN)
    services = Services.build(
        sessions,
        outside.queue,
        cancellations,
        Policy.parse(settings.directors, outside.identity.installation),
        tasks,
        time.time,
        settings.option_table,
        rules=(),
    )
    signing_secret = settings.slack_signing_secret.get_secret_value()
    who = settings.who_may_start
    app = bolt_app(outside.slack, outside.identity, signing_secret, who, tasks)
    register(app, ListenerDependencies(services, tasks, outside.identity, settings.ai_label))
    if settings.socket_mode:
        sockets = SocketModeConnections(app, settings.slack_app_token.get_secret_value(), in_flight)
        stack.push_async_callback(sockets.stop)
        monitoring.needs(lambda: sockets.connected, "no Socket Mode connection is open")
        await sockets.start()
        log.info("connected over Socket Mode")
        return
    replays = Replays(_signatures(outside, stack))
    routes = events_routes(app, Signing(signing_secret), replays, in_flight) + monitoring.routes()
    server = HttpServer(routes, settings.port, stop=stopping.asked)
    stack.push_async_callback(server.stop)
    log.info("listening for Slack on port %s", await server.start())


def _signatures(outside: Outside, stack: AsyncExitStack) -> RedisSignatures:
    redis = redis_client(outside.redis_url, SIGNATURE_PATIENCE)
    stack.push_async_callback(redis.aclose)
    return RedisSignatures(redis, SIGNATURE_PATIENCE)
