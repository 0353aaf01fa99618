"""Work that a worker does again and again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.domain.errors import ImagineError, StoreBroken


async def repeat_for_ever(
    work: Callable[[], Awaitable[None]],
    seconds: float,
    log: logging.Logger,
    what: str,
    *,
    at_once: bool = False,
) -> None:
    """Do the work every so many `seconds`, the first time after these or `at_once`. An outage puts
    it off to the next time; `what` names it in the log."""
    if not at_once:
        await asyncio.sleep(seconds)
    while True:
        try:
            await work()
        except ImagineError as error:
            why = error if isinstance(error, StoreBroken) else type(error).__name__
            log.warning("%s put off: %s", what, why)
        await asyncio.sleep(seconds)
