"""PocketFlow's `shared` dict of one run, and what the nodes record in the session."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

from bot.domain.attempt import ImageRef
from bot.domain.errors import FailureKind
from bot.domain.session import Session, with_attempt
from bot.domain.stages import Stage

Shared = dict[str, Any]


def shared_store(session: Session, *, repeated: bool, runner: str = "") -> Shared:
    """The contract's keys, and which attempt this run is for.

    `repeated`: an earlier run of the same attempt may have got somewhere without recording it.
    `runner` names this run, once it has begun to work on the attempt.
    `images` holds every image of the attempt in base64, by the candidate's number, and
    `generated_image` the first of them.
    """
    return {
        "session_id": session.id,
        "attempt": session.latest.number,
        "repeated": repeated,
        "runner": runner or new_runner(),
        "task_input": session.task_input,
        "stage": session.stage.value,
        "error_message": session.error_message,
        "input_used_by_process": session.input_used_by_process,
        "generated_image": "",
        "images": {},
        "final_result": session.final_result,
        "failure": None,
        "message_ts": "",
    }


def under_way(session: Session, number: int) -> bool:
    """Whether the session still waits for this attempt."""
    return session.stage is Stage.GENERATING and session.latest.number == number


def in_charge(session: Session, shared: Shared) -> bool:
    """Whether the session still waits for this attempt, and no other run has taken it over: this
    one may have been taken for dead while Redis was away, and is not to post beside the other."""
    return leads(session, shared["attempt"], shared["runner"])


def leads(session: Session, number: int, runner: str) -> bool:
    """The same, of a run by its name."""
    return under_way(session, number) and session.latest.runner in ("", runner)


def new_runner() -> str:
    """A name for a run."""
    return secrets.token_hex(6)


def was_cancelled(session: Session, number: int) -> bool:
    return number <= len(session.attempts) and session.attempt(number).cancelled


def noted(session: Session, image: ImageRef, **facts: Any) -> Session:
    """The session with these facts about a candidate. Of two runs of an attempt, which overlap
    where one was taken for dead, the slower one changes nothing about an image that is in Slack,
    nor about a draft that is in the thread. A session that was started over keeps no facts."""
    if image.attempt > len(session.attempts):
        return session
    attempt = session.attempt(image.attempt)
    candidate = attempt.candidate(image.candidate)
    if attempt.message_ts or candidate.file_id:
        return session
    return with_attempt(session, attempt.with_candidate(replace(candidate, **facts)))


def not_delivered(shared: Shared) -> str:
    """Slack took nothing; answers the action."""
    shared["failure"] = {"kind": FailureKind.NOT_DELIVERED.value, "said": ""}
    return "failed"
