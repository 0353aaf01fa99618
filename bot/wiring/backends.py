"""The image backend that the settings ask for, and what it costs."""

from __future__ import annotations

from bot.adapters.imaging import SerialExecutor
from bot.adapters.openai import ImagesBackend, ResponsesBackend, openai_client
from bot.adapters.placeholder import PlaceholderBackend
from bot.adapters.prices import prices_with, read_prices
from bot.generation.call_pricing import NoPrices
from bot.ports import ImageBackend, Prices, RefusedSettings
from bot.settings import Backend, Settings


def prices_of(settings: Settings) -> Prices:
    """Raises `PricesFileError`."""
    if settings.image_backend is Backend.PLACEHOLDER:
        return NoPrices()
    return prices_with(read_prices(settings.prices_file), settings.image_model)


def image_backend(
    settings: Settings, reading: SerialExecutor, refused: RefusedSettings
) -> ImageBackend:
    """`refused` is told what the server refuses, and shared by the processes."""
    size, quality = settings.image_size, settings.image_quality
    if settings.image_backend is Backend.PLACEHOLDER:
        return PlaceholderBackend(
            size=size,
            delay=settings.placeholder_delay,
            partial_images=settings.partial_images,
            reading=reading,
        )
    client = openai_client(settings.openai_api_key.get_secret_value(), settings.openai_base_url)
    if settings.image_backend is Backend.IMAGES:
        return ImagesBackend(
            client,
            model=settings.image_model,
            size=size,
            quality=quality,
            timeout=settings.image_timeout,
            refused=refused,
        )
    return ResponsesBackend(
        client,
        model=settings.image_model,
        host_model=settings.image_host_model,
        size=size,
        quality=quality,
        timeout=settings.image_timeout,
        background=settings.openai_background,
        refused=refused,
        partial_images=settings.partial_images,
    )
