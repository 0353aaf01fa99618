"""The table of Web API methods, and the arguments of a call, however they were sent."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.workspace import Workspace

_TRUE = ("1", "true", "True")


class Args(dict[str, Any]):
    """Values are as sent: JSON values from a JSON body, strings from a form or the query."""

    def text(self, key: str) -> str:
        """A string that must be there."""
        value = self.get(key)
        if value is None or value == "":
            missing = [f"[ERROR] missing required field: {key}"]
            raise SlackError("invalid_arguments", response_metadata={"messages": missing})
        return str(value)

    def optional(self, key: str) -> str | None:
        value = self.get(key)
        return None if value is None or value == "" else str(value)

    def flag(self, key: str) -> bool:
        value = self.get(key, False)
        return value if isinstance(value, bool) else str(value) in _TRUE

    def number(self, key: str, default: int) -> int:
        try:
            return int(self.get(key) or default)
        except (TypeError, ValueError):
            raise SlackError("invalid_arguments") from None

    def structure(self, key: str, error: str = "invalid_arguments") -> Any:
        """A list or object, which a form holds as JSON text; None when it isn't there."""
        value = self.get(key)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise SlackError(error) from None


async def read_args(request: web.Request) -> Args:
    args = Args(request.query)
    if request.content_type == "application/json" and await request.read():
        try:
            body = await request.json()
        except ValueError:
            raise SlackError("invalid_json") from None
        args.update(body if isinstance(body, dict) else {})
    elif request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        args.update(await request.post())
    return args


def token_of(request: web.Request, args: Args) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token if scheme.lower() == "bearer" else ""
    return token.strip() or args.optional("token")


Handler = Callable[[Workspace, Args], dict[str, Any]]


@dataclass(frozen=True)
class Method:
    """`scopes`: any one of them is enough; none means that no scope is needed."""

    handler: Handler
    scopes: tuple[str, ...]
    app_token: bool = False


METHODS: dict[str, Method] = {}


def method(name: str, *scopes: str, app_token: bool = False) -> Callable[[Handler], Handler]:
    """Make a function answer a Web API method."""

    def register(handler: Handler) -> Handler:
        METHODS[name] = Method(handler, scopes, app_token)
        return handler

    return register
