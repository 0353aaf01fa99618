"""When traces are wanted, and that they cost nothing otherwise."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

import pytest

from bot.telemetry.tracing import wanted

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}
_FOR_TRACES = (
    "bot.telemetry.otel",
    "opentelemetry.exporter",
    "opentelemetry.instrumentation",
    "opentelemetry.sdk.trace.export",
    "requests",
)


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
        "import sys, bot.__main__\n"
        "from bot.telemetry.context import span\n"
        "from bot.telemetry.tracing import tracing\n"
        "with tracing('imagine-bot-web', {}), span('x'): pass\n"
        "print(*sys.modules)"
    )
    found = subprocess.check_output([sys.executable, "-c", look], text=True).split()
    assert "bot.telemetry.tracing" in found
    assert [name for name in found if name.startswith(_FOR_TRACES)] == []
