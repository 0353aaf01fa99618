"""How many sessions there are, by stage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from bot.adapters.redis.schema import EVERY_SESSION
from bot.domain.stages import Stage

_AT_ONCE = 500
"""Keys that are asked for at a time."""

Bounded = Callable[[], AbstractAsyncContextManager[None]]


async def count_stages(redis: Any, bounded: Bounded) -> dict[Stage, int]:
    """Looks at every session; each of its many steps is `bounded`. Those are left out that a newer
    version of the program has put into a stage of its own."""
    stages: dict[str, str | None] = {}  # by key, because a scan may name one twice
    cursor = -1
    while cursor:
        async with bounded():
            cursor, keys = await redis.scan(max(cursor, 0), EVERY_SESSION, _AT_ONCE, _type="hash")
            pipeline = redis.pipeline(transaction=False)
            for key in keys:
                pipeline.hget(key, "stage")
            stages.update(zip(keys, await pipeline.execute(), strict=True))
    counted = Counter(stages.values())
    return {stage: counted[stage.value] for stage in Stage}
