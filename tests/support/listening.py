"""The listeners with fakes behind them, connected to the simulated Slack."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.adapters.slack import slack_client, slack_session
from bot.concurrency import BackgroundTasks
from bot.domain.images import AI_LABEL
from bot.domain.policy import Policy, WhoMayStart
from bot.domain.session import Session
from bot.ops.doctor import identify
from bot.ops.serving import HttpServer
from bot.sandbox import SimulatedSlack
from bot.service import Services
from bot.slack.bolt import bolt_app
from bot.slack.listeners import ListenerDependencies, register
from bot.slack.request_tracking import InFlightRequests
from bot.slack.transport.socket_mode import SocketModeConnections
from tests.fakes import (
    FakeAppBlockedStore,
    FakeCancellations,
    FakeJobQueue,
    FakeLedger,
    FakeSessionStore,
    clock,
    workspace_limits,
)
from tests.support.http import routes_for

SECONDS = 20.0


@dataclass
class Bot:
    slack: SimulatedSlack
    store: FakeSessionStore
    queue: FakeJobQueue

    @property
    def only(self) -> Session:
        (session,) = self.store.sessions.values()
        return session


@asynccontextmanager
async def listening(
    slack: SimulatedSlack, transport: str, who: WhoMayStart = WhoMayStart.TEAM
) -> AsyncIterator[Bot]:
    """`transport` is `http` or `socket`. The bot is in #general."""
    store, queue, tasks = FakeSessionStore(), FakeJobQueue(), BackgroundTasks()
    async with slack_session() as http:
        client = slack_client(slack.bot_token, slack.api_url, http)
        _, identity = await identify(client)
        assert identity is not None
        policy = Policy(team=identity.installation)
        services = Services.build(
            store,
            queue,
            FakeCancellations(),
            policy,
            tasks,
            clock(),
            limits=workspace_limits(),
            ledger=FakeLedger(),
        )
        app = bolt_app(client, identity, slack.signing_secret, who, tasks)
        register(
            app, ListenerDependencies(services, tasks, identity, AI_LABEL, FakeAppBlockedStore())
        )
        server = HttpServer(routes_for(app, slack.signing_secret), 0, "127.0.0.1")
        sockets = SocketModeConnections(app, slack.app_token, InFlightRequests())
        if transport == "http":
            slack.use_http(f"http://127.0.0.1:{await server.start()}/slack/events")
        else:
            await sockets.start()
        slack.workspace.invite_bot(slack.channel("general"), slack.user("alice").id)
        yield Bot(slack, store, queue)
        await sockets.stop()
        await server.stop()
        await tasks.drain(SECONDS)
    assert slack.violations == []
