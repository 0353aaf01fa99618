"""When traces are wanted, and that they cost nothing otherwise."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

import pytest

from bot.adapters.queue.encoding import job_data, job_from_data, traceparent_of
from bot.domain.jobs import Job, JobKind
from bot.telemetry import tracing
from bot.telemetry.tracing import Attribute, Kind, carrier, span, trace_id, wanted

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
    with span("job generate", Kind.CONSUMER, parent=TRACEPARENT, tries=1):
        assert carrier() == {}
        assert trace_id() == ""
        assert "traceparent" not in job_data(JOB)


class _Recording:
    """A tracer in the middle of a trace."""

    def span(
        self, name: str, kind: Kind, parent: str, attributes: Mapping[str, Attribute]
    ) -> AbstractContextManager[None]:
        return nullcontext()

    def traceparent(self) -> str:
        return TRACEPARENT

    def trace_id(self) -> str:
        return TRACEPARENT.split("-")[1]

    def close(self) -> None:
        """Nothing is open."""


def test_a_job_carries_the_trace_that_it_was_queued_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing._Current, "tracer", _Recording())
    data = job_data(JOB)
    assert traceparent_of(data) == TRACEPARENT
    assert job_from_data(data) == JOB


def test_a_job_of_an_older_version_runs_without() -> None:
    data = {"kind": "generate", "session_id": "T1.U1.abcd", "attempt": 2, "run": 1}
    assert (job_from_data(data), traceparent_of(data)) == (JOB, "")
