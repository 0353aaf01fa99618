"""What the listeners call goes the same way as everything else that the program calls."""

from __future__ import annotations

import pytest

from bot.adapters.slack import slack_client, slack_session
from bot.concurrency import BackgroundTasks
from bot.domain.images import AI_LABEL
from bot.domain.policy import Policy
from bot.ops.serving import HttpServer
from bot.sandbox import SimulatedSlack
from bot.service import Services
from bot.slack.bolt import bolt_app
from bot.slack.identity import Identity
from bot.slack.listeners import ListenerDependencies, register
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


async def test_a_proxy_for_the_world_is_not_used_for_this_machine(
    slack: SimulatedSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK takes the environment's proxy for every host, and Bolt makes a client anew for each
    request."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with slack_session() as http:
        client = slack_client(slack.bot_token, slack.api_url, http)
        identity = Identity(slack.team_id, "B1", "UBOT")
        app = bolt_app(client, identity, slack.signing_secret)
        tasks, store = BackgroundTasks(), FakeSessionStore()
        services = Services.build(
            store,
            FakeJobQueue(),
            FakeCancellations(),
            Policy(),
            tasks,
            clock(),
            limits=workspace_limits(),
            ledger=FakeLedger(),
        )
        register(
            app, ListenerDependencies(services, tasks, identity, AI_LABEL, FakeAppBlockedStore())
        )
        server = HttpServer(routes_for(app, slack.signing_secret), 0, "127.0.0.1")
        slack.use_http(f"http://127.0.0.1:{await server.start()}/slack/events")
        assert (await slack.slash("alice", "general", "/imagine")).ok
        await slack.wait_for(lambda: slack.open_view("alice"), what="the form")
        await server.stop()
    assert slack.violations == []
