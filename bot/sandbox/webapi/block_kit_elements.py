"""Checks of the elements of blocks: text objects, images, buttons, menus, inputs."""

from typing import Any

Problems = list[str]
_SELECTS = ("static_select", "multi_static_select", "radio_buttons", "checkboxes", "overflow")
_OTHER_INPUTS = (
    "plain_text_input", "email_text_input", "url_text_input", "number_input", "rich_text_input",
    "datepicker", "timepicker", "datetimepicker", "users_select", "multi_users_select",
    "conversations_select", "multi_conversations_select", "channels_select",
    "multi_channels_select", "external_select", "multi_external_select", "file_input",
)  # fmt: skip
_BUTTONS = ("button", "workflow_button", "icon_button", "feedback_buttons")
_MOST_OPTIONS = {"radio_buttons": 10, "checkboxes": 10, "overflow": 5}


def problem(what: str, at: str) -> str:
    return f"{what} [json-pointer:{at}]"


def too_long(value: dict[str, Any], limits: dict[str, int], at: str) -> Problems:
    """The strings in `value` that are longer than their limit, or no strings at all."""
    found = []
    for key, most in limits.items():
        text = value.get(key, "")
        if not isinstance(text, str):
            found.append(problem("must be a string", f"{at}/{key}"))
        elif len(text) > most:
            found.append(problem(f"must be less than {most + 1} characters", f"{at}/{key}"))
    return found


def check_text(text: Any, most: int, at: str, *, plain: bool = False) -> Problems:
    """A text object of 1 to `most` characters; `plain` ones take no mrkdwn."""
    if not isinstance(text, dict) or "text" not in text:
        return [problem("must be a text object", at)]
    kinds = ("plain_text",) if plain else ("plain_text", "mrkdwn")
    if text.get("type") not in kinds:
        return [problem(f"type must be {' or '.join(kinds)}", f"{at}/type")]
    if not isinstance(text["text"], str) or not text["text"].strip():
        return [problem("must be more than 0 characters", f"{at}/text")]
    found = too_long(text, {"text": most}, at)
    known = (
        {"type", "text", "emoji"} if text["type"] == "plain_text" else {"type", "text", "verbatim"}
    )
    if extra := sorted(set(text) - known):
        found.append(problem(f"invalid additional property: {', '.join(extra)}", at))
    return found


def check_element(element: Any, at: str, *, image_too: bool = True) -> Problems:
    """Anything interactive, or an image when `image_too`."""
    if not isinstance(element, dict):
        return [problem("must be an element", at)]
    kind = element.get("type")
    if kind == "image" and image_too:
        return _check_image(element, at)
    if kind not in _SELECTS + _OTHER_INPUTS + _BUTTONS:
        return [problem(f"unsupported type: {kind}", f"{at}/type")]
    found = too_long(element, {"action_id": 255}, at)
    if "placeholder" in element:
        found += check_text(element["placeholder"], 150, f"{at}/placeholder", plain=True)
    if "confirm" in element:
        found += check_confirm(element["confirm"], f"{at}/confirm")
    if kind == "button":
        found += _check_button(element, at)
    elif kind in _SELECTS:
        found += _check_options(element, at)
    elif kind == "plain_text_input":
        found += _check_text_input(element, at)
    return found


def _check_image(image: dict[str, Any], at: str) -> Problems:
    found = too_long(image, {"alt_text": 2000, "image_url": 3000}, at)
    if not image.get("alt_text"):
        found.append(problem("missing required field: alt_text", at))
    if ("image_url" in image) == ("slack_file" in image):
        found.append(problem("must have exactly one of image_url and slack_file", at))
    if "slack_file" in image:
        file = image["slack_file"]
        one = isinstance(file, dict) and len(file) == 1 and (file.get("id") or file.get("url"))
        if not one:
            found.append(problem("must have exactly one of id and url", f"{at}/slack_file"))
    elif not str(image.get("image_url", "https:")).startswith(("https:", "http:")):
        found.append(problem("must be a URL", f"{at}/image_url"))
    return found


