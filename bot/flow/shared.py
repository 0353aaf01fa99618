"""The `shared` dict of a run: how it is made, read, and moved on."""

from __future__ import annotations

import secrets
from typing import Any

from bot.domain.attempt import ImageRef
from bot.domain.failures import FailureKind
from bot.domain.generation import is_current_run, is_delivery_run, most_telling_failure
from bot.domain.session import Session
from bot.views.failure_words import failure_words

Shared = dict[str, Any]
"""PocketFlow's `shared` dict of one run."""


def shared_store(
    session: Session, candidate: int = 0, *, repeated: bool, run_id: str = ""
) -> Shared:
    """The contract's keys, and which image of the newest attempt this run is for.

    `candidate`: 0 where the run is about the attempt as a whole. `repeated`: an earlier run of the
    same job may have done more than it recorded. `run_id` names this run, by default with a new
    name. `failure` is the kind of the failure that `error_message` describes. `message_ts` is the
    draft, once it is posted. `final_result` stays as the session has it: publication is a job of
    its own, outside the flow.
    """
    return {
        "session_id": session.id,
        "attempt": session.latest.number,
        "candidate": candidate,
        "repeated": repeated,
        "run_id": run_id or secrets.token_hex(6),
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


def ended(shared: Shared) -> str:
    """The last action of a run: the stage that the run leaves its session in."""
    stage: str = shared["stage"]
    return stage


def fail(shared: Shared, kind: FailureKind, said: str = "", details: tuple[str, ...] = ()) -> str:
    """Write the failure for `ReportFailure` into `shared`; returns the action. `said` and
    `details` are those of the `GenerationError`."""
    shared["failure"] = kind.value
    shared["error_message"] = failure_words(kind, said=said, details=details)
    return "failed"


def fail_to_deliver(shared: Shared, kind: FailureKind, session: Session, bot_name: str) -> str:
    """Like `fail`, for images that are made and that Slack does not show."""
    shared["failure"] = kind.value
    shared["error_message"] = failure_words(
        kind, bot_name=bot_name, channel=session.channel, made=True
    )
    return "failed"


def next_action(session: Session, shared: Shared) -> str:
    """The action after a candidate is made or has failed. The one that was made last goes on to
    the draft, or reports the failure where no candidate has an image."""
    image, run_id = image_of(shared), shared["run_id"]
    if not is_current_run(session, image, run_id):
        return "cancelled"
    if not is_delivery_run(session, image, run_id):
        return "recorded"
    if not session.latest.images:
        return fail(shared, *most_telling_failure(session.latest))
    shared["input_used_by_process"] = session.latest.prompt
    return "generated"
