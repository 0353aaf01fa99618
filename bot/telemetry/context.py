"""The log context: fields that every log line and every span carry.

They live in a context variable, so a task inherits them from whoever starts it, and work that
runs side by side keeps its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

Fields = Mapping[str, str | int]

_NOTHING: Fields = MappingProxyType({})
_FIELDS: ContextVar[Fields] = ContextVar("log_fields", default=_NOTHING)
_LONGEST = 200
_ODD = re.compile(r"[^\w.:\-]", re.ASCII)


def fields() -> Fields:
    """`session` (the token), `owner` (`team.user`), `attempt`, `candidate`, `job`: as far as they
    are known here, in this order."""
    return _FIELDS.get()


@contextmanager
def log_context(
    session_id: str = "", *, attempt: int = 0, candidate: int = 0, job: str = ""
) -> Iterator[None]:
    """Set log fields for the body and for the tasks that it starts. A field that is not given stays
    as it was, unless the session is another one."""
    token = _FIELDS.set(_with(session_id, attempt, candidate, job))
    try:
        yield
    finally:
        _FIELDS.reset(token)


def set_log_fields(session_id: str, *, attempt: int = 0) -> None:
    """Set log fields for the rest of the innermost `log_context`, or else of this task."""
    _FIELDS.set(_with(session_id, attempt))


def token_of(session_id: str) -> str:
    """The last part of `team.user.token`: unique, and says nothing of the person."""
    return session_id.rpartition(".")[2]


def _with(session_id: str, attempt: int = 0, candidate: int = 0, job: str = "") -> Fields:
    known: dict[str, str | int] = dict(_FIELDS.get())
    if session_id:
        owner, _, token = _plain(session_id).rpartition(".")
        if token != known.get("session"):
            known = {"session": token, "owner": owner}
    numbers = {"attempt": attempt, "candidate": candidate}
    given: dict[str, str | int] = {**numbers, "job": _plain(job)}
    return MappingProxyType(known | {name: value for name, value in given.items() if value})


def _plain(text: str) -> str:
    """An id can come from outside; it is not to look like anything else in a log."""
    return _ODD.sub("?", text[:_LONGEST])
