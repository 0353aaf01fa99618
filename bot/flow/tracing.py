"""What the nodes have in common."""

from __future__ import annotations

from pocketflow import AsyncNode

from bot.flow.shared import Shared
from bot.telemetry.tracing import span


class TracedNode(AsyncNode):
    """A node whose run is a span of its trace."""

    async def _run_async(self, shared: Shared) -> str | None:
        with span(f"flow {type(self).__name__}"):
            action: str | None = await super()._run_async(shared)
        return action
