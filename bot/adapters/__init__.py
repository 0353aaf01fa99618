"""One adapter for each outside thing; each implements a protocol of `bot.ports`."""
