"""The tokens that an answer of the API says it took.

The Responses API tells those of the image tool in `tool_usage.image_gen`, and those of the host
model in `usage`; the Images API has `usage` alone. Any of it may be left out. A usage that holds an
impossible count is no measurement at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.domain.costs import Usage

MOST_TOKENS = 10_000_000
"""Of one count in one call. It is far beyond what any model takes; a larger number could not be
added up in the store."""


class _ImpossibleCount(Exception):
    """Servers may send anything."""


def usage_of_response(response: Any, *, has_image: bool) -> Usage | None:
    """The usage; None where the response tells none, or none of the image that is in it."""
    try:
        return _of_response(response, has_image)
    except _ImpossibleCount:
        return None


def usage_of_image(usage: Any, *, has_image: bool = True) -> Usage | None:
    """Tokens of the image model; None where there are none, or none of the image that was made."""
    try:
        return _of_image(usage, has_image)
    except _ImpossibleCount:
        return None


def _of_response(response: Any, has_image: bool) -> Usage | None:
    host = _field(response, "usage")
    of_image = _of_image(_field(_field(response, "tool_usage"), "image_gen"), has_image)
    host_in, host_out = _count(host, "input_tokens"), _count(host, "output_tokens")
    if of_image is None and (has_image or not host_in + host_out):
        return None
    taken = of_image or Usage()
    details = _field(host, "input_tokens_details")
    cached = min(_count(details, "cached_tokens"), host_in)
    return Usage(
        text_in=taken.text_in,
        image_in=taken.image_in,
        cached_text_in=taken.cached_text_in,
        cached_image_in=taken.cached_image_in,
        image_out=taken.image_out,
        text_out=taken.text_out,
        host_in=host_in,
        host_cached=cached,
        host_cache_write=min(_count(details, "cache_write_tokens"), host_in - cached),
        host_out=host_out,
    )


def _of_image(usage: Any, has_image: bool) -> Usage | None:
    """Counts all output tokens as the image's that are not named as text."""
    sent, made = _count(usage, "input_tokens"), _count(usage, "output_tokens")
    if not made and (has_image or not sent):
        return None
    taken = _field(usage, "input_tokens_details")
    cached = _field(taken, "cached_tokens_details")
    image_in = min(_count(taken, "image_tokens"), sent)
    text_out = min(_count(_field(usage, "output_tokens_details"), "text_tokens"), made)
    return Usage(
        text_in=sent - image_in,
        image_in=image_in,
        cached_text_in=min(_count(cached, "text_tokens"), sent - image_in),
        cached_image_in=min(_count(cached, "image_tokens"), image_in),
        image_out=made - text_out,
        text_out=text_out,
    )


def _count(holder: Any, name: str) -> int:
    """0 where it is left out. A whole number may be written with a point. Raises
    `_ImpossibleCount`."""
    count = _field(holder, name)
    if count is None:
        return 0
    is_number = isinstance(count, int | float) and not isinstance(count, bool)
    if not is_number or not 0 <= count <= MOST_TOKENS or count != int(count):
        raise _ImpossibleCount
    return int(count)


def _field(holder: Any, name: str) -> Any:
    """The SDK leaves what its types do not know as a dictionary."""
    if isinstance(holder, Mapping):
        return holder.get(name)
    return getattr(holder, name, None)
