"""HTTP mode: Slack posts everything to `/slack/events`; `/healthz` says whether we can serve."""

from __future__ import annotations

import logging

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier

from bot.domain.errors import StoreUnavailable
from bot.ports import SessionStore

log = logging.getLogger(__name__)

MAX_BODY = 1024 * 1024
"""Bytes; Slack's largest payloads are a fraction of it."""


def events_routes(app: AsyncApp, signing_secret: str) -> list[web.RouteDef]:
    """Where Slack delivers. A request that Slack did not sign is answered with 401 here, before
    Bolt, which would answer some of them with 500 and log their bodies."""
    verifier = SignatureVerifier(signing_secret)

    async def events(request: web.Request) -> web.Response:
        if not _signed(verifier, request, await request.read()):
            return web.json_response({"error": "invalid request"}, status=401)
        try:
            response = await app.async_dispatch(await to_bolt_request(request))
            if response.status < 500:
                return await to_aiohttp_response(response)
            log.error("a request broke Bolt")
        except Exception as error:  # noqa: BLE001 - Slack is never answered with 500
            log.error("a request could not be dispatched: %s", type(error).__name__)
        return web.json_response({"error": "bad request"}, status=400)

    return [web.post("/slack/events", events)]


def _signed(verifier: SignatureVerifier, request: web.Request, body: bytes) -> bool:
    timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
    signature = request.headers.get("X-Slack-Signature", "")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    try:
        return verifier.is_valid(body.decode("utf-8"), timestamp, signature)
    except (UnicodeDecodeError, TypeError):
        return False


def health_routes(sessions: SessionStore) -> list[web.RouteDef]:
    """200 while the store answers, 503 with the reason otherwise."""

    async def healthz(_: web.Request) -> web.Response:
        try:
            await sessions.ping()
        except StoreUnavailable as error:
            reason = f"Redis does not answer ({error})"
            return web.json_response({"status": "unavailable", "reason": reason}, status=503)
        return web.json_response({"status": "ok"})

    return [web.get("/healthz", healthz)]


class HttpServer:
    """An aiohttp server for the given routes. `port` 0 takes a free one."""

    def __init__(self, routes: list[web.RouteDef], port: int, host: str = "0.0.0.0") -> None:  # noqa: S104 - a container's port is reached from outside
        application = web.Application(client_max_size=MAX_BODY)
        application.add_routes(routes)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=3.0)
        self._host = host
        self._port = port

    async def start(self) -> int:
        """Listen, and answer the port. Raises `OSError` where the port is taken."""
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        port: int = self._runner.addresses[0][1]
        return port

    async def stop(self) -> None:
        """Take no new requests; let running ones finish, for up to 3 s."""
        await self._runner.cleanup()
