"""Fields of log lines and spans: tasks inherit them and keep them apart, jobs carry the trace."""

from __future__ import annotations

import asyncio

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from bot.adapters.queue.job_data import job_data, job_from_data
from bot.domain.failures import FailureKind, GenerationError
from bot.domain.jobs import Job, JobKind
from bot.domain.session_ids import SessionId
from bot.telemetry import context
from bot.telemetry.context import fields, log_context, set_log_fields, span, trace_id

ONE, TWO = "T1.U1.aaaa", "T1.U2.bbbb"
JOB = Job(JobKind.GENERATE, "T1.U1.abcd", 2, 1)
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_nothing_is_known_outside() -> None:
    assert dict(fields()) == {}


def test_a_session_is_told_by_its_token_and_its_owner() -> None:
    with log_context(ONE, attempt=2, candidate=1, job="generate-T1.U1.aaaa-2-0"):
        assert dict(fields()) == {
            "session": "aaaa",
            "owner": "T1.U1",
            "attempt": 2,
            "candidate": 1,
            "job": "generate-T1.U1.aaaa-2-0",
        }
    assert dict(fields()) == {}


def test_what_is_not_named_stays_as_it_was() -> None:
    with log_context(ONE, attempt=2):
        with log_context(candidate=3):
            assert (fields()["attempt"], fields()["candidate"]) == (2, 3)
        assert "candidate" not in fields()


def test_another_session_takes_nothing_over() -> None:
    with log_context(ONE, attempt=2, candidate=1):
        with log_context(TWO):
            assert dict(fields()) == {"session": "bbbb", "owner": "T1.U2"}
        assert fields()["session"] == "aaaa"


def test_turning_to_a_session_lasts_until_the_end_of_the_scope() -> None:
    with log_context():
        set_log_fields(ONE)
        set_log_fields(ONE, attempt=4)
        assert (fields()["session"], fields()["attempt"]) == ("aaaa", 4)
    assert dict(fields()) == {}


def test_an_exception_ends_the_scope_too() -> None:
    with pytest.raises(KeyError), log_context(ONE):
        raise KeyError
    assert dict(fields()) == {}


@pytest.mark.parametrize("odd", ["T1.U1.a\nb c", "T1.U1.\x1b[31m", "T1.U1." + "x" * 5_000, "fox"])
def test_an_id_from_outside_looks_like_an_id(odd: str) -> None:
    with log_context(odd):
        session = str(fields()["session"])
    assert len(session) <= 200
    assert session.replace("?", "").isalnum()


async def test_a_task_inherits_what_its_starter_was_about() -> None:
    async def look() -> dict[str, str | int]:
        await asyncio.sleep(0)
        return dict(fields())

    with log_context(ONE, attempt=1):
        task = asyncio.create_task(look())
    assert (await task)["session"] == "aaaa"
    assert "session" not in fields()


async def test_tasks_side_by_side_do_not_mix() -> None:
    async def work(session_id: str, candidate: int) -> tuple[str | int, str | int]:
        with log_context(session_id, candidate=candidate):
            await asyncio.sleep(0.001 * (candidate % 3))
            return fields()["session"], fields()["candidate"]

    ids = [(session_id, n) for n in range(1, 20) for session_id in (ONE, TWO)]
    found = await asyncio.gather(*(work(*pair) for pair in ids))
    assert found == [(SessionId.parse(session_id).token, n) for session_id, n in ids]


# spans


def test_without_a_trace_there_is_nothing_to_carry() -> None:
    with span("job generate", SpanKind.CONSUMER, tries=1):
        assert trace_id() == ""
        assert "traceparent" not in job_data(JOB)


def test_a_process_that_records_nothing_passes_a_trace_on() -> None:
    with span("job generate", SpanKind.CONSUMER, parent=TRACEPARENT):
        assert job_data(JOB)["traceparent"] == TRACEPARENT
        assert trace_id() == TRACEPARENT.split("-")[1]
    assert "traceparent" not in job_data(JOB)


def test_a_job_carries_the_trace_that_it_was_queued_in() -> None:
    with span("queue generate", SpanKind.PRODUCER, parent=TRACEPARENT):
        data = job_data(JOB)
    assert data["traceparent"] == TRACEPARENT
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
    monkeypatch.setattr(context, "_tracer", provider.get_tracer("test"))
    with pytest.raises(type(error)), log_context("T1.U1.abcd"), span("provider generate", tries=2):
        raise error
    (recorded,) = exporter.get_finished_spans()
    about = {"imagine.session": "abcd", "imagine.owner": "T1.U1", "imagine.tries": 2}
    assert recorded.attributes == about | {"error.type": expected}
    assert recorded.status.status_code is StatusCode.ERROR
    assert "secret" not in recorded.to_json()
    provider.shutdown()
