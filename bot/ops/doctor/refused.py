"""What the server of images refuses of what the bot asks by itself, as the workers have learnt."""

from __future__ import annotations

from bot.adapters.openai import refused_in_words, scopes
from bot.domain.errors import StoreUnavailable
from bot.ops.doctor.finding import Finding, Verdict
from bot.ports import RefusedSettings
from bot.settings import Backend, Settings

WHAT = "refused settings"


async def check_refused(shared: RefusedSettings, settings: Settings) -> list[Finding]:
    """One finding where workers do without something now."""
    if settings.image_backend not in {Backend.RESPONSES, Backend.IMAGES}:
        return []
    found: set[str] = set()
    try:
        for scope in scopes(
            settings.image_backend is Backend.RESPONSES,
            settings.openai_base_url,
            settings.image_model,
            settings.image_host_model,
        ):
            found |= await shared.load(scope)
    except StoreUnavailable:
        return []  # the findings about Redis say so
    if not found:
        return []
    text = f"the server refuses them, so they are left out for now: {refused_in_words(found)}"
    mends = found & {"SIZE", "QUALITY"}
    advice = "choose IMAGE_SIZE and IMAGE_QUALITY that it takes" if mends else ""
    return [Finding(WHAT, Verdict.WARNING, text, advice)]
