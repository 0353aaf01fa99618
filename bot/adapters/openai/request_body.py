"""The body of a call of the Responses API."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

from openai.types.responses import ResponseInputParam
from openai.types.responses.response_input_param import Message
from openai.types.responses.tool_param import ImageGeneration

from bot.adapters.openai import wording
from bot.adapters.openai.extras import NAMINGS, Asked, Extra
from bot.adapters.openai.image_files import data_url_of
from bot.domain.images import ImageRequest
from bot.domain.options import AUTO, OPTIONS
from bot.domain.prompt import MAX_PROMPT

_SET_BY_OPERATOR = {"size", "quality"}


@dataclass(frozen=True)
class Tool:
    """The image tool as the operator set it up."""

    model: str
    size: str
    quality: str
    partial_images: int

    def extras(self, request: ImageRequest, without: frozenset[Extra]) -> dict[Extra, str]:
        """What the tool holds that no person asked for. It is told what to do: left to itself, the
        host model may draw anew what it should edit."""
        mine = {
            Extra.OUTPUT_FORMAT: "png",
            Extra.ACTION: "edit" if request.base else "generate",
            Extra.SIZE: self.size,
            Extra.QUALITY: self.quality,
        }
        if Extra.STREAM not in without:
            mine[Extra.PARTIALS] = ""
            mine |= {} if self.partial_images else {Extra.NO_PARTIALS: ""}
        chosen = OPTIONS.arguments(request.options)
        return {
            extra: value
            for extra, value in mine.items()
            if extra not in without and not chosen.keys() & NAMINGS[extra].parameters
        }

    def for_request(self, request: ImageRequest, asked: Asked) -> ImageGeneration:
        """The tool with what the person chose, and these extras. What a person leaves to the model
        is said where the operator has set it."""
        chosen = OPTIONS.arguments(request.options)
        least = 0 if Extra.NO_PARTIALS in asked else 1
        partial_images = max(least, self.partial_images)
        tool = {
            "type": "image_generation",
            "model": self.model,
            "size": asked.get(Extra.SIZE),
            "quality": asked.get(Extra.QUALITY),
            "output_format": asked.get(Extra.OUTPUT_FORMAT),
            "partial_images": partial_images if Extra.PARTIALS in asked else None,
            "action": asked.get(Extra.ACTION),
            **{n: value for n, value in chosen.items() if value != AUTO or n in _SET_BY_OPERATOR},
        }
        said = {name: value for name, value in tool.items() if value not in (None, "")}
        return cast(ImageGeneration, said)


@dataclass(frozen=True)
class Content:
    """What the host model gets to read and to see."""

    input: str | ResponseInputParam
    previous_response_id: str = ""
    instructions: str = ""

    def in_one(self) -> Content:
        """The same with the instructions at the end of the prompt, where there is room."""
        if not self.instructions:
            return self
        if isinstance(self.input, str):
            text = f"{self.input}\n\n{self.instructions}"
            return replace(
                self, input=text if len(text) <= MAX_PROMPT else self.input, instructions=""
            )
        more = cast(Any, {"role": "user", "content": self.instructions})
        return replace(self, input=[*self.input, more], instructions="")


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


def extras_of_call(
    request: ImageRequest, content: Content, *, background: bool
) -> dict[Extra, str]:
    """What a call holds besides the tool that no person asked for."""
    held = {
        Extra.SAFETY_IDENTIFIER: request.end_user,
        Extra.TOOL_CHOICE: "named",
        Extra.ANY_TOOL_CHOICE: "any",
        Extra.INSTRUCTIONS: content.instructions,
        Extra.BACKGROUND: "background" if background else "",
        Extra.STREAM: "stream",
    }
    return {extra: "" for extra, there in held.items() if there}


def body_of_call(request: ImageRequest, content: Content, asked: Asked) -> dict[str, Any]:
    """All but the models and the tool."""
    content = content if Extra.INSTRUCTIONS in asked else content.in_one()
    tool_choice: str | dict[str, str] = "required" if Extra.ANY_TOOL_CHOICE in asked else ""
    if Extra.TOOL_CHOICE in asked:
        tool_choice = {"type": "image_generation"}
    body = {
        "input": content.input,
        "previous_response_id": content.previous_response_id,
        "instructions": content.instructions,
        "stream": Extra.STREAM in asked,
        "tool_choice": tool_choice,
        "safety_identifier": request.end_user if Extra.SAFETY_IDENTIFIER in asked else "",
        "background": Extra.BACKGROUND in asked,
        "store": Extra.BACKGROUND in asked,
    }
    return {name: value for name, value in body.items() if value}
