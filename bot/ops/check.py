"""`python -m bot check`: the doctor's report."""

from __future__ import annotations

import sys

from bot.adapters.openai import openai_client
from bot.adapters.redis import RedisRefusedSettings, redis_client
from bot.adapters.slack import slack_client, slack_session
from bot.ops.doctor import (
    Finding,
    Verdict,
    check_app_token,
    check_models,
    check_prices,
    check_redis,
    check_refused,
    check_scopes,
    check_signing,
    identify,
)
from bot.settings import Settings

PATIENCE = 3.0
"""Seconds for Redis to say what servers refuse."""


async def check(settings: Settings) -> int:
    """Print one line for each finding; answer 1 when something is wrong."""
    redis = await _redis(settings)
    findings = [*await _slack(settings), *redis, *await _provider(settings)]
    if settings.redis_url.get_secret_value() and all(finding.healthy for finding in redis):
        findings += await _refused(settings)
    for finding in findings:
        sys.stdout.write(f"{finding}\n")
    return 0 if all(finding.healthy for finding in findings) else 1


async def _slack(settings: Settings) -> list[Finding]:
    async with slack_session() as http:
        token = settings.slack_bot_token.get_secret_value()
        client = slack_client(token, settings.slack_api_url, http)
        finding, identity = await identify(client)
        findings = [finding]
        if identity is not None:
            findings.append(check_scopes(identity, settings.who_may_start))
        if settings.socket_mode:
            app_token = settings.slack_app_token.get_secret_value()
            findings.append(await check_app_token(client, app_token))
        else:
            findings.append(check_signing(settings.slack_signing_secret.get_secret_value()))
    return findings


async def _redis(settings: Settings) -> list[Finding]:
    url = settings.redis_url.get_secret_value()
    if not url:
        advice = "`dev` brings its own; set it for `web` and `worker`"
        return [Finding("REDIS_URL", Verdict.WARNING, "not set", advice)]
    return await check_redis(url)


async def _provider(settings: Settings) -> list[Finding]:
    key = settings.openai_api_key.get_secret_value()
    async with openai_client(key, settings.openai_base_url) as client:
        return [*await check_models(client, settings), *check_prices(settings)]


async def _refused(settings: Settings) -> list[Finding]:
    redis = redis_client(settings.redis_url.get_secret_value(), PATIENCE)
    try:
        return await check_refused(RedisRefusedSettings(redis, PATIENCE), settings)
    finally:
        await redis.aclose()
