"""Whether spans are recorded. What records them is imported only where the standard variables ask
for traces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager


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
