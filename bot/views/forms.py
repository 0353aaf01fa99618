"""The modals."""

from __future__ import annotations

from typing import Any

from bot.domain.option_table import OPTIONS
from bot.domain.options import NO_OPTIONS, Options, OptionTable
from bot.domain.refusals import Reason, Refusal
from bot.domain.session import Session
from bot.views import blocks, ids
from bot.views.blocks import INPUT_LENGTH, Block, Choice, cut
from bot.views.captions import described, image_name
from bot.views.option_selects import chosen_in, option_inputs, read_options
from bot.views.source_pictures import Picture, SourcePictures

__all__ = [
    "Picture",
    "SourcePictures",
    "View",
    "edit_form",
    "image_form",
    "prompt_form",
    "read_options",
    "read_picture",
    "refine_form",
]

View = dict[str, Any]

PROMPT_RECALLED = 500
_PICTURE_COMES_ALONG = "🖼️ The picture that this image was made from comes along."
_CHANGE_LABEL = "What should change?"
_CHANGE_EXAMPLE = "Make the cat look friendlier"


def prompt_form(
    target: blocks.Target,
    prompt: str = "",
    options: Options = NO_OPTIONS,
    table: OptionTable = OPTIONS,
    *,
    from_picture: bool = False,
    cost: str = "",
) -> View:
    """The form of a new session, pre-filled with `prompt`. `from_picture`: the session starts from
    a picture that it has already. `cost` is what the image is expected to cost, in words."""
    note = [blocks.context(plain=_PICTURE_COMES_ALONG)] if from_picture else []
    selects = option_inputs(options, table, from_picture=from_picture)
    fields = [*note, _prompt_field(prompt), *selects]
    return _form(ids.PROMPT_FORM, "Imagine", str(target), fields, cost)


def edit_form(
    target: blocks.Target,
    prompt: str,
    options: Options = NO_OPTIONS,
    table: OptionTable = OPTIONS,
    *,
    from_picture: bool = False,
    cost: str = "",
) -> View:
    """The form that changes the prompt and the options of an attempt."""
    fields = [_prompt_field(prompt), *option_inputs(options, table, from_picture=from_picture)]
    return _form(ids.EDIT_FORM, "Edit prompt", str(target), fields, cost)


def refine_form(target: blocks.Target, session: Session, cost: str = "") -> View:
    """The form that asks what should change about an image."""
    attempt = session.attempt(target.image.attempt)
    which = image_name(session, target.image)
    made_from = described(session, attempt, PROMPT_RECALLED)
    field = _text_field(_CHANGE_LABEL, _CHANGE_EXAMPLE)
    examples = ", ".join(spec.example for spec in OPTIONS if spec.example)
    hint = f"Everything else stays. Options such as {examples} can be typed too."
    field["hint"] = blocks.plain(hint)
    fields = [blocks.context(plain=f"{which[:1].upper()}{which[1:]}: {made_from}"), field]
    return _form(ids.REFINE_FORM, "Refine", str(target), fields, cost)


def image_form(
    pictures: SourcePictures,
    options: Options = NO_OPTIONS,
    table: OptionTable = OPTIONS,
    cost: str = "",
    change: str = "",
) -> View:
    """The form that starts a session from a picture. Several pictures are offered for choice."""
    metadata = pictures.to_metadata()
    carried = SourcePictures.from_metadata(metadata) or pictures
    which = [_picture_field(carried.files)] if len(carried.files) > 1 else []
    field = _text_field(_CHANGE_LABEL, _CHANGE_EXAMPLE)
    if change:
        field["element"]["initial_value"] = cut(change, INPUT_LENGTH)
    fields = [*which, field, *option_inputs(options, table, from_picture=True)]
    return _form(ids.IMAGE_FORM, "Edit this image", metadata, fields, cost)


def read_picture(values: dict[str, Any], pictures: SourcePictures) -> Picture:
    """The chosen picture, or the only one. Raises `Refusal` for one that was not offered."""
    wanted = chosen_in(values, ids.PICTURE_BLOCK)
    for picture in pictures.files:
        if picture.file_id == wanted or len(pictures.files) == 1:
            return picture
    raise Refusal(Reason.NO_IMAGE_THERE)


def _form(callback_id: str, title: str, metadata: str, fields: list[Block], cost: str) -> View:
    shown = [*fields, blocks.context(cost)] if cost else fields
    return {
        "type": "modal",
        "callback_id": callback_id,
        "private_metadata": metadata,
        "title": blocks.plain(title),
        "submit": blocks.plain("Generate"),
        "close": blocks.plain("Cancel"),
        "blocks": shown,
    }


def _prompt_field(prompt: str) -> Block:
    field = _text_field("What should the image show?", "A robot eating pizza on Mars")
    if not prompt:
        return field
    shown = field["element"]["initial_value"] = cut(prompt, INPUT_LENGTH)
    if shown != prompt:
        longer = f"Your prompt was longer: a form holds {INPUT_LENGTH:,} characters."
        field["hint"] = blocks.plain(longer)
    return field


def _text_field(label: str, placeholder: str) -> Block:
    return {
        "type": "input",
        "block_id": ids.PROMPT_BLOCK,
        "label": blocks.plain(label),
        "element": {
            "type": "plain_text_input",
            "action_id": ids.PROMPT_INPUT,
            "multiline": True,
            "max_length": INPUT_LENGTH,
            "placeholder": blocks.plain(placeholder),
            "focus_on_load": True,
        },
    }


def _picture_field(pictures: tuple[Picture, ...]) -> Block:
    choices = [
        Choice(picture.file_id, picture.name.strip() or f"Image {n}")
        for n, picture in enumerate(pictures, 1)
    ]
    return {
        "type": "input",
        "block_id": ids.PICTURE_BLOCK,
        "label": blocks.plain("Which picture?"),
        "element": blocks.select(ids.PICTURE_BLOCK, choices, choices[0].value),
    }
