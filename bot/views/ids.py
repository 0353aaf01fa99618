"""The names by which commands, clicks, shortcuts and forms come back."""

from __future__ import annotations

import re

from bot.domain.options import MOST_CANDIDATES

COMMAND = "/imagine"

APPROVE = "approve"
USE_THIS = "use_this"
REGENERATE = "regenerate"
REFINE = "refine"
EDIT_PROMPT = "edit_prompt"
CANCEL = "cancel"
TRY_AGAIN = "try_again"
START_OVER = "start_over"
DISCARD = "discard"
UNDO = "undo"
EDIT_IMAGE = "edit_image"
USE_PICTURE = "use_picture"
WORDS_ONLY = "words_only"
REFINE_WITH = "refine_with"
OPEN_FORM = "open_form"
"""Opens the form of a new session; the value is a `bot.views.prefilled.Prefilled`."""
FEWER_IMAGES = "fewer_images"
CANCEL_WAITING = "cancel_waiting"
"""Cancels what waits, below a refusal that stays."""

BUTTON_LABELS = {
    APPROVE: "✅ Approve",
    USE_THIS: "Approve this one",
    REGENERATE: "🔁 Regenerate",
    REFINE: "🪄 Refine",
    EDIT_PROMPT: "✏️ Edit prompt",
    CANCEL: "🛑 Cancel",
    TRY_AGAIN: "🔁 Try again",
    START_OVER: "🔄 Start over",
    DISCARD: "🗑️ Discard",
    UNDO: "↩️ Undo",
    EDIT_IMAGE: "🪄 Edit this image",
    USE_PICTURE: "Use this picture",
    WORDS_ONLY: "New image from my words only",
    REFINE_WITH: "🪄 Refine with this",
    OPEN_FORM: "📝 Open the form",
    FEWER_IMAGES: "Make fewer",
    CANCEL_WAITING: "🛑 Cancel",
}
"""The buttons of messages."""
OF_ONE_IMAGE = frozenset({APPROVE, REFINE, USE_THIS})
"""Of several images each has these of its own."""

DIRECT_IMAGE = "direct_image"
"""Callback id of the message shortcut."""

HOME_PAGE = "home_page"
"""Turns a page of the Home tab; the value is a `bot.views.home.Page`."""
DEFAULT_OPTION = "default_option"
"""A select of the Home tab, followed by the option's name."""
KEEP_LAST = "keep_last"
"""Makes the options used last the defaults."""

PROMPT_FORM = "prompt_form"
"""Callback id of the form of a new session; its metadata is the session's `Target`, attempt 0."""
EDIT_FORM = "edit_form"
"""Callback id of the form that edits an attempt's prompt and options."""
REFINE_FORM = "refine_form"
"""Callback id of the form that asks what should change."""
IMAGE_FORM = "image_form"
"""Callback id of the form that starts from a picture; its metadata is a
`bot.views.source_pictures.SourcePictures` as JSON."""
LIMITS_FORM = "limits_form"
"""Callback id of the form in which admins set limits."""
LIMIT_INPUT = "limit"
LIMITS_PERSON = "limits_person"
"""The select of the person whose limits that form shows; its block has the same id."""
FORMS = frozenset({PROMPT_FORM, EDIT_FORM, REFINE_FORM, IMAGE_FORM, LIMITS_FORM})
PROMPT_BLOCK = "prompt"
PROMPT_INPUT = "prompt_input"
PICTURE_BLOCK = "picture"
"""The select of one picture out of several; the action id is the same."""

_CANDIDATES = "|".join(str(number) for number in range(2, MOST_CANDIDATES + 1))
ACTIONS = {name: re.compile(rf"^{name}(_({_CANDIDATES}))?$") for name in BUTTON_LABELS} | {
    HOME_PAGE: re.compile(rf"^{HOME_PAGE}_(working|pictures)_(prev|next)$"),
    DEFAULT_OPTION: re.compile(rf"^{DEFAULT_OPTION}_.+$"),
    KEEP_LAST: re.compile(rf"^{KEEP_LAST}$"),
    REFINE_WITH: re.compile(rf"^{REFINE_WITH}(_[0-9]+)*$"),
    LIMITS_PERSON: re.compile(rf"^{LIMITS_PERSON}$"),
}
"""What the action ids match of all that can be clicked. That of a message's button may end in the
number of a candidate (`bot.views.blocks.numbered`), that of `REFINE_WITH` in those of the words and
of the image; that of the Home tab has two more words."""
