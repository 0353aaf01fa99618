"""The modals."""

from __future__ import annotations

from typing import Any

from bot.views import ids
from bot.views.text import INPUT_LENGTH, cut

View = dict[str, Any]


def prompt_form(target: ids.Target, prompt: str = "") -> View:
    """The form of a new session, pre-filled with `prompt`."""
    return _form(ids.PROMPT_FORM, "Imagine", target, prompt)


def edit_form(target: ids.Target, prompt: str) -> View:
    """The form that changes the prompt of an attempt."""
    return _form(ids.EDIT_FORM, "Edit prompt", target, prompt)


def _form(callback_id: str, title: str, target: ids.Target, prompt: str) -> View:
    element: dict[str, Any] = {
        "type": "plain_text_input",
        "action_id": ids.PROMPT_INPUT,
        "multiline": True,
        "max_length": INPUT_LENGTH,
        "placeholder": _plain("A robot eating pizza on Mars"),
        "focus_on_load": True,
    }
    if prompt:
        element["initial_value"] = cut(prompt, INPUT_LENGTH)
    block: dict[str, Any] = {
        "type": "input",
        "block_id": ids.PROMPT_BLOCK,
        "label": _plain("What should the image show?"),
        "element": element,
    }
    if element.get("initial_value", prompt) != prompt:
        block["hint"] = _plain(f"Your prompt was longer: a form holds {INPUT_LENGTH:,} characters.")
    return {
        "type": "modal",
        "callback_id": callback_id,
        "private_metadata": str(target),
        "title": _plain(title),
        "submit": _plain("Generate"),
        "close": _plain("Cancel"),
        "blocks": [block],
    }


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}
