"""What `POST /v1/responses` takes: `ResponseCreateParams`, as far as images need it."""

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openai.types.responses import response_create_params as create_params
from openai.types.responses import response_input_image_param as image_param
from openai.types.responses import response_input_text_param as text_param
from openai.types.responses import tool_param

from . import rules
from .pictures import mime_type
from .problems import ApiError, Problem, invalid

if TYPE_CHECKING:
    from .provider import Provider

ELSEWHERE = frozenset({"input", "tools", "tool_choice", "stream", "include", "context_management"})
ITEMS = {"message", "image_generation_call", "item_reference"}
ROLES = {"user", "assistant", "system", "developer"}


@dataclass(frozen=True)
class Asked:
    """A checked request: the prompt, the image tool (None: no such tool) and the images given."""

    prompt: str
    tool: dict[str, Any] | None
    images: int


def check(fake: "Provider", body: dict[str, Any]) -> Asked:
    """400/404 unless the body is right."""
    rules.check_keys(create_params.ResponseCreateParamsBase, body, skip=ELSEWHERE)
    rules.check_identity(body)
    for key in ("model", "input"):
        if body.get(key) in (None, "", []):
            message = f"Missing required parameter: '{key}'."
            raise invalid(message, key, "missing_required_parameter")
    rules.check_model(fake, body["model"], "model", image=False)
    if not isinstance(body.get("stream", False), bool | None):
        raise invalid("Invalid type for 'stream'.", "stream", "invalid_type")
    if body.get("background") and body.get("store") is False:
        raise invalid("Background mode requires 'store' to be true.", "background")
    tool = check_tools(fake, body.get("tools") or [])
    check_tool_choice(body.get("tool_choice", "auto"), tool)
    prompt, images = check_input(body["input"])
    rules.check_prompt(prompt, "input")
    earlier = body.get("previous_response_id")
    if earlier is not None:
        images += fake.stored_images(earlier)
    if tool and tool.get("action") == "edit" and not images:
        raise invalid("Action 'edit' needs an image in context.", "tools[0].action")
    return Asked(prompt, tool, images)


def check_tools(fake: "Provider", tools: Any) -> dict[str, Any] | None:
    """The image tool among them, checked."""
    found = None
    for index, tool in enumerate(tools):
        where = f"tools[{index}]"
        if not isinstance(tool, dict) or tool.get("type") != "image_generation":
            raise invalid(f"Invalid value for '{where}.type'.", f"{where}.type")
        rules.check_keys(tool_param.ImageGeneration, tool, where)
        model = tool.get("model", "gpt-image-2.6-sunburst")
        rules.check_model(fake, model, f"{where}.model", image=True)
        rules.check_drawing(tool, model, f"{where}.")
        found = tool
    return found


def check_tool_choice(choice: Any, tool: dict[str, Any] | None) -> None:
    """`none`, `auto`, `required`, or `{"type": "image_generation"}` with the tool declared."""
    if choice in ("none", "auto", "required"):
        return
    if choice != {"type": "image_generation"}:
        raise invalid("Invalid value for 'tool_choice'.", "tool_choice")
    if tool is None:
        message = "Tool choice 'image_generation' not found in 'tools' parameter."
        raise invalid(message, "tool_choice")


def check_input(given: Any) -> tuple[str, int]:
    """All text of the input (newline between parts) and the number of its images."""
    if isinstance(given, str):
        return given, 0
    if not isinstance(given, list):
        raise invalid("Invalid type for 'input'.", "input", "invalid_type")
    texts, images = [], 0
    for index, item in enumerate(given):
        where = f"input[{index}]"
        kind = item.get("type", "message") if isinstance(item, dict) else None
        if kind not in ITEMS:
            raise invalid(f"Invalid value for '{where}.type'.", f"{where}.type")
        if kind != "message":
            images += kind == "image_generation_call"
            continue
        if item.get("role") not in ROLES or item.keys() - {"type", "role", "content", "phase"}:
            raise invalid(f"Invalid message at '{where}'.", f"{where}.role")
        content = item.get("content")
        parts = [{"type": "input_text", "text": content}] if isinstance(content, str) else content
        for place, part in enumerate(parts or []):
            text, image = check_part(part, f"{where}.content[{place}]")
            texts.append(text)
            images += image
    return "\n".join(text for text in texts if text), images


def check_part(part: Any, where: str) -> tuple[str, int]:
    """Text and number of images of one content part."""
    kind = part.get("type") if isinstance(part, dict) else None
    if kind in ("input_text", "output_text"):
        rules.check_keys(text_param.ResponseInputTextParam, part, where, frozenset({"type"}))
        return str(part["text"]), 0
    if kind != "input_image":
        raise invalid(f"Invalid value: '{kind}'.", f"{where}.type")
    rules.check_keys(image_param.ResponseInputImageParam, {"detail": "auto"} | part, where)
    url, file_id = part.get("image_url"), part.get("file_id")
    if bool(url) is bool(file_id):
        raise invalid("Give one of 'image_url' and 'file_id'.", f"{where}.image_url")
    if url:
        check_image_url(url, f"{where}.image_url")
    return "", 1


def check_image_url(url: str, where: str) -> None:
    """An http(s) address, or a data URL whose base64 is an image of the type that it says."""
    if url.startswith(("http://", "https://")):
        return
    head, _, data = url.partition(",")
    if not (head.startswith("data:image/") and head.endswith(";base64")):
        raise invalid("Expected a valid URL or a data URL.", where)
    try:
        found = mime_type(base64.b64decode(data, validate=True))
    except binascii.Error:
        found = None
    if found is None or head != f"data:{found};base64":
        message = "The image data you provided does not represent a valid image."
        raise ApiError(Problem(400, message, code="invalid_base64_image", param=where))
