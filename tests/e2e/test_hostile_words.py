"""One message stops nobody: what others ask for is acked as fast while it is read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.support.scene import Runs, Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

RUNS: Runs = [("web", {}), ("worker", {})]
MODE = "http"

LENGTH = 40_000
MESSAGES = 3
"""Of each kind, one right after the other."""
SECONDS = 0.3
TRIES = 15
PAUSE = 0.5
"""Seconds between two tries, in which a busy machine gets on with something else."""
PIECES = {
    "spaces": " ",
    "tabs": "\t",
    "dashes": "-",
    "em dashes": "— ",
    "quotes": '--n "',
    "curly quotes": "“",
    "mentions": "<@U0000007> ",
    "half mentions": " <@",
    "options": "--opaque ",
    "entities": "&amp;",
    "too long": " " * 10,
}


async def test_a_command_is_acked_in_time_while_hostile_messages_arrive(
    scene: Scene, record_property: Callable[[str, object], None]
) -> None:
    slowest: dict[str, float] = {}
    for kind, piece in PIECES.items():
        text = piece * LENGTH if kind == "too long" else (piece * LENGTH)[:LENGTH]
        slowest[kind] = await _slowest_ack_beside(scene, text)
    record_property("slowest ack ms beside hostile messages", slowest)
    print({kind: f"{seconds * 1000:.0f} ms" for kind, seconds in slowest.items()})  # noqa: T201
    assert max(slowest.values()) < SECONDS, slowest


async def _slowest_ack_beside(scene: Scene, text: str) -> float:
    """Alice writes to the bot; right after, Bob asks for his list. One try in time is enough: the
    machine may have been busy with something else."""
    slowest = await _ack_beside(scene, text)
    for _ in range(TRIES - 1):
        if slowest < SECONDS:
            break
        await asyncio.sleep(PAUSE)
        slowest = min(slowest, await _ack_beside(scene, text))
    return slowest


async def _ack_beside(scene: Scene, text: str) -> float:
    slack = scene.slack
    direct = slack.direct(scene.alice.id)
    telling = [asyncio.create_task(slack.say(scene.alice, direct, text)) for _ in range(MESSAGES)]
    await asyncio.sleep(0)
    acks = [await slack.slash(scene.bob, scene.channel, "/imagine", "list") for _ in range(3)]
    told = await asyncio.gather(*telling)
    assert all(ack.ok for ack in [*acks, *told])
    return max(ack.seconds for ack in acks)
