"""Which spans leave the program, and what is in them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import SpanKind, Status

log = logging.getLogger(__name__)

_TOLD = (
    "imagine.",
    "error.type",
    "http.method",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "http.status_code",
    "db.system",
    "db.redis.",
    "server.",
    "net.peer.",
)
"""How the names of attributes begin that are exported. Not among them: statements, addresses with
tickets in them, and the text of exceptions."""
_LONGEST_NAME = 80


class SafeExporter(SpanExporter):
    """Exports what `_TOLD` names, and says once that the collector is away, or back."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._delivered = True

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export([safe(span) for span in spans])
        delivered = result is SpanExportResult.SUCCESS
        if delivered != self._delivered:
            level, how = (logging.INFO, "again") if delivered else (logging.WARNING, "not")
            log.log(level, "traces are %s delivered to the collector", how)
        self._delivered = delivered
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def safe(span: ReadableSpan) -> ReadableSpan:
    """The span without events (libraries record exceptions there) and without other words."""
    attributes: Mapping[str, Any] = span.attributes or {}
    return ReadableSpan(
        name=span.name[:_LONGEST_NAME],
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes={name: value for name, value in attributes.items() if name.startswith(_TOLD)},
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


class WithoutOrphans(Sampler):
    """The sampler of `OTEL_TRACES_SAMPLER`, but no traces of a single call: an idle worker asks
    Redis all the time, and each of it would be one."""

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Any = None,
        links: Any = None,
        trace_state: Any = None,
    ) -> SamplingResult:
        parent = trace.get_current_span(parent_context).get_span_context()
        if kind is SpanKind.CLIENT and not parent.is_valid:
            return SamplingResult(Decision.DROP)
        return self._sampler.should_sample(
            parent_context, trace_id, name, kind, attributes, links, trace_state
        )

    def get_description(self) -> str:
        return f"WithoutOrphans({self._sampler.get_description()})"


def exporter_of(environment: Mapping[str, str]) -> SpanExporter:
    """OTLP over HTTP, as the variables of OTLP have it, or stdout."""
    if environment.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "console":
        return ConsoleSpanExporter()
    protocol = environment.get("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
    if protocol != "http/protobuf":
        log.warning("traces go by http/protobuf: no other OTEL_EXPORTER_OTLP_PROTOCOL is known")
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (
        OTLPSpanExporter,
    )

    return OTLPSpanExporter()
