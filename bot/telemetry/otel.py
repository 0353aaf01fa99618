"""OpenTelemetry records and exports our own spans, and those of its packages for aiohttp and redis.

The openai package stands on httpx2, for which OpenTelemetry has no package (the one for httpx does
not know it), so a call to the provider is a span of our own.

No trace context goes out over HTTP, to Slack or to the provider, and none is taken from a request:
strangers have no say in what is recorded. It travels in our own jobs alone.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.instrumentation.aiohttp_server import AioHttpServerInstrumentor
from opentelemetry.instrumentation.redis import RedisInstrumentor
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    ConsoleSpanExporter,
    SpanExporter,
    SpanExportResult,
)
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import SpanKind, Status

log = logging.getLogger(__name__)

CLOSE_WITHIN = 1.5
"""Seconds for the last spans: a collector that is away does not hold the program up."""
_QUIET = ("opentelemetry", "urllib3")
"""Loggers that repeat themselves while the collector is away; `SafeExporter` says it once."""
_EXCLUDED = "OTEL_PYTHON_AIOHTTP_SERVER_EXCLUDED_URLS"
_UNWATCHED = "/healthz$,/readyz$,/metrics$"
"""Asked all the time, and by no person; the instrumentation looks into the environment."""
_EXPORTED = (
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
"""Attributes whose names begin so are exported. Statements, addresses with tickets in them and the
text of exceptions are not."""
_LONGEST_NAME = 80
_API_METHOD = re.compile(r"/api/([a-z]+(?:\.[a-zA-Z]+)+)")


def start(service: str, environment: Mapping[str, str]) -> TracerProvider:
    """From now on spans are recorded and exported. Once in a process."""
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    named = _named(environment)
    resource = Resource.create() if named else Resource.create({"service.name": service})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.sampler = WithoutOrphans(provider.sampler)
    provider.add_span_processor(BatchSpanProcessor(SafeExporter(exporter_of(environment))))
    trace.set_tracer_provider(provider)
    propagate.set_global_textmap(CompositePropagator([]))
    _instrument(provider)
    return provider


def close(provider: TracerProvider) -> None:
    """Deliver what is left, for `CLOSE_WITHIN` seconds."""
    closing = threading.Thread(target=provider.shutdown, daemon=True)
    closing.start()
    closing.join(CLOSE_WITHIN)
    for instrumentor in (
        AioHttpServerInstrumentor(),
        AioHttpClientInstrumentor(),
        RedisInstrumentor(),
    ):
        instrumentor.uninstrument()


def _named(environment: Mapping[str, str]) -> bool:
    """Whether the environment says what the service is called: the SDK reads it from there."""
    resource = environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
    return bool(environment.get("OTEL_SERVICE_NAME")) or "service.name=" in resource


def _instrument(provider: TracerProvider) -> None:
    """Redis commands are told by their names, HTTP calls by Slack's method. Whatever else the
    packages note is taken off by `SafeExporter`."""
    os.environ.setdefault(_EXCLUDED, _UNWATCHED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package for servers derives from a final class
        AioHttpServerInstrumentor().instrument(tracer_provider=provider)
    AioHttpClientInstrumentor().instrument(
        tracer_provider=provider, url_filter=_origin, request_hook=_name_call
    )
    RedisInstrumentor().instrument(tracer_provider=provider)


def _origin(url: Any) -> str:
    """Paths and queries hold tickets, and what is posted to a `response_url` needs no more."""
    return str(url.origin())


def _name_call(span: Any, request: Any) -> None:
    if method := _API_METHOD.fullmatch(request.url.path):
        span.update_name(f"slack {method[1]}")


class SafeExporter(SpanExporter):
    """Exports what `_EXPORTED` names, and says once that the collector is away, or back."""

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
        attributes={
            name: value for name, value in attributes.items() if name.startswith(_EXPORTED)
        },
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
    return OTLPSpanExporter()
