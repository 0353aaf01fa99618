"""Which spans leave the program, and what is in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer

from bot.telemetry.otel import SafeExporter, WithoutOrphans, exporter_of
from tests.unit.telemetry.written import Written

PROMPT = "a secret fox"


class FakeExporter(SpanExporter):
    """Keeps what is exported. `away`: the collector does not answer."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []
        self.away = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.spans += spans
        return SpanExportResult.FAILURE if self.away else SpanExportResult.SUCCESS

    @property
    def names(self) -> list[str]:
        return [span.name for span in self.spans]


@pytest.fixture
def exporter() -> FakeExporter:
    return FakeExporter()


@pytest.fixture
def tracer(exporter: FakeExporter) -> Iterator[Tracer]:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.sampler = WithoutOrphans(provider.sampler)
    provider.add_span_processor(SimpleSpanProcessor(SafeExporter(exporter)))
    yield provider.get_tracer("test")
    provider.shutdown()


def test_what_a_library_notes_besides_stays_here(exporter: FakeExporter, tracer: Tracer) -> None:
    with tracer.start_as_current_span("HSET") as span:
        span.set_attribute("db.statement", f"HSET session prompt {PROMPT}")
        span.set_attribute("http.url", f"https://upload.test/ticket?{PROMPT}")
        span.set_attribute("db.redis.args_length", 3)
        span.set_attribute("imagine.session", "abcd")
        span.record_exception(ValueError(PROMPT))
        span.set_status(Status(StatusCode.ERROR, PROMPT))
    (exported,) = exporter.spans
    assert dict(exported.attributes or {}) == {"db.redis.args_length": 3, "imagine.session": "abcd"}
    assert exported.status.status_code is StatusCode.ERROR
    assert "secret" not in exported.to_json()


def test_a_long_name_is_cut(exporter: FakeExporter, tracer: Tracer) -> None:
    with tracer.start_as_current_span("HGETALL " * 1_000):
        pass
    assert len(exporter.names[0]) <= 80


def test_a_call_of_nobodys_is_no_trace(exporter: FakeExporter, tracer: Tracer) -> None:
    with tracer.start_as_current_span("BZPOPMIN", kind=SpanKind.CLIENT):
        pass
    with (
        tracer.start_as_current_span("job generate", kind=SpanKind.CONSUMER),
        tracer.start_as_current_span("HGETALL", kind=SpanKind.CLIENT),
    ):
        pass
    assert exporter.names == ["HGETALL", "job generate"]


def test_a_collector_that_is_away_is_told_of_once(
    exporter: FakeExporter, tracer: Tracer, written: Written
) -> None:
    written.set_up()
    for away in (False, True, True, True, False, False):
        exporter.away = away
        with tracer.start_as_current_span("job generate"):
            pass
    assert [(line["level"], line["message"]) for line in written.lines] == [
        ("WARNING", "traces are not delivered to the collector"),
        ("INFO", "traces are again delivered to the collector"),
    ]


def test_another_protocol_than_http_is_told_of(written: Written) -> None:
    written.set_up()
    exporter_of({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}).shutdown()
    assert "http/protobuf" in written.line["message"]
