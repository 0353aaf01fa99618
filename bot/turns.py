"""The former name of `bot.concurrency.SoftLimit`."""

from bot.concurrency import SoftLimit as Turns

__all__ = ["Turns"]
