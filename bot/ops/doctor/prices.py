"""What images cost: whether `PRICES_FILE` can be used, and whether the models have a price."""

from __future__ import annotations

from collections.abc import Sequence

from bot.adapters.prices import (
    HOST_KINDS,
    IMAGE_KINDS,
    PricesFileError,
    TokenPrices,
    prices_with,
    read_prices,
    unpriced_words,
)
from bot.ops.doctor.finding import Finding, Verdict
from bot.settings import Backend, Settings

_ADVICE = "docs/costs.md#prices"


def check_prices(settings: Settings) -> list[Finding]:
    """What is wrong; nothing where all is well."""
    if settings.image_backend is Backend.PLACEHOLDER:
        return []
    try:
        prices = prices_with(read_prices(settings.prices_file), settings.image_model)
    except PricesFileError as error:
        return [Finding("PRICES_FILE", Verdict.WRONG, error.why, _ADVICE)]
    needed = ((settings.image_model, IMAGE_KINDS), (settings.host_model, HOST_KINDS))
    told = [_words_of(prices, model, kinds) for model, kinds in needed if model]
    if not any(told):
        return []
    text = f"{'; '.join(filter(None, told))}: what they take counts $0"
    return [Finding("PRICES_FILE", Verdict.WARNING, text, _ADVICE)]


def _words_of(prices: TokenPrices, model: str, kinds: Sequence[str]) -> str:
    """What has no price; empty where all of these kinds of tokens have one."""
    unpriced = prices.unpriced(model, kinds)
    if not unpriced:
        return ""
    return unpriced_words(model, unpriced if len(unpriced) < len(kinds) else ())
