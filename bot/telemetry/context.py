"""What log lines and spans are about: the session, its owner, the attempt, the candidate, the job.

These fields live in a context variable, so a task inherits them from the task that starts it, and
work that runs side by side keeps its own.

Spans use OpenTelemetry's own API. Without its SDK, which `bot.telemetry.tracing` starts where the
standard variables ask for it, they are no-ops of a few microseconds.

    command ─ job announce ─ job generate ─ flow GenerateImage ─ provider generate
                                                               └ calls to Slack and Redis

A job's data carries the trace context, so one trace spans the processes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from bot.domain.failures import GenerationError

Fields = Mapping[str, str | int]

PROPAGATOR = TraceContextTextMapPropagator()
"""Writes the current trace into a job's data, as `traceparent`, and reads it there."""

_tracer = trace.get_tracer("imagine-bot")
_NOTHING: Fields = MappingProxyType({})
_FIELDS: ContextVar[Fields] = ContextVar("log_fields", default=_NOTHING)
_LONGEST = 200
_prompts_are_logged = False
_NOT_IN_AN_ID = re.compile(r"[^\w.:\-]", re.ASCII)


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
    token = _FIELDS.set(_FIELDS.get())
    try:
        set_log_fields(session_id, attempt=attempt, candidate=candidate, job=job)
        yield
    finally:
        _FIELDS.reset(token)


def set_log_fields(session_id: str, *, attempt: int = 0, candidate: int = 0, job: str = "") -> None:
    """Set log fields for the rest of the innermost `log_context`, or else of this task.

    An id can come from outside: it is cut, and a character that no id has becomes `?`.
    """
    known: dict[str, str | int] = dict(_FIELDS.get())
    job = _NOT_IN_AN_ID.sub("?", job[:_LONGEST])
    if session_id:
        session_id = _NOT_IN_AN_ID.sub("?", session_id[:_LONGEST])
        owner, _, token = session_id.rpartition(".")
        if token != known.get("session"):
            known = {"session": token, "owner": owner}
    given: dict[str, str | int] = {"attempt": attempt, "candidate": candidate, "job": job}
    known |= {name: value for name, value in given.items() if value}
    _FIELDS.set(MappingProxyType(known))


def log_prompts(allowed: bool) -> None:
    """Whether lines may hold what people typed; called once, at start-up."""
    global _prompts_are_logged
    _prompts_are_logged = allowed


def prompt_fields(**texts: str) -> dict[str, str]:
    """What people typed, as extra fields of a log line; none unless `LOG_PROMPTS` is set."""
    return {name: text for name, text in texts.items() if text} if _prompts_are_logged else {}


@contextmanager
def span(
    name: str,
    kind: SpanKind = SpanKind.INTERNAL,
    *,
    parent: str = "",
    **attributes: str | float,
) -> Iterator[None]:
    """The body as a span with the log fields and `attributes`, all under `imagine.`.

    An exception is recorded by its class alone: OpenTelemetry would record its text, which may hold
    a prompt or a secret. `parent` is another process's `traceparent`.
    """
    with _tracer.start_as_current_span(
        name,
        context=PROPAGATOR.extract({"traceparent": parent}) if parent else None,
        kind=kind,
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield
        except BaseException as error:
            named = error.kind if isinstance(error, GenerationError) else type(error).__name__
            current.set_attribute("error.type", str(named))
            current.set_status(Status(StatusCode.ERROR))
            raise
        finally:  # the body may have set log fields
            if current.is_recording():
                known = {**fields(), **attributes}
                current.set_attributes({f"imagine.{name}": value for name, value in known.items()})


def trace_id() -> str:
    """Of the current trace, or empty."""
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else ""
