"""The ids by which clicks and forms come back, and the opaque values they carry."""

from __future__ import annotations

import re
from typing import NamedTuple

APPROVE = "approve"
REGENERATE = "regenerate"
TRY_AGAIN = "try_again"
EDIT_PROMPT = "edit_prompt"
START_OVER = "start_over"

PROMPT_FORM = "prompt_form"
"""Callback id of the form of a new session; its metadata is the session's `Target`, attempt 0."""
EDIT_FORM = "edit_form"
"""Callback id of the form that edits a failed attempt's prompt."""
PROMPT_BLOCK = "prompt"
PROMPT_INPUT = "prompt_input"

_TARGET = re.compile(r"([\w-]+\.[\w-]+\.[0-9a-f]+)#([0-9]{1,4})")


class Target(NamedTuple):
    """What a button or a form is about. `attempt` counts from 1; 0 means the whole session."""

    session_id: str
    attempt: int

    def __str__(self) -> str:
        return f"{self.session_id}#{self.attempt}"


def parse_target(value: str) -> Target | None:
    """Read a value back; None where it is not one of ours."""
    match = _TARGET.fullmatch(value)
    return Target(match[1], int(match[2])) if match else None
