"""Questions that are asked before anything is paid for, and what waits for its other half."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from bot.domain.attempt import Source
from bot.domain.policy import Person


@dataclass(frozen=True)
class PictureQuestion:
    """Whether what somebody said in a thread is about the picture at its top. `id` is that of the
    session which the answer starts, so that one question starts one session, however often it is
    answered. `source` is None where that picture cannot be used. `idempotency_key` is the
    message's."""

    id: str
    team: str
    person: Person
    channel: str
    thread_ts: str
    idempotency_key: str
    text: str
    source: Source | None = None


@dataclass(frozen=True)
class ChangeQuestion:
    """Which image of a session a change is about, or whether it is to be made at all. `id` is the
    idempotency key of the attempt that the answer begins: one question begins one attempt.
    `person` said it, `text` is the change with its options."""

    id: str
    session_id: str
    person: Person
    text: str


@dataclass(frozen=True)
class WaitingPicture:
    """A picture that somebody sent without saying what should change about it: what they say next
    in that place is about it. `text` is what came with it: options alone. `thread_ts` is the thread
    of the picture's message, which may be the message itself."""

    id: str
    source: Source
    thread_ts: str
    text: str = ""


@dataclass(frozen=True)
class RefusedRequest:
    """The words of a request that a limit refused, which are too long for the button that begins
    what is left. Words that are None are those of the session's newest attempt."""

    id: str
    channel: str
    prompt: str | None
    change: str | None


Question = PictureQuestion | ChangeQuestion | WaitingPicture | RefusedRequest


def waiting_picture_id(team: str, owner: str, channel: str, thread_ts: str) -> str:
    """One waiting picture of a person in a place; `thread_ts` is empty outside threads."""
    place = hashlib.sha256(f"picture|{channel}|{thread_ts}".encode()).hexdigest()[:20]
    return f"{team}.{owner}.{place}"
