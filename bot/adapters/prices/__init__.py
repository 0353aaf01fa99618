"""The prices of tokens. Nothing is asked over the network."""

from bot.adapters.prices.price_file import NO_OWN_PRICES, OwnPrices, PricesFileError, read_prices
from bot.adapters.prices.token_prices import (
    HOST_KINDS,
    IMAGE_KINDS,
    TokenPrices,
    prices_with,
    unpriced_words,
)

__all__ = [
    "HOST_KINDS",
    "IMAGE_KINDS",
    "NO_OWN_PRICES",
    "OwnPrices",
    "PricesFileError",
    "TokenPrices",
    "prices_with",
    "read_prices",
    "unpriced_words",
]
