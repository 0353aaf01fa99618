"""What images cost: whether `PRICES_FILE` can be read, and whether the models have a price."""

from __future__ import annotations

from bot.adapters.prices import PricesFileError, TokenPrices, read_prices
from bot.ops.doctor.finding import Finding, Verdict
from bot.settings import Backend, Settings

_ADVICE = "docs/costs.md#prices"


def check_prices(settings: Settings) -> list[Finding]:
    """What is wrong; nothing where all is well."""
    if settings.image_backend is Backend.PLACEHOLDER:
        return []
    try:
        prices = TokenPrices(read_prices(settings.prices_file))
    except PricesFileError as error:
        return [Finding("PRICES_FILE", Verdict.WRONG, error.why, _ADVICE)]
    models = [settings.image_model, settings.host_model]
    unknown = [model for model in models if model and not prices.knows(model)]
    if not unknown:
        return []
    text = f"no price is known for {' and '.join(unknown)}: what it takes counts $0"
    return [Finding("PRICES_FILE", Verdict.WARNING, text, _ADVICE)]
