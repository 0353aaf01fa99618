"""What the provider says of a model: whether it exists, and when it shuts down."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from openai import APIError, APIStatusError, AsyncOpenAI

from bot.adapters.openai.client import for_free_calls
from bot.domain.errors import ImagineError

ANNOUNCED = {
    "gpt-image-1": date(2026, 10, 23),
    "gpt-image-1.5": date(2026, 12, 1),
    "gpt-image-1-mini": date(2026, 12, 1),
    "chatgpt-image-latest": date(2026, 12, 1),
}
"""OpenAI's model → the day on which it shuts down, where its API need not tell. From the
documentation, November 2026."""
SEVERAL_TIMES_THE_TOKENS = re.compile(r"^gpt-image-2\.6")
"""OpenAI's models that take 3 to 4 times the tokens of 2.5 at the qualities low and medium, as
others have measured."""


class UnknownModel(ImagineError):
    """The provider has no such model, or this key may not use it."""


class KeyRefused(ImagineError):
    """The provider does not take the API key."""


class ModelsUnavailable(ImagineError):
    """The provider could not be reached, or its answer is no model."""


async def model_shutdown(client: AsyncOpenAI, model_id: str) -> date | None:
    """The day on which the model shuts down, or None where none is announced.

    Raises `UnknownModel`, `KeyRefused` or `ModelsUnavailable`. A compatible server that does not
    list its models counts as one that lacks this model.
    """
    try:
        model = await for_free_calls(client).models.retrieve(model_id)
    except APIStatusError as error:
        raise _refusal(error, model_id) from None
    except UnicodeEncodeError:  # a key that no header can hold
        raise KeyRefused from None
    except (APIError, ValueError) as error:
        raise ModelsUnavailable(type(error).__name__) from None
    if not getattr(model, "id", None):
        raise ModelsUnavailable("the answer is no model")
    return parse_shutdown(getattr(model, "shutdown_date", None))


def _refusal(error: APIStatusError, model_id: str) -> ImagineError:
    if error.status_code == 401:
        return KeyRefused()
    if error.status_code in {404, 405, 501} or error.code == "model_not_found":
        return UnknownModel(model_id)
    return ModelsUnavailable(f"status {error.status_code}")


def parse_shutdown(value: object) -> date | None:
    """The day that an ISO date, an ISO time or seconds since the epoch stand for; None for
    anything else."""
    try:
        if isinstance(value, int | float) or (isinstance(value, str) and value.isdigit()):
            return datetime.fromtimestamp(float(value), UTC).date()
        return datetime.fromisoformat(str(value)).date()
    except (ValueError, OverflowError, OSError):
        return None
