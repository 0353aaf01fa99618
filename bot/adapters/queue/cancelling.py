"""The former name of `bot.concurrency.run_within`."""

from bot.concurrency import run_within as within

__all__ = ["within"]
