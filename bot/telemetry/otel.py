"""OpenTelemetry: our own spans, and those of the packages for aiohttp and redis.

The openai package stands on httpx2, for which OpenTelemetry has no package (the one for httpx does
not know it), so a call to the provider is a span of our own.

No trace context goes out over HTTP, to Slack or to the provider, and none is taken from a request:
what is recorded is not for strangers to say. It travels in our own jobs alone.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import propagate, trace
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.instrumentation.aiohttp_server import AioHttpServerInstrumentor
from opentelemetry.instrumentation.redis import RedisInstrumentor
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from bot.domain.errors import GenerationError
from bot.telemetry.context import fields
from bot.telemetry.exporting import SafeExporter, WithoutOrphans, exporter_of
from bot.telemetry.tracing import Attribute, Kind

CLOSE_WITHIN = 1.5
"""Seconds for the last spans: a collector that is away does not hold the program up."""
_QUIET = ("opentelemetry", "urllib3")
"""Loggers that repeat themselves while the collector is away; `SafeExporter` says it once."""
_EXCLUDED = "OTEL_PYTHON_AIOHTTP_SERVER_EXCLUDED_URLS"
_UNWATCHED = "/healthz$,/readyz$,/metrics$"
"""Asked all the time, and by no person; the instrumentation looks into the environment."""
_API_METHOD = re.compile(r"/api/([a-z]+(?:\.[a-zA-Z]+)+)")


class OpenTelemetry:
    """A `bot.telemetry.tracing.Tracer`."""

    def __init__(self, service: str, environment: Mapping[str, str]) -> None:
        for name in _QUIET:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        resource = Resource.create() if _named(environment) else Resource.create(_name(service))
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.sampler = WithoutOrphans(self._provider.sampler)
        exporter = SafeExporter(exporter_of(environment))
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("imagine-bot")
        self._propagator = TraceContextTextMapPropagator()
        propagate.set_global_textmap(CompositePropagator([]))
        _instrument(self._provider)

    @contextmanager
    def span(
        self, name: str, kind: Kind, parent: str, attributes: Mapping[str, Attribute]
    ) -> Iterator[None]:
        with self._tracer.start_as_current_span(
            name,
            context=self._propagator.extract({"traceparent": parent}) if parent else None,
            kind=SpanKind[kind.name],
            attributes=_prefixed({**fields(), **attributes}),
            record_exception=False,
            set_status_on_exception=False,
        ) as opened:
            try:
                yield
            except BaseException as error:
                named = error.kind if isinstance(error, GenerationError) else type(error).__name__
                opened.set_attribute("error.type", str(named))
                opened.set_status(Status(StatusCode.ERROR))
                raise
            finally:
                opened.set_attributes(_prefixed(fields()))  # a listener learns them on its way

    def traceparent(self) -> str:
        carried: dict[str, str] = {}
        self._propagator.inject(carried)
        return carried.get("traceparent", "")

    def trace_id(self) -> str:
        context = trace.get_current_span().get_span_context()
        return trace.format_trace_id(context.trace_id) if context.is_valid else ""

    def close(self) -> None:
        """Deliver what is left, for `CLOSE_WITHIN` seconds."""
        closing = threading.Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(CLOSE_WITHIN)
        for instrumentor in (
            AioHttpServerInstrumentor(),
            AioHttpClientInstrumentor(),
            RedisInstrumentor(),
        ):
            instrumentor.uninstrument()


def _prefixed(attributes: Mapping[str, Attribute]) -> dict[str, Attribute]:
    return {f"imagine.{name}": value for name, value in attributes.items()}


def _named(environment: Mapping[str, str]) -> bool:
    """Whether the environment says what the service is called: the SDK reads it from there."""
    resource = environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
    return bool(environment.get("OTEL_SERVICE_NAME")) or "service.name=" in resource


def _name(service: str) -> dict[str, Any]:
    return {"service.name": service}


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
