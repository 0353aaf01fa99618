"""The Web API: who may call what, what goes wrong on demand, and a log of all calls."""

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.sandbox.webapi import (  # noqa: F401  (each fills the table of methods)
    chat,
    conversations,
    files,
    team,
    views,
)
from bot.sandbox.webapi.arguments import Args, read_args, token_of
from bot.sandbox.webapi.faults import Fault, Faults, RateLimits, ShutOut
from bot.sandbox.webapi.registry import METHODS, Method
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.workspace import Workspace

_EVENT_SCOPES = {"commands", "app_mentions:read", "reactions:read", "chat:write.public"}
# Refusals that a correct bot never meets, whatever people and the network do.
_MISTAKES = {
    "invalid_arguments", "invalid_blocks", "invalid_blocks_format", "invalid_json", "no_text",
    "msg_too_long", "not_authed", "invalid_auth", "not_allowed_token_type", "missing_scope",
    "unknown_method", "cant_update_message", "cant_delete_message", "view_too_large",
    "push_limit_reached", "duplicate_external_id",
    "cant_delete_file",
}  # fmt: skip


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


class Gate:
    """Every request of the bot passes here: it is logged, limited, and fails when asked to."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.faults = Faults()
        self.limits = RateLimits(workspace.clock)
        self.shut_out: ShutOut | None = None
        self.calls: list[ApiCall] = []
        self.stopping = asyncio.Event()

    async def answer(self, request: web.Request, call: ApiCall, respond: Respond) -> web.Response:
        self.calls.append(call)
        started = time.monotonic()
        fault = self.faults.take(call.method, call.args)
        response = await self._before(fault, call)
        if response is None:
            response = respond(call)
        if fault and fault.kind == "late":
            await asyncio.sleep(fault.seconds)
        if fault and fault.kind in ("lost_answer", "dropped", "hang"):
            call.status = None
            _hang_up(request)
        else:
            call.status = response.status
        call.seconds = time.monotonic() - started
        self._tell(call)
        return response

    async def _before(self, fault: Fault | None, call: ApiCall) -> web.Response | None:
        """What is answered instead of the real thing, if anything."""
        match fault.kind if fault else None:
            case "delay":
                await asyncio.sleep(fault.seconds if fault else 0)
            case "hang":
                await self.stopping.wait()
                return web.Response(status=503)
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

    def _tell(self, call: ApiCall) -> None:
        ms = round((call.seconds or 0) * 1000, 1)
        shown = {"method": call.method, "args": call.args, "status": call.status, "ms": ms}
        self.workspace.changes.emit("api_call", **shown, ok=call.ok, error=call.error)


def _ratelimited(call: ApiCall, seconds: int) -> web.Response:
    call.response = {"ok": False, "error": "ratelimited"}
    return web.json_response(call.response, status=429, headers={"Retry-After": str(seconds)})


def _hang_up(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


class WebApi:
    """`/api/<method>`."""

    def __init__(self, workspace: Workspace, gate: Gate) -> None:
        self.workspace = workspace
        self.gate = gate

    async def handle(self, request: web.Request) -> web.Response:
        name = request.match_info["method"]
        problem, args = None, Args()
        try:
            args = await read_args(request)
        except SlackError as error:
            problem = error
        token = token_of(request, args)
        logged = {key: value for key, value in args.items() if key != "token"}
        call = ApiCall(name, logged, self._token_name(token), time.time())
        return await self.gate.answer(
            request, call, lambda call: self._respond(call, args, token, problem)
        )

    def _respond(
        self, call: ApiCall, args: Args, token: str | None, problem: SlackError | None
    ) -> web.Response:
        method = METHODS.get(call.method)
        shut_out = self.gate.shut_out
        if shut_out and shut_out.concerns(call.method) and self._token_name(token) == "bot":
            return self._shut_out(call, method, shut_out)
        try:
            if problem:
                raise problem
            found = self._allowed(method, token)
            call.response = {"ok": True, **found.handler(self.workspace, args)}
        except SlackError as error:
            call.response = error.answer()
            self._judge(call, error)
        return web.json_response(call.response, headers=self._headers(method))

    def _shut_out(self, call: ApiCall, method: Method | None, shut_out: ShutOut) -> web.Response:
        """Only with a good token does Slack say what that may do."""
        call.response = {"ok": False, "error": shut_out.error}
        headers = None
        if shut_out.error == "missing_scope":
            needed = method.scopes[0] if method and method.scopes else ""
            held = sorted(all_scopes() - {needed})
            call.response |= {"needed": needed, "provided": ",".join(held)}
            headers = {**self._headers(method), "x-oauth-scopes": ",".join(held)}
        return web.json_response(call.response, status=shut_out.status, headers=headers)

    def _allowed(self, method: Method | None, token: str | None) -> Method:
        app = self.workspace.app
        if method is None:
            raise SlackError("unknown_method")
        if token is None:
            raise SlackError("not_authed")
        if token not in (app.bot_token, app.app_token):
            raise SlackError("invalid_auth")
        if method.app_token != (token == app.app_token):
            raise SlackError("not_allowed_token_type")
        scopes = self.workspace.scopes
        needed = set(method.scopes)
        if scopes is not None and needed and not method.app_token and not needed & scopes:
            provided = ",".join(sorted(scopes))
            raise SlackError("missing_scope", needed=method.scopes[0], provided=provided)
        return method

    def _judge(self, call: ApiCall, error: SlackError) -> None:
        """Write down what no correct bot does; waiting for a file to get ready is all right."""
        problems = error.extra.get("errors", [])
        waiting = bool(problems) and all(p.startswith("invalid slack file") for p in problems)
        if error.error in _MISTAKES and not waiting:
            details = "; ".join(problems) or error.extra.get("needed", "")
            self.workspace.violate(f"{call.method}: {error.error} {details}".rstrip())

    def _headers(self, method: Method | None) -> dict[str, str]:
        scopes = self.workspace.scopes
        held = all_scopes() if scopes is None else scopes
        return {
            "x-oauth-scopes": ",".join(sorted(held)),
            "x-accepted-oauth-scopes": ",".join(method.scopes) if method else "",
            "x-slack-req-id": secrets.token_hex(16),
        }

    def _token_name(self, token: str | None) -> str | None:
        app = self.workspace.app
        names = {app.bot_token: "bot", app.app_token: "app"}
        return names.get(token, token[:9]) if token else None


def all_scopes() -> set[str]:
    """Every scope that any method of the simulator asks for."""
    bot_methods = [m for m in METHODS.values() if not m.app_token]
    return _EVENT_SCOPES | {scope for m in bot_methods for scope in m.scopes}
