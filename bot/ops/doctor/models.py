"""The image provider: whether the key works, and whether the models exist and for how long."""

from __future__ import annotations

from datetime import UTC, date, datetime

from openai import AsyncOpenAI

from bot.adapters.openai import (
    ANNOUNCED,
    SEVERAL_TIMES_THE_TOKENS,
    KeyRefused,
    ModelsUnavailable,
    UnknownModel,
    model_shutdown,
)
from bot.ops.doctor.finding import Finding, Verdict
from bot.settings import Backend, Settings


async def check_models(client: AsyncOpenAI, settings: Settings) -> list[Finding]:
    """One finding for each model that the settings name, and one for a quality without a bound."""
    if settings.image_backend is Backend.PLACEHOLDER:
        return [Finding("IMAGE_BACKEND", Verdict.OK, "placeholder: nothing is asked or paid")]
    if not settings.openai_api_key.get_secret_value() and settings.official_openai:
        advice = "set it, or IMAGE_BACKEND=placeholder to try the bot without"
        return [Finding("OPENAI_API_KEY", Verdict.WRONG, "not set", advice)]
    findings = [await _check(client, "IMAGE_MODEL", settings.image_model, settings)]
    if settings.image_backend is Backend.RESPONSES:
        findings.append(
            await _check(client, "IMAGE_HOST_MODEL", settings.image_host_model, settings)
        )
    return findings + _check_quality(settings)


def _check_quality(settings: Settings) -> list[Finding]:
    """What OpenAI's models make of `auto` was seen to cost up to 16 times a medium image."""
    if settings.image_quality != "auto" or not settings.official_openai:
        return []
    advice = "set it to low, medium or high, unless that is meant"
    text = "auto has no bound on what an image costs"
    return [Finding("IMAGE_QUALITY", Verdict.WARNING, text, advice)]


async def _check(client: AsyncOpenAI, what: str, model: str, settings: Settings) -> Finding:
    official = settings.official_openai
    announced = ANNOUNCED.get(model) if official else None
    try:
        shutdown = await model_shutdown(client, model) or announced
    except KeyRefused:
        return Finding("OPENAI_API_KEY", Verdict.WRONG, "not accepted", "make a new API key")
    except UnknownModel:
        if not official:
            return Finding(what, Verdict.WARNING, f"the server does not tell of {model}")
        if announced is not None and announced < _today():
            return _shutting_down(what, model, announced)
        return Finding(
            what, Verdict.WRONG, f"{model} does not exist", f"set {what} to one that does"
        )
    except ModelsUnavailable as error:
        text = f"the provider could not be asked about {model} ({error})"
        return Finding(what, Verdict.TRANSIENT, text, "check OPENAI_BASE_URL and the network")
    if shutdown is not None:
        return _shutting_down(what, model, shutdown)
    more = "; at low and medium it takes 3 to 4 times the tokens of 2.5"
    dear = official and SEVERAL_TIMES_THE_TOKENS.search(model) is not None
    return Finding(what, Verdict.OK, f"{model} exists{more if dear else ''}")


def _shutting_down(what: str, model: str, day: date) -> Finding:
    if day < _today():
        text = f"{model} was shut down on {day}"
        return Finding(what, Verdict.WRONG, text, f"set {what} to a newer model")
    advice = f"set {what} to a newer model before that"
    return Finding(what, Verdict.WARNING, f"{model} shuts down on {day}", advice)


def _today() -> date:
    return datetime.now(UTC).date()
