"""The tokens that an answer of the API says it took.

The Responses API tells those of the image tool in `tool_usage.image_gen`, and those of the host
model in `usage`; the Images API has `usage` alone. Any of it may be left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.domain.costs import Usage


def usage_of_response(response: Any, *, has_image: bool) -> Usage | None:
    """None where the response does not tell, or tells nothing of the image that is in it."""
    tool = _field(_field(response, "tool_usage"), "image_gen")
    host = _field(response, "usage")
    of_image = usage_of_image(tool)
    if has_image and of_image is None:
        return None
    if of_image is None and _count(host, "input_tokens", "output_tokens") == 0:
        return None
    taken = of_image or Usage()
    details = _field(host, "input_tokens_details")
    host_in = _count(host, "input_tokens")
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
        host_out=_count(host, "output_tokens"),
    )


def usage_of_image(usage: Any) -> Usage | None:
    """Tokens of the image model; None where there are none. What is not said to be text in the
    output is the image."""
    sent, made = _count(usage, "input_tokens"), _count(usage, "output_tokens")
    if not sent and not made:
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


def _count(holder: Any, *names: str) -> int:
    """The sum of the fields that are whole numbers above 0; servers may send anything."""
    found = [_field(holder, name) for name in names]
    return sum(n for n in found if isinstance(n, int) and not isinstance(n, bool) and n > 0)


def _field(holder: Any, name: str) -> Any:
    """The SDK leaves what its types do not know as a dictionary."""
    if isinstance(holder, Mapping):
        return holder.get(name)
    return getattr(holder, name, None)
