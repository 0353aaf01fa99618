"""Throwing the planned faults, and ending them all."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Coroutine
from typing import Any

from bot.sandbox import Fault as SlackFault
from tests.fake_openai import (
    Outcome,
    connection_dropped,
    ends_silently,
    moderation_400,
    moderation_stream_error,
    rate_limited,
    refusal_in_words,
    response_failed,
    server_error,
    slow,
)
from tests.fake_openai.script import Script
from tests.programs.chaos.plan import Fault
from tests.programs.chaos.steps import Steps
from tests.programs.chaos.world import World

_OUTCOMES: dict[str, Outcome] = {
    "rate_limited": rate_limited(2),
    "server_error": server_error(503),
    "slow": slow(5.0),
    "dropped_created": connection_dropped("created"),
    "dropped_image": connection_dropped("image"),
    "dropped_item": connection_dropped("item_done"),
    "lost_request": connection_dropped("request"),
    "unpaid_request": connection_dropped("request", paid=False),
    "ends_silently": ends_silently(),
    "moderation_400": moderation_400(),
    "moderation_stream": moderation_stream_error(),
    "refusal": refusal_in_words(),
    "response_failed": response_failed(),
}
_SLACK: dict[str, SlackFault] = {
    "rate_limited": SlackFault.rate_limited(2),
    "http_500": SlackFault.http(500),
    "http_503": SlackFault.http(503),
    "late": SlackFault.late(3.0),
    "lost_answer": SlackFault.lost_answer(),
    "dropped": SlackFault.dropped(),
    "late_trigger": SlackFault.delay(3.2),
}


class FaultInjector:
    """Faults overlap: each runs in a task of its own."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tasks: set[asyncio.Task[None]] = set()
        self._steps = Steps(world)

    async def run(self) -> None:
        """All of the plan's, each at its second."""
        began = time.monotonic()
        for fault in self._world.plan.faults:
            await asyncio.sleep(max(0.0, began + fault.at - time.monotonic()))
            self._spawn(self._throw(fault))

    async def end(self) -> None:
        """No more faults; everything that was broken works again."""
        world = self._world
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        world.slack.faults.clear()
        world.slack.mail.faulty = False
        world.openai.plan = Script()
        world.openai.release()
        for link in world.links.values():
            link.heal()
        world.valkey.thaw()
        await world.valkey.start()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _throw(self, fault: Fault) -> None:
        match fault.what:
            case "kill" | "term":
                self._end_process(fault)
            case "step" | "step term":
                await self._steps.end_at(fault)
            case "restart redis":
                await self._restart_redis(fault)
            case "freeze redis":
                await self._freeze_redis(fault)
            case "cut":
                self._note(fault)
                self._world.links[fault.target].cut()
            case "slack":
                self._note(fault, seconds=8.0)
                self._world.slack.faults.add(
                    fault.target, _SLACK[fault.detail], times=int(fault.seconds)
                )
            case "openai":
                self._note(fault, seconds=8.0)
                self._world.openai.script(*[_OUTCOMES[fault.target]] * int(fault.seconds))
            case _:
                await self._break_link(fault)

    def _end_process(self, fault: Fault) -> None:
        number = signal.SIGKILL if fault.what == "kill" else signal.SIGTERM
        sent = self._world.slots[fault.target].send(number, fault.seconds)
        if sent:
            self._note(fault)

    async def _restart_redis(self, fault: Fault) -> None:
        if not self._world.valkey.pid:
            return
        self._note(fault, seconds=fault.seconds)
        self._world.valkey.thaw()
        await self._world.valkey.kill()
        await asyncio.sleep(fault.seconds)
        await self._world.valkey.start()

    async def _freeze_redis(self, fault: Fault) -> None:
        self._note(fault, seconds=fault.seconds)
        self._world.valkey.freeze()
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            self._world.valkey.thaw()

    async def _break_link(self, fault: Fault) -> None:
        """Dead connections stay so: what the program does about them is its own affair, until all
        faults end."""
        link = self._world.links[fault.target]
        self._note(fault, seconds=fault.seconds)
        link.state = fault.what
        if fault.what == "refuse":
            link.cut()
        await asyncio.sleep(fault.seconds)
        link.state = "open"

    def _note(self, fault: Fault, seconds: float = 0.0) -> None:
        what = f"{fault.what} {fault.detail}".rstrip()
        self._world.journal.add("fault", what, seconds=seconds, target=fault.target)
