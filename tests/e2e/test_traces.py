"""Traces, where the standard variables ask for them: one spans web, queue and worker. A collector
that is away changes nothing for anybody."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest
import pytest_asyncio

from tests.fake_openai import Recorded, incomplete
from tests.support.collector import Collector
from tests.support.concurrent_tests import concurrent
from tests.support.logs import lines_of
from tests.support.processes import World, free_port
from tests.support.scene import Scene, isolated_world, new_scene, over_both

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROMPT = "a zebra nobody may read of"
ROUTES = ("healthz", "readyz", "metrics")
FAST = {"OTEL_BSP_SCHEDULE_DELAY": "100"}
"""Milliseconds between two deliveries."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def collector() -> AsyncIterator[Collector]:
    async with Collector() as collector:
        yield collector


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(
    request: pytest.FixtureRequest, collector: Collector, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """Web and worker, which tell the collector."""
    told = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint, **FAST}
    async with isolated_world(tmp_path_factory.mktemp("world"), request.param) as world:
        for command in ("web", "worker"):
            await world.run(command, **told)
        yield world


class Session(NamedTuple):
    """One that was approved. `requests`: what the provider got for it."""

    token: str
    requests: list[Recorded]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def session(running: World, collector: Collector) -> Session:
    scene = new_scene(running)
    await scene.imagine(PROMPT)
    await scene.approved(await scene.draft())
    await scene.until_quiet()
    assert running.slack.violations == []
    return Session(await scene.token(), list(scene.openai.requests))


@over_both
async def test_one_trace_leads_from_the_command_to_the_draft(
    running: World, session: Session, collector: Collector
) -> None:
    """It begins with the request over HTTP, and in the process over Socket Mode."""
    (generated,) = await collector.until(session.token, "provider generate")
    (finished,) = await collector.until(session.token, "job publish")
    arrived = ["POST /slack/events"] if running.mode == "http" else []
    command = [*arrived, "slack /imagine", "queue announce"]
    job = [*command, "job announce", "queue generate", "job generate"]
    assert await collector.path(generated) == [*job, "flow GenerateImage", "provider generate"]
    approval = [*arrived, "slack approve", "queue publish", "job publish"]
    assert await collector.path(finished) == approval

    (first,) = await collector.until(session.token, "slack /imagine")
    assert (first.service, generated.service) == ("imagine-bot-web", "imagine-bot-worker")
    assert generated.attributes["imagine.candidate"] == 1


@over_both
async def test_calls_to_slack_and_redis_are_parts_of_it(
    session: Session, collector: Collector
) -> None:
    (flow,) = await collector.until(session.token, "flow GenerateImage")
    (job,) = await collector.until(session.token, "job announce")
    parts = {span.name for span in collector.spans if span.parent == flow.id}
    assert parts > {"HGETALL", "provider generate", "slack chat.postMessage"}
    assert "slack chat.postMessage" in {s.name for s in collector.spans if s.parent == job.id}


@over_both
async def test_the_provider_is_not_told_of_the_trace(session: Session) -> None:
    assert session.requests
    for request in session.requests:
        assert "traceparent" not in request.headers


@over_both
async def test_an_idle_process_makes_no_traces(session: Session, collector: Collector) -> None:
    """It asks Redis all the time; what comes first in a trace is somebody's doing."""
    await collector.until(session.token, "job publish")
    first = {span.name for span in collector.spans if not span.parent}
    assert {name.split(" ")[0] for name in first} <= {"POST", "slack", "job"}
    assert "POST" not in first


@pytest.mark.parametrize("running", ["http"], indirect=True, scope="module")
async def test_looks_at_its_health_leave_no_traces(scene: Scene, collector: Collector) -> None:
    async with aiohttp.ClientSession() as prometheus:
        for route in ROUTES:
            async with prometheus.get(f"http://127.0.0.1:{scene.world.port}/{route}") as answer:
                assert answer.status == 200
    await scene.imagine(PROMPT)
    await scene.draft()
    await collector.until(await scene.token(), "job generate")
    assert not {span.name for span in collector.spans} & {f"GET /{route}" for route in ROUTES}


@over_both
async def test_nothing_that_anybody_typed_is_in_a_span(scene: Scene, collector: Collector) -> None:
    """Nor what went wrong in somebody else's words, nor what would open a door."""
    scene.openai.script(incomplete())
    await scene.imagine(PROMPT)
    failure = await scene.failure()
    await scene.click(failure, "Try again")
    await scene.approved(await scene.draft(after=failure))
    token = await scene.token()
    await collector.until(token, "job publish")

    failed, generated = await collector.until(token, "provider generate", 2)
    assert (failed.failed, generated.failed) == (True, False)
    assert failed.attributes["error.type"] == "no_image"
    told = b"".join(collector.bodies)
    world = scene.world
    for private in (
        PROMPT,
        "safety_violations",
        world.slack.bot_token,
        world.slack.app_token,
        world.openai.api_key,
        world.redis_url,
        "Traceback",
        "ticket",
    ):
        assert private.encode() not in told


@concurrent
async def test_the_last_spans_are_delivered_at_the_end(tmp_path: Path) -> None:
    """Where the next delivery is far away."""
    later = {"OTEL_BSP_SCHEDULE_DELAY": "3600000", "OTEL_SERVICE_NAME": "images"}
    async with Collector() as collector, isolated_world(tmp_path) as world:
        dev = await world.run("dev", OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint, **later)
        scene = Scene(world)
        await scene.imagine(PROMPT)
        await scene.draft()
        await scene.until_stage("user_feedback")
        assert await dev.stop() == 0
        assert {span.service for span in collector.spans} == {"images"}
        assert "provider generate" in {span.name for span in collector.spans}


@pytest.mark.parametrize("how", ["refuses", "is silent"])
async def test_a_collector_that_is_away_disturbs_nobody(tmp_path: Path, how: str) -> None:
    async with silent_server() as silent, isolated_world(tmp_path) as world:
        port = silent if how == "is silent" else free_port()
        away = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
            "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "1",
            "LOG_FORMAT": "json",
            **FAST,
        }
        dev = await world.run("dev", **away)
        scene = Scene(world)
        await scene.imagine(PROMPT)
        first = await scene.draft()
        await dev.wait_for_line("traces are not delivered")
        await scene.click(first, "Regenerate")
        await scene.approved(await scene.draft(after=first))
        assert await dev.stop() == 0
    told = [line for line in lines_of(dev) if line["level"] != "DEBUG" and "trace" in str(line)]
    loud = [line for line in told if line["level"] != "INFO"]
    assert [line["message"] for line in loud] == ["traces are not delivered to the collector"]
    assert {line["logger"].split(".")[0] for line in lines_of(dev)} == {"bot"}


@concurrent
async def test_a_silent_collector_does_not_hold_up_the_end(tmp_path: Path) -> None:
    async with silent_server() as port, isolated_world(tmp_path) as world:
        silent = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "60",
        }
        dev = await world.run("dev", **silent)
        scene = Scene(world)
        await scene.imagine(PROMPT)
        await scene.draft()
        await scene.until_stage("user_feedback")
        stopping = asyncio.create_task(dev.stop())
        await dev.wait_for_line("stopped")
        stopped = time.monotonic()
        assert await stopping == 0
        assert time.monotonic() - stopped < 15.0  # two seconds where nothing else runs


@asynccontextmanager
async def silent_server() -> AsyncIterator[int]:
    """The port of a server that takes connections and never answers."""

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            pass
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        port: int = server.sockets[0].getsockname()[1]
        yield port
