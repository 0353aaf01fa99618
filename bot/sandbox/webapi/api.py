"""`/api/<method>`: tokens, scopes, and the answer of the method."""

import secrets
import time

from aiohttp import web

from bot.sandbox.webapi import (  # noqa: F401  (each fills the table of methods)
    chat,
    conversations,
    files,
    team,
    views,
)
from bot.sandbox.webapi.faults import AppBlocked
from bot.sandbox.webapi.methods import METHODS, Args, Method, read_args, token_of
from bot.sandbox.webapi.middleware import ApiCall, Middleware
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.workspace import Workspace

_EVENT_SCOPES = {"commands", "app_mentions:read", "reactions:read", "chat:write.public"}
# Errors that a correct bot never causes, whatever people and the network do.
_MISTAKES = {
    "invalid_arguments", "invalid_blocks", "invalid_blocks_format", "invalid_json", "no_text",
    "msg_too_long", "not_authed", "invalid_auth", "not_allowed_token_type", "missing_scope",
    "unknown_method", "cant_update_message", "cant_delete_message", "view_too_large",
    "push_limit_reached", "duplicate_external_id",
    "cant_delete_file", "msg_blocks_too_long",
}  # fmt: skip


class WebApi:
    """Answers every call of a Web API method."""

    def __init__(self, workspace: Workspace, middleware: Middleware) -> None:
        self.workspace = workspace
        self.middleware = middleware

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
        return await self.middleware.answer(
            request, call, lambda call: self._respond(call, args, token, problem)
        )

    def _respond(
        self, call: ApiCall, args: Args, token: str | None, problem: SlackError | None
    ) -> web.Response:
        method = METHODS.get(call.method)
        app_blocked = self.middleware.app_blocked
        if app_blocked and app_blocked.concerns(call.method) and self._token_name(token) == "bot":
            return self._answer_blocked(call, method, app_blocked)
        try:
            if problem:
                raise problem
            found = self._allowed(method, token)
            call.response = {"ok": True, **found.handler(self.workspace, args)}
        except SlackError as error:
            call.response = error.answer()
            self._record_violation(call, error)
        return web.json_response(call.response, headers=self._headers(method))

    def _answer_blocked(
        self, call: ApiCall, method: Method | None, app_blocked: AppBlocked
    ) -> web.Response:
        """Slack names scopes only in the answer to a valid token."""
        call.response = {"ok": False, "error": app_blocked.error}
        headers = None
        if app_blocked.error == "missing_scope":
            needed = method.scopes[0] if method and method.scopes else ""
            held = sorted(all_scopes() - {needed})
            call.response |= {"needed": needed, "provided": ",".join(held)}
            headers = {**self._headers(method), "x-oauth-scopes": ",".join(held)}
        return web.json_response(call.response, status=app_blocked.status, headers=headers)

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

    def _record_violation(self, call: ApiCall, error: SlackError) -> None:
        """Record what no correct bot does. Naming a file that is not ready yet is no violation."""
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
