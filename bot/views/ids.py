"""The names by which commands, clicks, forms and messages come back, and the opaque values that
they carry."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from bot.domain.attempt import ImageRef
from bot.domain.session import Session

COMMAND = "/imagine"

APPROVE = "approve"
USE_THIS = "use_this"
REGENERATE = "regenerate"
REFINE = "refine"
EDIT_PROMPT = "edit_prompt"
CANCEL = "cancel"
TRY_AGAIN = "try_again"
START_OVER = "start_over"

BUTTON_LABELS = {
    APPROVE: "✅ Approve",
    USE_THIS: "Use this one",
    REGENERATE: "🔁 Regenerate",
    REFINE: "🪄 Refine",
    EDIT_PROMPT: "✏️ Edit prompt",
    CANCEL: "🛑 Cancel",
    TRY_AGAIN: "🔁 Try again",
    START_OVER: "🔄 Start over",
}

DIRECT_IMAGE = "direct_image"
"""Callback id of the message shortcut."""

HOME_PAGE = "home_page"
"""Turns a page of the Home tab; the value is a `bot.views.home.Page`. The button's own action id
matches `HOME_PAGE_PATTERN`."""
HOME_PAGE_PATTERN = re.compile(rf"^{HOME_PAGE}_(working|pictures)_(prev|next)$")
DEFAULT_OPTION = "default_option"
"""A select of the Home tab, followed by the option's name; matches `DEFAULT_OPTION_PATTERN`."""
DEFAULT_OPTION_PATTERN = re.compile(rf"^{DEFAULT_OPTION}_[a-z_]+$")
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
PROMPT_BLOCK = "prompt"
PROMPT_INPUT = "prompt_input"
PICTURE_BLOCK = "picture"
"""The select of one picture out of several; the action id is the same."""


def numbered(action_id: str, candidate: int) -> str:
    """The action id of a candidate's own button, unique in its message: `approve`, `approve_2`."""
    return action_id if candidate == 1 else f"{action_id}_{candidate}"


def pattern(action_id: str) -> re.Pattern[str]:
    """Matches the action id for every candidate, and nothing else."""
    return re.compile(rf"^{re.escape(action_id)}(_[2-4])?$")


VALUE = 2_000
"""Characters that a button's value holds."""
_TARGET = re.compile(r"([\w-]+\.[\w-]+\.[0-9a-f]+)#([0-9]{1,4})(?:\.([1-4]))?")


class Target(NamedTuple):
    """The image or session that a button or a form is about. `attempt` counts from 1; 0 means the
    whole session."""

    session_id: str
    attempt: int
    candidate: int = 1

    @property
    def image(self) -> ImageRef:
        return ImageRef(self.attempt, self.candidate)

    def __str__(self) -> str:
        return f"{self.session_id}#{self.image}"


def parse_target(value: str) -> Target | None:
    """The target that a value names; None for any other value."""
    match = _TARGET.fullmatch(value) if len(value) <= VALUE else None
    return Target(match[1], int(match[2]), int(match[3] or 1)) if match else None


def marker(
    session: Session,
    kind: Literal["root", "draft", "preview", "failure", "final"],
    number: int = 0,
    delivery: int = 0,
) -> str:
    """The id of a message's first block, by which it is found where no `ts` was recorded. At most
    255 characters; `number` is that of its attempt, `delivery` how often that was delivered
    again."""
    again = f".{delivery}" if delivery else ""
    return f"{kind}-{session.id}-{number}{again}"
