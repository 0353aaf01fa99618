"""When traces are wanted, and that they cost nothing otherwise."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from bot.adapters.queue.encoding import job_data, job_from_data, traceparent_of
from bot.domain.errors import FailureKind, GenerationError
from bot.domain.jobs import Job, JobKind
from bot.telemetry import tracing
from bot.telemetry.context import log_context
from bot.telemetry.tracing import carrier, span, trace_id, wanted

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
_FOR_TRACES = (
    "bot.telemetry.otel",
    "bot.telemetry.exporting",
    "opentelemetry.exporter",
    "opentelemetry.instrumentation",
    "opentelemetry.sdk.trace.export",
    "requests",
)
JOB = Job(JobKind.GENERATE, "T1.U1.abcd", 2, 1)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        (ENDPOINT, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_SERVICE_NAME": "images"}, False),
        (ENDPOINT | {"OTEL_SDK_DISABLED": "true"}, False),
        (ENDPOINT | {"OTEL_SDK_DISABLED": "TRUE"}, False),
        (ENDPOINT | {"OTEL_SDK_DISABLED": "false"}, True),
        (ENDPOINT | {"OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "console"}, True),
    ],
)
def test_the_standard_variables_decide(environment: Mapping[str, str], expected: bool) -> None:
    assert wanted(environment) is expected


def test_without_them_no_code_for_traces_is_even_imported() -> None:
    """What redis-py imports of OpenTelemetry, for metrics of its own, is not ours to change."""
    look = (
        "import sys, bot.__main__, bot.telemetry.tracing as t\n"
        "with t.tracing('imagine-bot-web', {}), t.span('x'): pass\n"
        "print(*sys.modules)"
    )
    found = subprocess.check_output([sys.executable, "-c", look], text=True).split()
    assert "bot.telemetry.tracing" in found
    assert [name for name in found if name.startswith(_FOR_TRACES)] == []


def test_without_a_trace_there_is_nothing_to_carry() -> None:
    with span("job generate", SpanKind.CONSUMER, tries=1):
        assert carrier() == {}
        assert trace_id() == ""
        assert "traceparent" not in job_data(JOB)


def test_a_process_that_records_nothing_passes_a_trace_on() -> None:
    with span("job generate", SpanKind.CONSUMER, parent=TRACEPARENT):
        assert carrier() == {"traceparent": TRACEPARENT}
        assert trace_id() == TRACEPARENT.split("-")[1]
    assert carrier() == {}


def test_a_job_carries_the_trace_that_it_was_queued_in() -> None:
    with span("queue generate", SpanKind.PRODUCER, parent=TRACEPARENT):
        data = job_data(JOB)
    assert traceparent_of(data) == TRACEPARENT
    assert job_from_data(data) == JOB


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("a secret fox"), "ValueError"),
        (GenerationError(FailureKind.MODERATION, said="a secret fox"), "moderation"),
    ],
)
def test_an_exception_is_told_by_its_class(
    monkeypatch: pytest.MonkeyPatch, error: Exception, expected: str
) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    with pytest.raises(type(error)), log_context("T1.U1.abcd"), span("provider generate", tries=2):
        raise error
    (recorded,) = exporter.get_finished_spans()
    about = {"imagine.session": "abcd", "imagine.owner": "T1.U1", "imagine.tries": 2}
    assert recorded.attributes == about | {"error.type": expected}
    assert recorded.status.status_code is StatusCode.ERROR
    assert "secret" not in recorded.to_json()
    provider.shutdown()


def test_a_job_of_an_older_version_runs_without() -> None:
    data = {"kind": "generate", "session_id": "T1.U1.abcd", "attempt": 2, "run": 1}
    assert (job_from_data(data), traceparent_of(data)) == (JOB, "")
