"""Ending workers at a step, by SIGKILL or SIGTERM: amid a generation, or while a call to Slack is
under way."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import Any, get_args

from bot.sandbox import Fault as SlackFault
from tests.fake_openai import Point, held
from tests.programs.chaos.plan import Fault
from tests.programs.chaos.world import World

_WITHIN = 12.0
"""Seconds for somebody to come to that step."""
_CALL_TAKES = 1.0

Args = dict[str, Any]


def _names(kind: str) -> Callable[[Args], bool]:
    """Posting a message of this kind."""

    def matches(args: Args) -> bool:
        blocks = args.get("blocks") or [{}]
        return isinstance(blocks, list) and str(blocks[0].get("block_id", "")).startswith(kind)

    return matches


_CALLS: dict[str, tuple[str, Callable[[Args], bool], SlackFault]] = {
    "draft": ("chat.postMessage", _names("draft-"), SlackFault.late(_CALL_TAKES)),
    "draft before": ("chat.postMessage", _names("draft-"), SlackFault.delay(_CALL_TAKES)),
    "root": ("chat.postMessage", _names("root-"), SlackFault.late(_CALL_TAKES)),
    "root before": ("chat.postMessage", _names("root-"), SlackFault.delay(_CALL_TAKES)),
    "final": ("chat.postMessage", _names("final-"), SlackFault.late(_CALL_TAKES)),
    "chat.update": ("chat.update", lambda args: True, SlackFault.late(_CALL_TAKES)),
    "upload": ("upload", lambda args: True, SlackFault.late(_CALL_TAKES)),
    "files.completeUploadExternal": (
        "files.completeUploadExternal",
        lambda args: True,
        SlackFault.late(_CALL_TAKES),
    ),
}
"""Step → method, which of its calls, and what holds the answer back (`late`: the effect is there
by then; `delay`: it comes after the caller's death)."""


class Steps:
    """`all` workers end at once where nobody can say which of them has got that far."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def end_at(self, fault: Fault) -> None:
        """Wait until somebody is there, and end it."""
        if fault.detail in get_args(Point):
            reached = await self._at_provider(fault.detail)
        else:
            reached = await self._at_slack(fault.detail)
        if reached:
            self._end(fault)
        self._world.openai.release()

    async def _at_provider(self, point: str) -> bool:
        openai = self._world.openai
        openai.plan.queue.appendleft(held(point))  # type: ignore[arg-type]
        try:
            await openai.until_held(timeout=_WITHIN)
        except TimeoutError:
            return False
        return True

    async def _at_slack(self, step: str) -> bool:
        method, matches, fault = _CALLS[step]
        reached = asyncio.Event()

        def arrives(args: Args) -> bool:
            if reached.is_set() or not matches(args):
                return False
            reached.set()
            return True

        self._world.slack.faults.add(method, fault, times=1, match=arrives)
        try:
            async with asyncio.timeout(_WITHIN):
                await reached.wait()
        except TimeoutError:
            reached.set()
            return False
        await asyncio.sleep(0.05)  # the call is in the simulator's hands by now
        return True

    def _end(self, fault: Fault) -> None:
        names = ("worker1", "worker2") if fault.target == "all" else (fault.target,)
        number = signal.SIGTERM if fault.what == "step term" else signal.SIGKILL
        for name in names:
            if self._world.slots[name].send(number, fault.seconds):
                self._world.journal.add("fault", f"{fault.what} {fault.detail}", target=name)
