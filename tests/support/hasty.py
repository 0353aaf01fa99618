"""`python -m tests.support.hasty COMMAND`: the program with short pauses, for tests that wait for
what comes after them and not for how long they are."""

from __future__ import annotations

import sys
from functools import partialmethod

from bot.__main__ import main
from bot.adapters.queue import processor
from bot.adapters.slack.publisher import SlackPublisher
from bot.flow import generate
from bot.generation import shared_provider
from bot.jobs import cancellation, slack_breaker
from bot.progress.live_status import LiveStatus
from bot.progress.queue_position import QueuePositions


def set_default(of: type, **defaults: float) -> None:
    """Where the program itself passes no such argument."""
    of.__init__ = partialmethod(of.__init__, **defaults)  # type: ignore[misc]


if __name__ == "__main__":
    vars(processor)["PUT_OFF"] = 1.5
    vars(slack_breaker)["LOOK_EVERY"] = 0.5
    vars(generate)["WAIT"] = 0.3
    vars(shared_provider)["PAUSE"] = 0.3
    vars(cancellation)["SEARCH_AGAIN_AFTER"] = 2.0
    set_default(LiveStatus, interval=1.0)
    set_default(QueuePositions, interval=1.0)
    set_default(SlackPublisher, ready_within=6.0)
    sys.exit(main())
