"""Spans, where OpenTelemetry's standard variables ask for them; otherwise they cost nothing, and
what makes them is not even imported.

    command ─ job announce ─ job generate ─ flow GenerateImage ─ provider generate
                                          └ flow UploadImages, PostDraft, …

A job's data carries the trace context, so one trace spans the processes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import Enum, auto
from typing import Protocol

Attribute = str | int | float | bool


class Kind(Enum):
    """OpenTelemetry's kinds of spans."""

    INTERNAL = auto()
    SERVER = auto()
    CLIENT = auto()
    PRODUCER = auto()
    CONSUMER = auto()


class Tracer(Protocol):
    """Who records spans; `bot.telemetry.otel` has the one."""

    def span(
        self, name: str, kind: Kind, parent: str, attributes: Mapping[str, Attribute]
    ) -> AbstractContextManager[None]: ...

    def traceparent(self) -> str: ...

    def trace_id(self) -> str: ...

    def close(self) -> None: ...


class _Current:
    tracer: Tracer | None = None


def wanted(environment: Mapping[str, str]) -> bool:
    """Whether the standard variables ask for traces."""
    exporter = environment.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true" or exporter == "none":
        return False
    endpoints = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    return bool(exporter) or any(environment.get(name) for name in endpoints)


@contextmanager
def tracing(service: str, environment: Mapping[str, str]) -> Iterator[None]:
    """Record spans while the body runs, and deliver the last of them after it, within bounds.
    `service` is the name unless the environment has one; without any nothing is recorded."""
    if not (service and wanted(environment)):
        yield
        return
    from bot.telemetry.otel import OpenTelemetry  # takes time that few want to spend

    _Current.tracer = OpenTelemetry(service, environment)
    try:
        yield
    finally:
        tracer, _Current.tracer = _Current.tracer, None
        tracer.close()


def span(
    name: str, kind: Kind = Kind.INTERNAL, *, parent: str = "", **attributes: Attribute
) -> AbstractContextManager[None]:
    """The body as a span, with what it is about (`bot.telemetry.context`) among its attributes.
    An exception is told by its class. `parent` is another process's `traceparent`."""
    if _Current.tracer is None:
        return nullcontext()
    return _Current.tracer.span(name, kind, parent, attributes)


def carrier() -> dict[str, str]:
    """What carries the trace to whoever goes on with the work: `traceparent`, or nothing."""
    found = _Current.tracer.traceparent() if _Current.tracer else ""
    return {"traceparent": found} if found else {}


def trace_id() -> str:
    """Of the trace that is being recorded, or empty."""
    return _Current.tracer.trace_id() if _Current.tracer else ""
