"""Image backends that speak to OpenAI and to servers compatible with it."""

from bot.adapters.openai.client import openai_client
from bot.adapters.openai.images import ImagesBackend
from bot.adapters.openai.models import (
    ANNOUNCED,
    SEVERAL_TIMES_THE_TOKENS,
    KeyRefused,
    ModelsUnavailable,
    UnknownModel,
    model_shutdown,
)
from bot.adapters.openai.refused_extras import refused_in_words, scopes
from bot.adapters.openai.responses import ResponsesBackend

__all__ = [
    "ANNOUNCED",
    "SEVERAL_TIMES_THE_TOKENS",
    "ImagesBackend",
    "KeyRefused",
    "ModelsUnavailable",
    "ResponsesBackend",
    "UnknownModel",
    "model_shutdown",
    "openai_client",
    "refused_in_words",
    "scopes",
]
