"""Applied to every request of the bot: the log of calls, rate limits, planned faults."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.sandbox.webapi.faults import AppBlocked, Fault, Faults, RateLimits
from bot.sandbox.workspace.workspace import Workspace


@dataclass
class ApiCall:
    """One call of the bot. `at` is epoch seconds; `response` and `status` are None until answered.

    `token` is "bot", "app", another token's first characters, or None.
    """

    method: str
    args: dict[str, Any]
    token: str | None
    at: float
    response: dict[str, Any] | None = None
    status: int | None = None
    seconds: float | None = None

    @property
    def ok(self) -> bool:
        return bool(self.response and self.response.get("ok"))

    @property
    def error(self) -> str | None:
        return self.response.get("error") if self.response else None


Respond = Callable[[ApiCall], web.Response]


class Middleware:
    """Logs every request of the bot, limits its rate, and makes it fail as planned."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.faults = Faults()
        self.limits = RateLimits(workspace.clock)
        self.app_blocked: AppBlocked | None = None
        self.calls: list[ApiCall] = []
        self.stopping = asyncio.Event()

    async def answer(self, request: web.Request, call: ApiCall, respond: Respond) -> web.Response:
        self.calls.append(call)
        started = time.monotonic()
        fault = self.faults.take(call.method, call.args)
        response = await self._intercept(fault, call)
        if response is None:
            response = respond(call)
        if fault and fault.kind == "answer":
            headers = {"Content-Type": fault.content_type}
            response = web.Response(body=fault.body.encode(), status=fault.status, headers=headers)
        if fault and fault.kind == "late":
            await asyncio.sleep(fault.seconds)
        if fault and fault.kind in ("lost_answer", "dropped", "hang"):
            call.status = None
            _drop_connection(request)
        else:
            call.status = response.status
        call.seconds = time.monotonic() - started
        self._emit(call)
        return response

    async def _intercept(self, fault: Fault | None, call: ApiCall) -> web.Response | None:
        """The answer of a fault or a rate limit in place of the method's own, or None."""
        match fault.kind if fault else None:
            case "delay":
                await asyncio.sleep(fault.seconds if fault else 0)
            case "hang":
                await self.stopping.wait()
                return web.Response(status=503)
            case "answer" if fault and not fault.effect:
                return web.Response()
            case "dropped":
                return web.Response(status=503)
            case "http":
                status = fault.status if fault else 500
                return web.Response(
                    status=status, text="<html>upstream</html>", content_type="text/html"
                )
            case "rate_limited":
                return _ratelimited(call, max(1, round(fault.seconds)) if fault else 1)
            case "error" | "refused":
                call.response = {"ok": False, "error": fault.error if fault else ""}
                refused = fault is not None and fault.kind == "refused"
                status = fault.status if fault and refused else 200
                return web.json_response(call.response, status=status)
        wait = self.limits.wait(call.method, call.args)
        return _ratelimited(call, wait) if wait else None

    def _emit(self, call: ApiCall) -> None:
        ms = round((call.seconds or 0) * 1000, 1)
        shown = {"method": call.method, "args": call.args, "status": call.status, "ms": ms}
        self.workspace.changes.emit("api_call", **shown, ok=call.ok, error=call.error)


def _ratelimited(call: ApiCall, seconds: int) -> web.Response:
    call.response = {"ok": False, "error": "ratelimited"}
    return web.json_response(call.response, status=429, headers={"Retry-After": str(seconds)})


def _drop_connection(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
