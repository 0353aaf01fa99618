"""HTTP mode with what tests have for it."""

from __future__ import annotations

from aiohttp import web
from slack_bolt.async_app import AsyncApp

from bot.ports import SeenSignatures
from bot.slack.request_tracking import InFlightRequests
from bot.slack.transport.http import events_routes
from bot.slack.transport.signing import Replays, Signing
from tests.fakes import FakeSignatures


def routes_for(
    app: AsyncApp, secret: str, seen: SeenSignatures | None = None
) -> list[web.RouteDef]:
    """Where Slack delivers, for an app that has a process to itself unless others have `seen`
    what it sees."""
    return events_routes(
        app, Signing(secret), Replays(seen or FakeSignatures()), InFlightRequests()
    )
