"""The table of Web API methods; the `methods_*` modules fill it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.sandbox.webapi.arguments import Args
from bot.sandbox.workspace.workspace import Workspace

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
