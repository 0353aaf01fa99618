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
from collections.abc import Mapping
from typing import Any

from opentelemetry import propagate, trace
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.instrumentation.aiohttp_server import AioHttpServerInstrumentor
from opentelemetry.instrumentation.redis import RedisInstrumentor
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from bot.telemetry.exporting import SafeExporter, WithoutOrphans, exporter_of

CLOSE_WITHIN = 1.5
"""Seconds for the last spans: a collector that is away does not hold the program up."""
_QUIET = ("opentelemetry", "urllib3")
"""Loggers that repeat themselves while the collector is away; `SafeExporter` says it once."""
_EXCLUDED = "OTEL_PYTHON_AIOHTTP_SERVER_EXCLUDED_URLS"
_UNWATCHED = "/healthz$,/readyz$,/metrics$"
"""Asked all the time, and by no person; the instrumentation looks into the environment."""
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
