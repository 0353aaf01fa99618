"""Checks of blocks and views, stricter than Slack's.

Each function answers a list of problems in Slack's form:
`what is wrong [json-pointer:/blocks/0/text]`.
"""

import copy
import logging
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from bot.sandbox.webapi.block_kit_elements import check_element, check_text, problem, too_long

Problems = list[str]
_EVERYWHERE = {"section", "divider", "image", "actions", "context", "header", "rich_text", "video"}
_ALLOWED = {
    "message": _EVERYWHERE | {"markdown", "table", "context_actions"},
    "modal": _EVERYWHERE | {"input"},
    "home": _EVERYWHERE | {"input"},
}
_MOST_BLOCKS = {"message": 50, "modal": 100, "home": 100}
logging.getLogger("slack_sdk.models.blocks.blocks").setLevel(logging.ERROR)


def block_problems(blocks: Any, surface: str = "message", at: str = "/blocks") -> Problems:
    """All that is wrong with a list of blocks on a `message`, `modal` or `home`."""
    if not isinstance(blocks, list):
        return [problem("must be an array of blocks", at)]
    found = []
    if len(blocks) > _MOST_BLOCKS[surface]:
        found.append(problem(f"no more than {_MOST_BLOCKS[surface]} items allowed", at))
    for index, block in enumerate(blocks):
        found += _check_block(block, surface, f"{at}/{index}")
    return found or _check_block_ids(blocks, at)


def view_problems(view: Any, *, kinds: tuple[str, ...] = ("modal",), at: str = "/view") -> Problems:
    """All that is wrong with a view that should be of one of these kinds."""
    if not isinstance(view, dict):
        return [problem("must be an object", at)]
    if view.get("type") not in kinds:
        return [problem(f"type must be one of {', '.join(kinds)}", f"{at}/type")]
    found = block_problems(view.get("blocks"), view["type"], f"{at}/blocks")
    found += too_long(view, {"private_metadata": 3000, "callback_id": 255, "external_id": 255}, at)
    found += _check_modal(view, at) if view["type"] == "modal" else _check_home(view, at)
    return found or _round_trip(view, at, is_view=True)


def _check_modal(view: dict[str, Any], at: str) -> Problems:
    found = []
    if not view.get("blocks"):
        found.append(problem("must provide at least one block", f"{at}/blocks"))
    if "title" not in view:
        found.append(problem("missing required field: title", at))
    for key in ("title", "submit", "close"):
        if key in view:
            found += check_text(view[key], 24, f"{at}/{key}", plain=True)
    inputs = any(isinstance(b, dict) and b.get("type") == "input" for b in view.get("blocks") or [])
    if inputs and "submit" not in view:
        found.append(problem("a view with input blocks needs a submit text", f"{at}/submit"))
    return found


def _check_home(view: dict[str, Any], at: str) -> Problems:
    extra = [key for key in ("title", "submit", "close") if key in view]
    return [problem(f"a home view has no {key}", f"{at}/{key}") for key in extra]


def _check_block(block: Any, surface: str, at: str) -> Problems:
    if not isinstance(block, dict) or "type" not in block:
        return [problem("must be a block with a type", at)]
    kind = block["type"]
    if kind not in _ALLOWED[surface]:
        return [problem(f"unsupported type: {kind}", f"{at}/type")]
    found = too_long(block, {"block_id": 255}, at)
    check = _CHECKS.get(kind)
    found += check(block, at) if check else []
    return found or _round_trip(block, at)


def _check_section(block: dict[str, Any], at: str) -> Problems:
    found: Problems = []
    if "text" not in block and "fields" not in block:
        found.append(problem("missing required field: text", at))
    if "text" in block:
        found += check_text(block["text"], 3000, f"{at}/text")
    fields = block.get("fields", [])
    if "fields" in block and not 1 <= len(fields) <= 10:
        found.append(problem("must have between 1 and 10 items", f"{at}/fields"))
    for index, field in enumerate(fields):
        found += check_text(field, 2000, f"{at}/fields/{index}")
    if "accessory" in block:
        found += check_element(block["accessory"], f"{at}/accessory")
    return found


def _check_header(block: dict[str, Any], at: str) -> Problems:
    return check_text(block.get("text"), 150, f"{at}/text", plain=True)


def _check_image(block: dict[str, Any], at: str) -> Problems:
    found = check_element({"type": "image", **block}, at)
    if "title" in block:
        found += check_text(block["title"], 2000, f"{at}/title", plain=True)
    return found


def _check_actions(block: dict[str, Any], at: str) -> Problems:
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= 25:
        return [problem("must have between 1 and 25 items", f"{at}/elements")]
    found = []
    for index, element in enumerate(elements):
        found += check_element(element, f"{at}/elements/{index}", image_too=False)
    ids = [str(e["action_id"]) for e in elements if isinstance(e, dict) and "action_id" in e]
    for twice in sorted({i for i in ids if ids.count(i) > 1}):
        found.append(problem(f"action_id {twice!r} is used twice in the block", f"{at}/elements"))
    return found


def _check_context(block: dict[str, Any], at: str) -> Problems:
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= 10:
        return [problem("must have between 1 and 10 items", f"{at}/elements")]
    found = []
    for index, element in enumerate(elements):
        where = f"{at}/elements/{index}"
        is_image = isinstance(element, dict) and element.get("type") == "image"
        found += check_element(element, where) if is_image else check_text(element, 3000, where)
    return found


def _check_input(block: dict[str, Any], at: str) -> Problems:
    found = check_text(block.get("label"), 2000, f"{at}/label", plain=True)
    if "hint" in block:
        found += check_text(block["hint"], 2000, f"{at}/hint", plain=True)
    element = block.get("element")
    if isinstance(element, dict) and element.get("type") in ("button", "overflow", "image"):
        found.append(problem(f"unsupported type: {element['type']}", f"{at}/element/type"))
    return found + check_element(element, f"{at}/element")


def _check_markdown(block: dict[str, Any], at: str) -> Problems:
    text = block.get("text")
    if not isinstance(text, str) or not 1 <= len(text) <= 12000:
        return [problem("must be between 1 and 12000 characters", f"{at}/text")]
    return []


_CHECKS = {
    "section": _check_section,
    "header": _check_header,
    "image": _check_image,
    "actions": _check_actions,
    "context": _check_context,
    "input": _check_input,
    "markdown": _check_markdown,
}


def _check_block_ids(blocks: list[dict[str, Any]], at: str) -> Problems:
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    repeated = sorted({block_id for block_id in ids if ids.count(block_id) > 1})
    return [problem(f"block_id {block_id!r} already exists", at) for block_id in repeated]


def _round_trip(value: dict[str, Any], at: str, *, is_view: bool = False) -> Problems:
    """What the SDK's own model of the thing drops or refuses: unknown keys, lengths, styles."""
    try:
        model = View(**copy.deepcopy(value)) if is_view else Block.parse(copy.deepcopy(value))
        known = model.to_dict() if model else {}
    except (SlackObjectFormationError, TypeError, AttributeError, ValueError) as error:
        return [problem(str(error), at)]
    if known == value:
        return []
    odd = sorted(key for key in value if known.get(key) != value[key])
    return [problem(f"invalid additional or malformed property: {', '.join(odd)}", at)]
