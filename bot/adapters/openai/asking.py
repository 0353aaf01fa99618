"""What a call of the Responses API says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

from openai import APIStatusError
from openai.types.responses import ResponseInputParam
from openai.types.responses.response_input_param import Message
from openai.types.responses.tool_param import ImageGeneration

from bot.adapters.openai import wording
from bot.adapters.openai.base import data_url_of
from bot.adapters.openai.refusals import (
    blames_call,
    lost_earlier,
    may_have_lost_earlier,
    names_action,
)
from bot.domain.errors import FailureKind, GenerationError
from bot.domain.images import ImageRequest


@dataclass(frozen=True)
class Manner:
    """How to ask: what some servers refuse, and what is then done without."""

    action: bool = True
    background: bool = True

    def without_what(self, error: APIStatusError) -> Manner | None:
        """The manner to ask in next, or None where the refusal is about something else."""
        if self.action and names_action(error):
            return replace(self, action=False)
        if self.background and blames_call(error):
            return replace(self, background=False)
        return None

    def at_most(self, other: Manner) -> Manner:
        """What both ask for."""
        return Manner(self.action and other.action, self.background and other.background)


@dataclass(frozen=True)
class Tool:
    """The image tool as the operator set it up."""

    model: str
    size: str
    quality: str
    partial_images: int

    def for_request(self, request: ImageRequest, *, action: bool) -> ImageGeneration:
        """The tool with what the person chose. It is told what to do: left to itself, the host
        model may draw anew what it should edit."""
        options = request.options
        tool: dict[str, Any] = {
            "type": "image_generation",
            "model": self.model,
            "size": options.size or self.size,
            "quality": options.quality or self.quality,
            "output_format": "png",
            "partial_images": self.partial_images,
        }
        if action:
            tool["action"] = "edit" if request.base else "generate"
        if options.background not in {"", "auto"}:
            tool["background"] = options.background
        return cast(ImageGeneration, tool)


@dataclass(frozen=True)
class Content:
    """What the host model gets to read and to see."""

    input: str | ResponseInputParam
    previous_response_id: str = ""
    instructions: str = ""


async def content_of(request: ImageRequest) -> Content:
    """Raises `GenerationError` where the image to edit can't be had."""
    different = wording.something_different(request.avoid)
    base = request.base
    if base is None:
        return Content(request.prompt, instructions=different)
    if base.response_id:
        return Content(wording.change_of(request), base.response_id, different)
    shown = await data_url_of(base)
    return Content([_message(wording.change_and_past(request), shown)], instructions=different)


def _message(text: str, image_url: str) -> Message:
    return {
        "role": "user",
        "content": [
            {"type": "input_text", "text": text},
            {"type": "input_image", "image_url": image_url, "detail": "auto"},
        ],
    }


def next_manner(request: ImageRequest, manner: Manner, error: APIStatusError) -> Manner:
    """How to ask after a refusal. Raises it where there is nothing left to do without."""
    by_id = request.base is not None and bool(request.base.response_id)
    if by_id and lost_earlier(error):
        raise GenerationError(FailureKind.SOURCE_GONE) from None
    if following := manner.without_what(error):
        return following
    if by_bytes(request) and may_have_lost_earlier(error):
        raise GenerationError(FailureKind.SOURCE_GONE) from None
    raise error


def by_bytes(request: ImageRequest) -> ImageRequest | None:
    """The same request without the id of the response that holds the image, where it has one and
    the bytes too."""
    base = request.base
    if base is None or not (base.response_id and base.data):
        return None
    return replace(request, base=replace(base, response_id=""))
