"""Request checks that both APIs share, read off the SDK's own parameter types."""

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, get_type_hints

from pydantic import TypeAdapter, ValidationError
from typing_extensions import is_typeddict

from .problems import ApiError, Problem, invalid, no_such_model

if TYPE_CHECKING:
    from .provider import Provider

PROMPT_LIMIT = 32_000
STANDARD_SIZES = {"auto", "1024x1024", "1024x1536", "1536x1024"}
FIXED_SIZE_MODELS = ("gpt-image-1", "chatgpt-image-latest")
FINE_QUALITY = {"xhigh", "max"}
FINE_QUALITY_MODELS = ("gpt-image-2.5", "gpt-image-2.6")


@lru_cache
def hints(params: Any) -> dict[str, Any]:
    """Key → type of a TypedDict."""
    return get_type_hints(params)


@lru_cache
def validator(params: Any, key: str) -> TypeAdapter[Any]:
    """The validator of one key."""
    return TypeAdapter(hints(params)[key])


def check_keys(
    params: Any, value: Any, where: str = "", skip: frozenset[str] = frozenset()
) -> None:
    """400 unless `value` is a dict with the keys of the TypedDict `params`, rightly typed.

    `skip`: keys that are allowed here and checked elsewhere.
    """
    assert is_typeddict(params)
    if not isinstance(value, dict):
        raise invalid(f"Invalid type for '{where}': expected an object.", where, "invalid_type")
    for key in value:
        if key not in hints(params) and key not in skip:
            name = f"{where}.{key}" if where else key
            raise invalid(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
    for key in params.__required_keys__:
        if key not in value:
            name = f"{where}.{key}" if where else key
            message = f"Missing required parameter: '{name}'."
            raise invalid(message, name, "missing_required_parameter")
    for key in value.keys() - skip:
        name = f"{where}.{key}" if where else key
        try:
            validator(params, key).validate_python(value[key], strict=True)
        except ValidationError as error:
            said = error.errors()[0]["msg"]
            raise invalid(f"Invalid value for '{name}': {said}.", name) from None


def check_model(fake: "Provider", model: Any, where: str, *, image: bool) -> None:
    """404 for an unknown model, 400 for one of the wrong kind."""
    if not isinstance(model, str) or model not in fake.models:
        raise ApiError(no_such_model(str(model)))
    draws = fake.models[model].get("image", is_image_model(model))
    if draws is not image:
        raise invalid(f"The model `{model}` can't be used here.", where)


def is_image_model(model: str) -> bool:
    """Whether OpenAI's name says that it draws."""
    return model.startswith(("gpt-image", "chatgpt-image"))


def check_drawing(options: dict[str, Any], model: str, where: str = "") -> None:
    """Size, quality, format and background against each other and the model."""
    size = options.get("size") or "auto"
    if not fits(size, model):
        raise invalid(f"Invalid size '{size}' for {model}.", f"{where}size")
    quality = options.get("quality")
    if quality in FINE_QUALITY and not model.startswith(FINE_QUALITY_MODELS):
        raise invalid(f"Quality '{quality}' is not supported by {model}.", f"{where}quality")
    output_format = options.get("output_format") or "png"
    if output_format not in {"png", "jpeg", "webp"}:
        message = f"Output format '{output_format}' is not supported by {model}."
        raise invalid(message, f"{where}output_format")
    if options.get("background") == "transparent" and output_format == "jpeg":
        raise invalid("Transparent needs png or webp.", f"{where}background")
    if not 0 <= (options.get("partial_images") or 0) <= 3:
        raise invalid("partial_images must be from 0 to 3.", f"{where}partial_images")
    if not 0 <= (options.get("output_compression") or 0) <= 100:
        raise invalid("output_compression must be 0 to 100.", f"{where}output_compression")


def fits(size: str, model: str) -> bool:
    """Standard, or "WxH" in multiples of 16, ratio within 3, edges up to 3840x2160 (or turned)."""
    if size in STANDARD_SIZES:
        return True
    if model.startswith(FIXED_SIZE_MODELS) or not re.fullmatch(r"[1-9]\d{0,4}x[1-9]\d{0,4}", size):
        return False
    short, long = sorted(int(side) for side in size.split("x"))
    return not (short % 16 or long % 16) and long <= 3 * short and long <= 3840 and short <= 2160


def check_prompt(prompt: Any, where: str) -> None:
    """400 for an empty or overlong one."""
    if not isinstance(prompt, str) or not prompt.strip():
        raise invalid(f"'{where}' must not be empty.", where, "empty_string")
    if len(prompt) > PROMPT_LIMIT:
        message = f"Invalid '{where}': string too long, expected at most {PROMPT_LIMIT}."
        raise ApiError(Problem(400, message, code="string_above_max_length", param=where))


def check_identity(body: dict[str, Any]) -> None:
    """`safety_identifier` up to 128 characters; `metadata` up to 16 pairs of 64/512 characters."""
    if len(body.get("safety_identifier") or "") > 128:
        message = "Invalid 'safety_identifier': string too long."
        raise invalid(message, "safety_identifier", "string_above_max_length")
    metadata = body.get("metadata") or {}
    if len(metadata) > 16:
        raise invalid("Invalid 'metadata': at most 16.", "metadata", "object_above_max_properties")
    if any(len(key) > 64 or len(value) > 512 for key, value in metadata.items()):
        raise invalid("Invalid 'metadata': too long.", "metadata", "string_above_max_length")