def _check_button(button: dict[str, Any], at: str) -> Problems:
    found = check_text(button.get("text"), 75, f"{at}/text", plain=True)
    found += too_long(button, {"value": 2000, "url": 3000, "accessibility_label": 75}, at)
    if button.get("style", "primary") not in ("primary", "danger"):
        found.append(problem("style must be primary or danger", f"{at}/style"))
    return found


def _check_options(element: dict[str, Any], at: str) -> Problems:
    options: Any
    if "option_groups" in element:
        found, options = _check_groups(element, at)
    else:
        most, options = _MOST_OPTIONS.get(element["type"], 100), element.get("options")
        found = _check_list(options, element["type"], most, f"{at}/options")
    if found:
        return found
    values = [option["value"] for option in options]
    for twice in sorted({value for value in values if values.count(value) > 1}):
        found.append(problem(f"value {twice!r} is used twice", f"{at}/options"))
    for key in ("initial_option", "initial_options"):
        chosen = element.get(key, [])
        for each in chosen if isinstance(chosen, list) else [chosen]:
            if each not in options:
                found.append(problem("must be one of the options", f"{at}/{key}"))
    return found


def _check_groups(element: dict[str, Any], at: str) -> tuple[Problems, list[Any]]:
    """What is wrong with the groups, and the options of all of them."""
    groups = element["option_groups"]
    if "options" in element:
        return [problem("must have only one of options and option_groups", at)], []
    if not isinstance(groups, list) or not 1 <= len(groups) <= 100:
        return [problem("must have between 1 and 100 items", f"{at}/option_groups")], []
    found: Problems = []
    options: list[Any] = []
    for index, group in enumerate(groups):
        where = f"{at}/option_groups/{index}"
        found += check_text(group.get("label"), 75, f"{where}/label", plain=True)
        found += _check_list(group.get("options"), element["type"], 100, f"{where}/options")
        options += group.get("options") or []
    return found, options


def _check_list(options: Any, kind: str, most: int, at: str) -> Problems:
    if not isinstance(options, list) or not 1 <= len(options) <= most:
        return [problem(f"must have between 1 and {most} items", at)]
    return [
        wrong
        for index, option in enumerate(options)
        for wrong in _check_option(option, kind, f"{at}/{index}")
    ]


def _check_option(option: Any, kind: str, at: str) -> Problems:
    if not isinstance(option, dict):
        return [problem("must be an option", at)]
    plain = kind not in ("radio_buttons", "checkboxes")
    found = check_text(option.get("text"), 75, f"{at}/text", plain=plain)
    if not option.get("value"):
        found.append(problem("missing required field: value", at))
    if "description" in option:
        found += check_text(option["description"], 75, f"{at}/description", plain=plain)
    if "url" in option and kind != "overflow":
        found.append(problem("only options of overflow menus have a url", f"{at}/url"))
    return found + too_long(option, {"value": 150, "url": 3000}, at)


def _check_text_input(element: dict[str, Any], at: str) -> Problems:
    found = too_long(element, {"initial_value": 3000}, at)
    for key in ("min_length", "max_length"):
        if not 0 <= element.get(key, 1) <= 3000:
            found.append(problem("must be between 0 and 3000", f"{at}/{key}"))
    if len(element.get("initial_value", "")) > element.get("max_length", 3000):
        found.append(problem("must not be longer than max_length", f"{at}/initial_value"))
    return found


def check_confirm(confirm: Any, at: str) -> Problems:
    if not isinstance(confirm, dict):
        return [problem("must be a confirmation dialog", at)]
    found = check_text(confirm.get("title"), 100, f"{at}/title", plain=True)
    found += check_text(confirm.get("text"), 300, f"{at}/text")
    for key in ("confirm", "deny"):
        if key in confirm:
            found += check_text(confirm[key], 30, f"{at}/{key}", plain=True)
    return found
