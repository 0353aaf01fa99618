"""A question that is asked before anything is paid for."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.attempt import Source
from bot.domain.session import Person


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
