"""The program as a process, over signed HTTP and over Socket Mode: what does not belong there is
answered, changes nothing of anybody else's, and stops nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from multidict import CIMultiDict

from bot.sandbox import Message
from tests.fakes import ID
from tests.fuzz.payloads import TYPED, body_of, spoilt
from tests.fuzz.wire import BODIES, CONTENT_TYPES, Sent, signed
from tests.scenario.payloads import Payload
from tests.support.hypotheses import TIMEOUT, examples
from tests.support.processes import World
from tests.support.scene import Scene, isolated_world
from tests.support.store import stored_sessions

pytestmark = pytest.mark.timeout(TIMEOUT)

ANSWER_WITHIN = 20.0
NOT_ACKED_AFTER = 0.1
"""Seconds; most of what is sent here is never acked."""
ENVELOPES = [
    "",
    "null",
    "[]",
    "{}",
    "zebra",
    '{"envelope_id": "1"}',
    '{"envelope_id": "1", "type": "slash_commands", "payload": null}',
    '{"envelope_id": "1", "type": "slash_commands", "payload": ["zebra crossing"]}',
    '{"envelope_id": {}, "type": [], "payload": {}}',
    '{"envelope_id": "1", "type": "events_api", "payload": {"event": null}}',
    '{"envelope_id": "1", "type": "zebra crossing", "payload": {}}',
    '{"type": "hello", "num_connections": "zebra"}',
    '{"envelope_id": "1", "type": "interactive", "payload": ' + "[" * 5_000 + "]" * 5_000 + "}",
]


class Running:
    """The processes, and Alice's session in front of them, up for review."""

    def __init__(self, runner: asyncio.Runner, folder: Path, mode: str) -> None:
        self._runner = runner
        self._stack = AsyncExitStack()
        self._folder = folder
        self._mode = mode
        self.world: World
        self.scene: Scene
        self.draft: Message
        self.stored: dict[str, str]

    def run(self, work: Any) -> Any:
        return self._runner.run(work)

    async def open(self) -> None:
        self.world = await self._stack.enter_async_context(isolated_world(self._folder, self._mode))
        await self.world.run("web")
        await self.world.run("worker")
        self.scene = Scene(self.world)
        await self.scene.imagine("a fox")
        self.draft = await self.scene.draft(timeout=30)
        (self.stored,) = await self._alices()

    async def close(self) -> None:
        await self._stack.aclose()

    def check(self) -> None:
        """Nobody has changed what is Alice's, and all still runs."""
        assert self.run(self._alices()) == [self.stored]
        log = "".join(process.log for process in self.world.processes)
        assert TYPED not in log
        assert "Traceback" not in log
        assert all(process.returncode is None for process in self.world.processes)

    def check_alive(self) -> None:
        self.run(self._go_on())

    def deliver(self, payload: Payload) -> None:
        """From somebody else, about Alice's session."""
        payload = json.loads(json.dumps(payload).replace(ID, self.stored["id"]))
        if self._mode == "http":
            assert self.post(*body_of(payload)) < 500
        else:
            self.run(self._over_socket(payload))

    def post(self, body: bytes, content_type: str) -> int:
        """Signed."""
        sent = signed(body, content_type, self.scene.slack.signing_secret)
        status: int = self.run(self._post(sent))
        return status

    def say(self, text: str) -> None:
        """Anything at all, on an open connection."""
        link = self.scene.slack.delivery.sockets.usable()[0]
        self.run(link.ws.send_str(text))

    async def _post(self, sent: Sent) -> int:
        url = f"http://127.0.0.1:{self.world.port}/slack/events"
        async with (
            asyncio.timeout(ANSWER_WITHIN),
            aiohttp.ClientSession() as session,
            session.post(url, data=sent.body, headers=CIMultiDict(sent.headers)) as response,
        ):
            return response.status

    async def _over_socket(self, payload: Payload) -> None:
        """What is not acked is not waited for."""
        kind = "events_api" if payload.get("type") == "event_callback" else "interactive"
        kind = "slash_commands" if "command" in payload else kind
        with suppress(TimeoutError):
            async with asyncio.timeout(NOT_ACKED_AFTER):
                await self.scene.slack.delivery.sockets.send(kind, payload)

    async def _alices(self) -> list[dict[str, str]]:
        sessions = await stored_sessions(self.world.redis_url)
        return [session for session in sessions if session["user"] == self.scene.alice.id]

    async def _go_on(self) -> None:
        """From where she was: what she does still counts."""
        await self.scene.click(self.draft, "Regenerate")
        self.draft = await self.scene.draft(after=self.draft, timeout=30)
        (self.stored,) = await self._alices()


@pytest.fixture(scope="module", params=["http", "socket"])
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    with asyncio.Runner() as runner:
        made = Running(runner, tmp_path_factory.mktemp("fuzz"), request.param)
        made.run(made.open())
        yield made
        made.run(made.close())


@settings(max_examples=examples(0.7))
@given(payload=spoilt())
def test_nobody_changes_what_is_somebody_elses(running: Running, payload: Payload) -> None:
    running.deliver(payload)
    running.check()


@settings(max_examples=examples(0.5))
@given(body=BODIES, content_type=CONTENT_TYPES)
def test_no_body_breaks_the_process(running: Running, body: bytes, content_type: str) -> None:
    if running.world.mode == "socket":
        running.say(body.decode("utf-8", "replace"))
    else:
        assert running.post(body, content_type) < 500
    running.check()


@pytest.mark.parametrize("envelope", ENVELOPES)
def test_no_envelope_breaks_the_process(running: Running, envelope: str) -> None:
    if running.world.mode == "http":
        assert running.post(envelope.encode(), "application/json") < 500
    else:
        running.say(envelope)
    running.check()


def test_after_all_that_its_owner_goes_on(running: Running) -> None:
    running.check_alive()
