"""HTTP mode: Slack posts everything to `/slack/events`."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from urllib.parse import parse_qsl

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest

from bot.slack.dispatch import dispatch
from bot.slack.request_tracking import InFlightRequests, track_request
from bot.slack.transport.signing import Replays, Signing

log = logging.getLogger(__name__)

READ_WITHIN = 3.0
"""Seconds for a body, after which Slack has given up waiting for the answer."""


def events_routes(
    app: AsyncApp, signing: Signing, replays: Replays, in_flight: InFlightRequests
) -> list[web.RouteDef]:
    """The route that Slack posts to. It answers 401, before it reads the payload, to a request that
    Slack did not sign or that came before. It never answers 500."""

    async def events(request: web.Request) -> web.Response:
        received = time.perf_counter()
        body = await _read(request)
        signed = signing.verify(request.headers, body)
        if signed is None or not await replays.record(signed):
            return web.json_response({"error": "invalid request"}, status=401)
        parsed = _parse(request.content_type, body)
        with track_request(in_flight, parsed and parsed.body, received) as tracked:
            response = None
            try:
                response = await to_aiohttp_response(await dispatch(app, parsed))
            finally:
                if response is None or response.status != 200:
                    await replays.forget(signed)
            if not await _send(request, response):
                await replays.forget(signed)
            elif response.status == 200:
                tracked.acked = True
        return response

    return [web.post("/slack/events", events)]


async def _read(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(READ_WITHIN):
            return await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except (ConnectionError, RuntimeError):  # the client has left, which aiohttp would log
        raise web.HTTPBadRequest from None


async def _send(request: web.Request, response: web.Response) -> bool:
    """Send the response; answers False where the connection is gone. aiohttp would send it after
    this handler, and the moment would stay unknown."""
    try:
        await response.prepare(request)
        await response.write_eof()
    except ConnectionError:
        return False
    return True


def _parse(content_type: str, body: bytes) -> AsyncBoltRequest | None:
    try:
        return bolt_request(content_type, body)
    except Exception as error:  # noqa: BLE001 - Slack is never answered with 500
        log.error("a request could not be parsed: %s", type(error).__name__)
        return None


def bolt_request(content_type: str, body: bytes) -> AsyncBoltRequest:
    """The request as Bolt gets it over Socket Mode: parsed, verified, and without headers, which
    nobody has signed. Bolt's own parser takes the word “payload” in a command for a form's field,
    and loses the command. Raises `ValueError` or `RecursionError`."""
    text = body.decode("utf-8")
    if content_type == "application/json":
        payload = json.loads(text)
    else:
        form = dict(parse_qsl(text, keep_blank_values=True))
        payload = json.loads(form["payload"]) if "payload" in form else form
    if not isinstance(payload, dict):
        raise ValueError("not an object")  # noqa: TRY004 - as json.loads has it
    return AsyncBoltRequest(body=payload, mode="socket_mode")
