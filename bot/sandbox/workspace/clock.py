"""The workspace's clock, which a test can advance, and message timestamps."""

import time


class Clock:
    def __init__(self) -> None:
        self._ahead = 0.0
        self._last_micros = 0

    def now(self) -> float:
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Make triggers, response URLs and rate limits age without waiting for them."""
        self._ahead += seconds

    def next_ts(self) -> str:
        """A message timestamp: unique and increasing, as it is the message's id in its channel."""
        self._last_micros = max(self._last_micros + 1, int(self.now() * 1_000_000))
        seconds, micros = divmod(self._last_micros, 1_000_000)
        return f"{seconds}.{micros:06d}"
