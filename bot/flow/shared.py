"""PocketFlow's `shared` dict of one run."""

from __future__ import annotations

import secrets
from typing import Any

from bot.domain.attempt import ImageRef
from bot.domain.errors import FailureKind
from bot.domain.generation import delivers, under_way
from bot.domain.session import Session
from bot.views.words import failure_words

Shared = dict[str, Any]


def shared_store(
    session: Session, candidate: int = 0, *, repeated: bool, runner: str = ""
) -> Shared:
    """The contract's keys, and which image this run is for.

    `candidate`: 0 where the run is about the attempt as a whole. `repeated`: an earlier run of the
    same job may have got somewhere without recording it. `runner` names this run. `failure` is the
    kind of what `error_message` says. `message_ts` is the draft, once it is posted.
    """
    return {
        "session_id": session.id,
        "attempt": session.latest.number,
        "candidate": candidate,
        "repeated": repeated,
        "runner": runner or new_runner(),
        **contract_of(session),
        "generated_image": "",
        "failure": None,
        "message_ts": "",
    }


def contract_of(session: Session) -> Shared:
    """The contract's keys as the session has them; the image is a key of its own."""
    return {
        "task_input": session.task_input,
        "stage": session.stage.value,
        "error_message": session.error_message,
        "input_used_by_process": session.input_used_by_process,
        "final_result": session.final_result,
    }


def image_of(shared: Shared) -> ImageRef:
    """The image that the run is for."""
    return ImageRef(shared["attempt"], shared["candidate"])


def in_charge(session: Session, shared: Shared) -> bool:
    """Whether this run is to show how the attempt ended: another one may have taken it for dead and
    gone on, while Redis was away."""
    if not shared["candidate"]:
        return under_way(session, shared["attempt"])
    return delivers(session, image_of(shared), shared["runner"])


def fail(shared: Shared, kind: FailureKind, said: str = "") -> str:
    """Leave word for `ReportFailure`; answers the action."""
    shared["failure"] = kind.value
    shared["error_message"] = failure_words(kind, said=said)
    return "failed"


def new_runner() -> str:
    """A name for a run."""
    return secrets.token_hex(6)
