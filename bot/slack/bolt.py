"""The Bolt app, its identity and its middleware."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from bot.concurrency import BackgroundTasks
from bot.domain.policy import WhoMayStart
from bot.slack.admission import Admission
from bot.slack.identity import Identity

__all__ = ["Identity", "bolt_app", "whole"]

log = logging.getLogger(__name__)
_LOG = logging.getLogger("slack_bolt")
_LOG.setLevel(logging.ERROR)
"""Below that, Bolt warns about how it is set up here, and logs requests with what people typed."""


def bolt_app(
    client: AsyncWebClient,
    identity: Identity,
    signing_secret: str,
    who_may_start: WhoMayStart = WhoMayStart.TEAM,
    tasks: BackgroundTasks | None = None,
) -> AsyncApp:
    """An app of one installation that knows its identity: no `auth.test` for each request. It lets
    in requests for this installation, of people who may use it. `tasks` tell the others why not.

    The identity is given as an `authorize` function, so that `SLACK_CLIENT_ID` and
    `SLACK_CLIENT_SECRET` in the environment do not switch OAuth on.
    """
    app = AsyncApp(
        client=client,
        logger=_LOG,
        signing_secret=signing_secret,
        authorize=_authorize(client, identity),
        request_verification_enabled=bool(signing_secret),
    )
    app.middleware(_keep_proxy_of(client))
    app.middleware(_replace_half_characters)
    app.middleware(Admission(identity, who_may_start, tasks or BackgroundTasks()))
    app.error(_log_error)
    return app


async def _replace_half_characters(
    body: dict[str, Any], next_: Callable[[], Awaitable[None]]
) -> None:
    """JSON may name half a character, such as what a client leaves of an emoji that it cut. Nothing
    that is made of it could be encoded."""
    body.update({name: whole(value) for name, value in body.items()})
    await next_()


def whole(value: Any) -> Any:
    """A JSON value with U+FFFD for every half of a character."""
    match value:
        case str() if not value.isascii():
            return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        case list():
            return [whole(each) for each in value]
        case dict():
            return {name: whole(each) for name, each in value.items()}
    return value


async def _log_error(error: Exception) -> None:
    """Left alone, Bolt logs an error's text, which may quote what people typed."""
    log.error("a request broke on its way to a listener: %s", type(error).__name__)


def _keep_proxy_of(client: AsyncWebClient) -> Callable[..., Awaitable[None]]:
    """Bolt makes a client for each request, and the SDK gives one without a proxy the
    environment's."""

    async def keep_proxy(context: AsyncBoltContext, next_: Callable[[], Awaitable[None]]) -> None:
        context.client.proxy = client.proxy
        await next_()

    return keep_proxy


def _authorize(
    client: AsyncWebClient, identity: Identity
) -> Callable[..., Awaitable[AuthorizeResult]]:
    result = AuthorizeResult(
        enterprise_id=identity.enterprise_id or None,
        team_id=identity.team_id,
        bot_token=client.token,
        bot_id=identity.bot_id,
        bot_user_id=identity.bot_user,
    )

    async def authorize() -> AuthorizeResult:
        return result

    return authorize
