"""The checks at start-up. Trouble that would otherwise fail silently, or for ever, ends the program
with words that say what to do."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.exceptions import RedisError
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.openai import openai_client
from bot.adapters.redis import redis_client
from bot.concurrency import wait_for_event
from bot.domain.errors import ImagineError, StoreUnavailable
from bot.domain.policy import WhoMayStart
from bot.ops.doctor import (
    Finding,
    Verdict,
    check_app_token,
    check_models,
    check_redis,
    check_scopes,
    check_signing,
    identify,
)
from bot.settings import Backend, Settings
from bot.slack.identity import Identity

log = logging.getLogger(__name__)

WAIT_FOR_OUTSIDE = 30.0
"""Seconds for which Redis and Slack may still be starting up or out of reach."""

WHERE_TO_SET = (
    "Settings come from the environment or a .env file (.env.example lists them all); "
    "`python -m bot demo` needs none"
)


class StartupError(ImagineError):
    """A setting, or a service that the program needs, is wrong; the text says what to do."""


async def check_at_start(
    settings: Settings, slack: AsyncWebClient, stop: asyncio.Event, *, web: bool
) -> Identity | None:
    """Answer who the bot is, or None where it was stopped meanwhile. Raises `StartupError`."""
    identities: list[Identity] = []

    async def bot_token() -> list[Finding]:
        finding, identity = await identify(slack)
        if identity is None:
            return [finding]
        identities.append(identity)
        who = settings.who_may_start if web else WhoMayStart.TEAM  # workers let nobody in
        return [finding, check_scopes(identity, who)]

    async def app_token() -> list[Finding]:
        return [await check_app_token(slack, settings.slack_app_token.get_secret_value())]

    async def redis() -> list[Finding]:
        return await check_redis(settings.redis_url.get_secret_value())

    checks = [redis, bot_token, *([app_token] if web and settings.socket_mode else [])]
    for check in checks:
        if not await _wait_until_ok(check, stop):
            return None
    return identities[-1]


async def wait_for_own_redis(other: Callable[[], Awaitable[str]], stop: asyncio.Event) -> bool:
    """Wait until the bot of no other installation uses this Redis, which `other` answers; False
    where the program was stopped meanwhile. Raises `StartupError`."""

    async def check() -> list[Finding]:
        try:
            installation = await other()
        except StoreUnavailable:  # it is full, or away again
            installation = ""
        if not installation:
            return []
        text = f"the bot of another workspace ({installation}) uses this Redis"
        advice = "give each bot a Redis, or a database (redis://host:6379/1), of its own"
        return [Finding("REDIS_URL", Verdict.TRANSIENT, text, advice)]

    return await _wait_until_ok(check, stop)


async def warn_of_models(settings: Settings) -> None:
    """Log what is wrong with the key and the models, or soon will be."""
    key = settings.openai_api_key.get_secret_value()
    async with openai_client(key, settings.openai_base_url) as client:
        for finding in await check_models(client, settings):
            if finding.verdict is not Verdict.OK:
                log.warning("%s", finding)


def require_settings(
    settings: Settings, *, web: bool, worker: bool, own_redis: bool = False
) -> None:
    """Raises `StartupError` that names every setting that is missing for what the process does.
    With `own_redis` the program starts its own Redis."""
    missing = []
    if not settings.slack_bot_token.get_secret_value():
        missing.append("SLACK_BOT_TOKEN is not set: copy the Bot User OAuth Token (xoxb-…)")
    if not (own_redis or settings.redis_url.get_secret_value()):
        missing.append("REDIS_URL is not set: for example redis://localhost:6379/0")
    if web and not settings.socket_mode:
        signing = check_signing(settings.slack_signing_secret.get_secret_value())
        missing += (
            [] if signing.healthy else [f"{signing.what} is {signing.text}: {signing.advice}"]
        )
    asks_openai = settings.image_backend is not Backend.PLACEHOLDER and settings.official_openai
    if worker and asks_openai and not settings.openai_api_key.get_secret_value():
        missing.append("OPENAI_API_KEY is not set (IMAGE_BACKEND=placeholder does without)")
    if missing:
        raise StartupError("\n".join([*missing, WHERE_TO_SET]))


@asynccontextmanager
async def redis_of_command(settings: Settings, patience: float) -> AsyncIterator[Redis]:
    """The client of a command that ends. Raises `StartupError` that says what is the matter with
    Redis, where it does not answer within `patience` seconds."""
    url = settings.redis_url.get_secret_value()
    if not url:
        raise StartupError("REDIS_URL is not set: what is asked for is kept in Redis")
    try:
        redis = redis_client(url, patience)
    except (ValueError, TypeError, RedisError):  # their text can hold a part of the password
        raise StartupError(await _redis_trouble(url)) from None
    try:
        yield redis
    except StoreUnavailable as error:
        raise StartupError(await _redis_trouble(url) or f"Redis: {error}") from None
    finally:
        await redis.aclose()


async def _redis_trouble(url: str) -> str:
    findings = await check_redis(url)
    return "\n".join(str(finding) for finding in findings if not finding.healthy)


async def _wait_until_ok(
    check: Callable[[], Awaitable[Sequence[Finding]]], stop: asyncio.Event
) -> bool:
    """Repeat the check while its trouble is transient. Answers False where the program was stopped
    meanwhile. Raises `StartupError`."""
    deadline = asyncio.get_running_loop().time() + WAIT_FOR_OUTSIDE
    while True:
        findings = await check()
        transient = [f for f in findings if f.verdict is Verdict.TRANSIENT]
        wrong = [f for f in findings if f.verdict is Verdict.WRONG]
        if wrong or (transient and asyncio.get_running_loop().time() > deadline):
            raise StartupError("\n".join(str(f) for f in [*wrong, *transient]))
        if not transient:
            break
        log.warning("waiting: %s", transient[0])
        if await wait_for_event(stop, 1.0):
            return False
    for finding in findings:
        if finding.verdict is Verdict.WARNING:
            log.warning("%s", finding)
    return True
