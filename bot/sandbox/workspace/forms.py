"""Fields of a form: initial values, filled-in values, and what a client refuses to submit."""

from typing import Any

from bot.sandbox.workspace.messages import interactive_elements

Element = dict[str, Any]
_VALUE_KEYS = {
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "checkboxes": ("selected_options", "initial_options"),
    "multi_static_select": ("selected_options", "initial_options"),
    "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
}
_MANY = ("checkboxes", "multi_static_select", "multi_users_select")


def initial_state(blocks: list[dict[str, Any]]) -> dict[str, dict[str, dict[str, Any]]]:
    """`state.values` of a form that nobody has touched."""
    state: dict[str, dict[str, dict[str, Any]]] = {}
    for block, element in interactive_elements(blocks):
        if element["type"] in _VALUE_KEYS:
            key, initial = _VALUE_KEYS[element["type"]]
            empty: Any = [] if element["type"] in _MANY else None
            value = {"type": element["type"], key: element.get(initial, empty)}
            state.setdefault(block["block_id"], {})[element["action_id"]] = value
    return state


def find_field(blocks: list[dict[str, Any]], name: str) -> tuple[dict[str, Any], Element]:
    """The field with this block_id or action_id, or whose label contains `name`."""
    fields = [(b, e) for b, e in interactive_elements(blocks) if e["type"] in _VALUE_KEYS]
    for block, element in fields:
        if name in (block["block_id"], element["action_id"]):
            return block, element
    for block, element in fields:
        if name.casefold() in _label(block).casefold():
            return block, element
    labels = [_label(block) or block["block_id"] for block, _ in fields]
    raise AssertionError(f"no field {name!r} among {labels}")


def filled(element: Element, value: Any) -> dict[str, Any]:
    """The value object of a field after a person put in words, or chose an option."""
    kind = element["type"]
    key = _VALUE_KEYS[kind][0]
    if kind in ("checkboxes", "multi_static_select"):
        wanted = value if isinstance(value, list | tuple) else [value]
        return {"type": kind, key: [_option(element, each) for each in wanted]}
    if "options" in element or "option_groups" in element:
        return {"type": kind, key: None if value is None else _option(element, value)}
    return {"type": kind, key: value if value != "" else None}


def plain_value(value: dict[str, Any]) -> Any:
    """The words or the option value(s) in a value object."""
    found = next((v for k, v in value.items() if k != "type"), None)
    if isinstance(found, list):
        return [each["value"] if isinstance(each, dict) else each for each in found]
    return found["value"] if isinstance(found, dict) and "value" in found else found


def client_refusals(blocks: list[dict[str, Any]], state: dict[str, Any]) -> dict[str, str]:
    """What a Slack client says under the fields instead of submitting the form, by block_id."""
    refused = {}
    for block in blocks:
        if block["type"] == "input":
            element = block["element"]
            value = plain_value(state[block["block_id"]][element["action_id"]])
            problem = _refusal(block, element, value)
            if problem:
                refused[block["block_id"]] = problem
    return refused


def _label(block: dict[str, Any]) -> str:
    shown: dict[str, Any] = block.get("label") or block.get("text") or {}
    return str(shown.get("text", ""))


def _refusal(block: dict[str, Any], element: Element, value: Any) -> str | None:
    if not value:
        return None if block.get("optional") else "Please complete this required field."
    if isinstance(value, str):
        if len(value) > element.get("max_length", 3000):
            return f"Must be at most {element.get('max_length', 3000)} characters."
        if len(value) < element.get("min_length", 0):
            return f"Must be at least {element['min_length']} characters."
    return None


def _option(element: Element, wanted: Any) -> dict[str, Any]:
    if isinstance(wanted, dict):
        wanted = wanted["value"]
    options = list(element.get("options", []))
    for group in element.get("option_groups", []):
        options += group["options"]
    for option in options:
        if wanted in (option.get("value"), option["text"]["text"]):
            return dict(option)
    names = [option["text"]["text"] for option in options]
    raise AssertionError(f"no option {wanted!r} among {names}")
