"""Keeps every error inside the listener.

An async listener that raises shortly after `ack()` makes Bolt forget the ack, so nothing escapes:
a refusal or an outage becomes words, anything else becomes an apology and a log line.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import TypeVar

from bot.domain.errors import Conflict, Refusal, StoreUnavailable
from bot.slack.request_metrics import track_listener
from bot.slack.responders import Responder
from bot.telemetry.context import log_context, span
from bot.views.words import CLICK_LOST, SOMETHING_BROKE, store_words

log = logging.getLogger(__name__)

T = TypeVar("T")

DECIDE_WITHIN = 2.0
"""Seconds; Slack waits 3 for the ack."""


async def within_ack_deadline(deciding: Awaitable[T]) -> T:
    """Await a decision for `DECIDE_WITHIN`: several slow answers of the store add up. Raises
    `StoreUnavailable`."""
    try:
        async with asyncio.timeout(DECIDE_WITHIN):
            return await deciding
    except TimeoutError as error:
        raise StoreUnavailable("late") from error


@asynccontextmanager
async def error_boundary(responder: Responder, away: str = CLICK_LOST) -> AsyncIterator[None]:
    """Turn what the body raises into an answer. `away` is said when the store does not answer."""
    with track_listener() as tracked, log_context(), span(f"slack {tracked.name}"):
        try:
            yield
        except Refusal as refusal:
            tracked.outcome = "refused"
            log.info("refused: %s", refusal.reason)
            await _say(responder.refuse(refusal))
        except StoreUnavailable as error:
            tracked.outcome = "unavailable"
            log.warning("the store is %s: %s", error.trouble.value, error)
            await _say(responder.say(store_words(error.trouble, away)))
        except Exception as error:
            tracked.outcome = "error"
            log.error("a listener broke: %s", type(error).__name__)
            log.debug("where", exc_info=not isinstance(error, Conflict))
            await _say(responder.say(SOMETHING_BROKE))


async def _say(saying: Awaitable[None]) -> None:
    try:
        await saying
    except Exception as error:  # noqa: BLE001 - nothing may escape a listener
        log.warning("an answer could not be delivered: %s", type(error).__name__)
