"""Strict checks of what the fake sends against the SDK's own types."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError


@lru_cache
def adapter(kind: str) -> TypeAdapter[Any]:
    """The validator of a kind. To import the SDK's types takes half a second, and only those tests
    need them in which the fake answers; building a validator takes a while, too."""
    from openai import types
    from openai.types import responses

    of_kind: dict[str, Any] = {
        "event": responses.ResponseStreamEvent,
        "response": responses.Response,
        "images": types.ImagesResponse,
        "image_generation": types.ImageGenStreamEvent,
        "image_edit": types.ImageEditStreamEvent,
        "model": types.Model,
    }
    return TypeAdapter(of_kind[kind])


def complaints(kind: str, value: object) -> list[str]:
    """What keeps `value` from being a `kind`: wrong types, missing fields, unknown fields."""
    try:
        model = adapter(kind).validate_python(value, strict=True)
    except ValidationError as error:
        return [f"{kind}: {line['loc']}: {line['msg']}" for line in error.errors()[:5]]
    return [f"{kind}: unknown field {name}" for name in unknown_fields(model)]


def unknown_fields(value: object, path: str = "") -> Iterator[str]:
    """Names that the SDK's models let pass but don't have."""
    if isinstance(value, BaseModel):
        yield from (f"{path}.{name}" for name in value.model_extra or {})
        for name in type(value).model_fields:
            yield from unknown_fields(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from unknown_fields(item, f"{path}[{index}]")
