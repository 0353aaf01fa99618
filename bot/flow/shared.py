"""PocketFlow's `shared` dict of one run."""

from __future__ import annotations

import secrets
from typing import Any

from bot.domain.attempt import ImageRef
from bot.domain.errors import FailureKind
from bot.domain.generation import delivers, leads, most_telling_failure, under_way
from bot.domain.session import Session
from bot.views.failure_words import failure_words

Shared = dict[str, Any]


def shared_store(
    session: Session, candidate: int = 0, *, repeated: bool, runner: str = ""
) -> Shared:
    """The contract's keys, and which image this run is for.

    `candidate`: 0 where the run is about the attempt as a whole. `repeated`: an earlier run of the
    same job may have done more than it recorded. `runner` names this run. `failure` is the kind of
    the failure that `error_message` describes. `message_ts` is the draft, once it is posted.
    """
    return {
        "session_id": session.id,
        "attempt": session.latest.number,
        "candidate": candidate,
        "repeated": repeated,
        "runner": runner or secrets.token_hex(6),
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


def may_show(session: Session, shared: Shared) -> bool:
    """Whether this run shows how the attempt ends. False where it was cancelled, where another
    candidate delivers, and where a later run of the same job has begun."""
    if not shared["candidate"]:
        return under_way(session, shared["attempt"])
    return delivers(session, image_of(shared), shared["runner"])


def fail(shared: Shared, kind: FailureKind, said: str = "") -> str:
    """Write the failure for `ReportFailure` into `shared`; returns the action. `said` is the
    model's own words."""
    shared["failure"] = kind.value
    shared["error_message"] = failure_words(kind, said=said)
    return "failed"


def fail_to_deliver(shared: Shared, kind: FailureKind, session: Session, bot_name: str) -> str:
    """The same, for images that are made and that Slack does not show."""
    shared["failure"] = kind.value
    shared["error_message"] = failure_words(
        kind, bot_name=bot_name, channel=session.channel, made=True
    )
    return "failed"


def next_action(session: Session, shared: Shared) -> str:
    """The action after a candidate is made or has failed. The one that was made last goes on to
    the draft, or reports the failure where no candidate has an image."""
    if not leads(session, image_of(shared), shared["runner"]):
        return "cancelled"
    if not may_show(session, shared):
        return "recorded"
    if not session.latest.images:
        return fail(shared, *most_telling_failure(session.latest))
    shared["input_used_by_process"] = session.latest.prompt
    return "generated"
