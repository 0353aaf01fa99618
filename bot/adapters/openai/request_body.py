"""The body and the headers of a call of the Responses API."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

from openai.types.responses import ResponseInputParam
from openai.types.responses.response_input_param import Message
from openai.types.responses.tool_param import ImageGeneration

from bot.adapters.openai import wording
from bot.adapters.openai.extras import REFUSAL_PATTERNS, Asked, OptionalParameter
from bot.adapters.openai.image_files import data_url_of
from bot.domain.images import ImageRequest, size_of_request
from bot.domain.option_table import OPTIONS
from bot.domain.options import AUTO
from bot.domain.prompt import MAX_PROMPT

_SET_BY_OPERATOR = {"size", "quality"}


def headers_of(request_id: str) -> dict[str, str]:
    """The header that names a request in OpenAI's records too: up to 512 ASCII characters, as
    documented. An id that the header cannot hold is left out, because it would cost the request."""
    valid = request_id.isascii() and request_id.isprintable() and len(request_id) <= 512
    return {"X-Client-Request-Id": request_id} if request_id and valid else {}


@dataclass(frozen=True)
class Content:
    """The input of the host model: words, and an image to edit."""

    input: str | ResponseInputParam
    previous_response_id: str = ""
    instructions: str = ""

    @property
    def shows_image(self) -> bool:
        return not isinstance(self.input, str)

    def without_detail(self) -> Content:
        """The content without the level of detail at which the model looks at the image."""
        if isinstance(self.input, str):
            return self
        messages = cast(list[dict[str, Any]], self.input)
        parts = [[_without(part, "detail") for part in one["content"]] for one in messages]
        changed = [{**one, "content": p} for one, p in zip(messages, parts, strict=True)]
        return replace(self, input=cast(ResponseInputParam, changed))

    def with_inlined_instructions(self) -> Content:
        """The content with the instructions at the end of the prompt, where there is room."""
        if not self.instructions:
            return self
        if isinstance(self.input, str):
            text = f"{self.input}\n\n{self.instructions}"
            return replace(
                self, input=text if len(text) <= MAX_PROMPT else self.input, instructions=""
            )
        parts = [{"type": "input_text", "text": self.instructions}]
        more = cast(Any, {"role": "user", "content": parts})
        return replace(self, input=[*self.input, more], instructions="")


def _without(part: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in part.items() if key != name}


async def content_of(request: ImageRequest) -> Content:
    """Raises `GenerationError` where the image to edit can't be had."""
    different = wording.avoid_prompt(request.avoid) if request.avoid else ""
    base = request.base
    if base is None:
        return Content(request.prompt, instructions=different)
    if base.response_id:
        return Content(wording.change_prompt(request), base.response_id, different)
    shown = await data_url_of(base)
    return Content(
        [_message(wording.change_prompt_with_history(request), shown)], instructions=different
    )


def _message(text: str, image_url: str) -> Message:
    return {
        "role": "user",
        "content": [
            {"type": "input_text", "text": text},
            {"type": "input_image", "image_url": image_url, "detail": "auto"},
        ],
    }


@dataclass(frozen=True)
class BodyBuilder:
    """Builds the bodies of calls. The fields are what the operator has set: `host_model` calls the
    image tool, whose model is `model`."""

    host_model: str
    model: str
    size: str
    quality: str
    partial_images: int
    background: bool

    def extras(
        self, request: ImageRequest, content: Content, without: frozenset[OptionalParameter]
    ) -> dict[OptionalParameter, str]:
        """What the call holds that no person asked for, all but those `without` which it is made.
        The tool is told what to do: left to itself, the host model may draw anew what it should
        edit."""
        streams = OptionalParameter.STREAM not in without
        held = {
            OptionalParameter.OUTPUT_FORMAT: "png",
            OptionalParameter.ACTION: "edit" if request.base else "generate",
            OptionalParameter.SIZE: size_of_request(request, self.size),
            OptionalParameter.QUALITY: self.quality,
        }
        chosen = OPTIONS.arguments(request.options)
        extras = {
            e: v for e, v in held.items() if not chosen.keys() & REFUSAL_PATTERNS[e].parameters
        }
        present = {
            OptionalParameter.PARTIALS: streams,
            OptionalParameter.NO_PARTIALS: streams and not self.partial_images,
            OptionalParameter.SAFETY_IDENTIFIER: bool(request.end_user),
            OptionalParameter.TOOL_CHOICE: True,
            OptionalParameter.ANY_TOOL_CHOICE: True,
            OptionalParameter.INSTRUCTIONS: bool(content.instructions),
            OptionalParameter.BACKGROUND: self.background
            and OptionalParameter.STORE not in without,
            OptionalParameter.STORE: True,
            OptionalParameter.STREAM: True,
            OptionalParameter.DETAIL: content.shows_image,
            OptionalParameter.TOOL_MODEL: True,
        }
        extras |= {extra: "" for extra, there in present.items() if there}
        return {extra: value for extra, value in extras.items() if extra not in without}

    def body(self, request: ImageRequest, content: Content, asked: Asked) -> dict[str, Any]:
        """The body with the extras that are `asked`."""
        if content.instructions and OptionalParameter.INSTRUCTIONS not in asked:
            content = content.with_inlined_instructions()
        if OptionalParameter.DETAIL not in asked:
            content = content.without_detail()
        tool_choice: str | dict[str, str] = (
            "required" if OptionalParameter.ANY_TOOL_CHOICE in asked else ""
        )
        if OptionalParameter.TOOL_CHOICE in asked:
            tool_choice = {"type": "image_generation"}
        body = {
            "model": self.host_model,
            "tools": [self._tool(request, asked)],
            "input": content.input,
            "previous_response_id": content.previous_response_id,
            "instructions": content.instructions,
            "stream": OptionalParameter.STREAM in asked,
            "tool_choice": tool_choice,
            "safety_identifier": request.end_user
            if OptionalParameter.SAFETY_IDENTIFIER in asked
            else "",
            "background": OptionalParameter.BACKGROUND in asked,
            "store": OptionalParameter.BACKGROUND in asked,
        }
        told = {name: value for name, value in body.items() if value}
        return told if OptionalParameter.STORE in asked else {**told, "store": False}

    def _tool(self, request: ImageRequest, asked: Asked) -> ImageGeneration:
        """The image tool with what the person chose, and these extras. Where the person leaves
        something to the model that the operator has set, that is said."""
        chosen = OPTIONS.arguments(request.options)
        partial_images = max(
            0 if OptionalParameter.NO_PARTIALS in asked else 1, self.partial_images
        )
        tool = {
            "type": "image_generation",
            "model": self.model if OptionalParameter.TOOL_MODEL in asked else "",
            "size": asked.get(OptionalParameter.SIZE),
            "quality": asked.get(OptionalParameter.QUALITY),
            "output_format": asked.get(OptionalParameter.OUTPUT_FORMAT),
            "partial_images": partial_images if OptionalParameter.PARTIALS in asked else None,
            "action": asked.get(OptionalParameter.ACTION),
            **{n: value for n, value in chosen.items() if value != AUTO or n in _SET_BY_OPERATOR},
        }
        return cast(ImageGeneration, {n: v for n, v in tool.items() if v not in (None, "")})
