"""Former names of `bot.concurrency`."""

from bot.concurrency import UNWINDING, BackgroundTasks, retrieve
from bot.concurrency import cancel_and_wait as end
from bot.concurrency import wait_for_event as set_within

__all__ = ["UNWINDING", "BackgroundTasks", "end", "retrieve", "set_within"]
