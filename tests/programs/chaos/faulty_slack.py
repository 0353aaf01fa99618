"""A simulated Slack whose deliveries come late, twice, and in another order."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from bot.sandbox import Ack, SimulatedSlack
from bot.sandbox.delivery.delivery import Delivery
from bot.sandbox.delivery.echoes import Echoes
from bot.sandbox.workspace.workspace import Workspace

_LATE = 0.12
_AGAIN = 0.06
_DELAYS = (0.1, 0.3, 1.0, 2.6)
"""Seconds. The last uses up most of a `trigger_id`'s three."""


class FaultyDelivery(Delivery):
    """`faulty` off, it delivers as it should. Delays are Slack's own: an ack's seconds count from
    when the bot is asked."""

    def __init__(self, workspace: Workspace, rng: random.Random) -> None:
        super().__init__(workspace)
        self.faulty = False
        self.late = 0
        self.again = 0
        self._rng = rng
        self._copies: set[asyncio.Task[Ack]] = set()

    async def _try(
        self, kind: str, payload: dict[str, Any], timeout: float, extra: dict[str, Any]
    ) -> Ack:
        if self.faulty and self._rng.random() < _AGAIN:
            self.again += 1
            copy = asyncio.create_task(self._later(kind, payload, timeout, extra))
            self._copies.add(copy)
            copy.add_done_callback(self._copies.discard)
        if self.faulty and self._rng.random() < _LATE:
            self.late += 1
            await asyncio.sleep(self._rng.choice(_DELAYS))
        return await super()._try(kind, payload, timeout, extra)

    async def _later(
        self, kind: str, payload: dict[str, Any], timeout: float, extra: dict[str, Any]
    ) -> Ack:
        await asyncio.sleep(self._rng.uniform(0.0, 3.0))
        return await super()._try(kind, payload, timeout, extra)

    async def stop(self) -> None:
        for copy in list(self._copies):
            copy.cancel()
        await asyncio.gather(*self._copies, return_exceptions=True)
        await super().stop()


class FaultySlack(SimulatedSlack):
    """The simulated Slack, with `mail` as its delivery."""

    def __init__(self, seed: int) -> None:
        super().__init__(file_ready_after=0.3)
        self.mail = FaultyDelivery(self.workspace, random.Random(seed))
        self.delivery = self.mail
        self._echoes = Echoes(self.workspace, self.mail)
