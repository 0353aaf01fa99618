"""Spans, by OpenTelemetry's own API: without its SDK, which the standard variables ask for, they
are no-ops of a few microseconds, and what records them is not even imported.

    command ─ job announce ─ job generate ─ flow from GenerateImage ─ provider generate
                                                                    └ calls to Slack and Redis

A job's data carries the trace context, so one trace spans the processes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from bot.domain.errors import GenerationError
from bot.telemetry.context import fields

Kind = SpanKind  # the former name

_tracer = trace.get_tracer("imagine-bot")
_propagator = TraceContextTextMapPropagator()


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
    from bot.telemetry import otel  # takes time that few want to spend

    provider = otel.start(service, environment)
    try:
        yield
    finally:
        otel.close(provider)


@contextmanager
def span(
    name: str,
    kind: SpanKind = SpanKind.INTERNAL,
    *,
    parent: str = "",
    **attributes: str | float,
) -> Iterator[None]:
    """The body as a span with the log context and `attributes`, all under `imagine.`.

    An exception is recorded by its class alone: OpenTelemetry would record its text, which may hold
    a prompt or a secret. `parent` is another process's `traceparent`.
    """
    with _tracer.start_as_current_span(
        name,
        context=_propagator.extract({"traceparent": parent}) if parent else None,
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
        finally:  # a listener learns its log context on its way
            if current.is_recording():
                known = {**fields(), **attributes}
                current.set_attributes({f"imagine.{name}": value for name, value in known.items()})


def carrier() -> dict[str, str]:
    """What carries the trace to whoever goes on with the work: `traceparent`, or nothing."""
    carried: dict[str, str] = {}
    _propagator.inject(carried)
    return {name: value for name, value in carried.items() if name == "traceparent"}


def trace_id() -> str:
    """Of the current trace, or empty."""
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else ""
