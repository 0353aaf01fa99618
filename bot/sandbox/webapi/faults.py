"""Faults that a test plans for calls, and rate limits."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.workspace.clock import Clock

Match = Callable[[dict[str, Any]], bool]


@dataclass(frozen=True)
class Fault:
    """What happens to a call instead of, or on top of, its answer.

    `Fault(error="channel_not_found")` answers that error; the class methods make the other kinds.
    """

    kind: str = "error"
    error: str = "internal_error"
    status: int = 500
    seconds: float = 0.0
    body: str = ""
    content_type: str = "application/json"
    effect: bool = False

    @classmethod
    def refused(cls, error: str, status: int = 200) -> "Fault":
        """Slack's own refusal, under another HTTP status than its usual one."""
        return cls(kind="refused", error=error, status=status)

    @classmethod
    def rate_limited(cls, retry_after: float = 1) -> "Fault":
        return cls(kind="rate_limited", seconds=retry_after)

    @classmethod
    def http(cls, status: int = 500) -> "Fault":
        """An answer of a gateway: this status, a body that isn't JSON."""
        return cls(kind="http", status=status)

    @classmethod
    def answer(
        cls,
        body: str,
        content_type: str = "application/json",
        status: int = 200,
        *,
        effect: bool = False,
    ) -> "Fault":
        """Anything in place of Slack's answer; with `effect`, the call is done all the same."""
        return cls("answer", status=status, body=body, content_type=content_type, effect=effect)

    @classmethod
    def lost_answer(cls) -> "Fault":
        """The effect happens, then the connection is dropped without an answer."""
        return cls(kind="lost_answer")

    @classmethod
    def dropped(cls) -> "Fault":
        """No effect, and no answer."""
        return cls(kind="dropped")

    @classmethod
    def delay(cls, seconds: float) -> "Fault":
        """The usual answer, late."""
        return cls(kind="delay", seconds=seconds)

    @classmethod
    def late(cls, seconds: float) -> "Fault":
        """The effect happens at once, its answer comes late."""
        return cls(kind="late", seconds=seconds)

    @classmethod
    def hang(cls) -> "Fault":
        """No answer for as long as the workspace runs."""
        return cls(kind="hang")


@dataclass(frozen=True)
class AppBlocked:
    """Slack refuses the whole app: every call with its bot token, or only these `methods`.
    Requests without a token, such as those to a response URL, still work."""

    error: str
    status: int = 200
    methods: frozenset[str] = frozenset()

    def concerns(self, method: str) -> bool:
        return not self.methods or method in self.methods


@dataclass
class _Planned:
    method: str
    fault: Fault
    times: int
    match: Match


@dataclass
class Faults:
    """Faults waiting for their calls, in the order in which they were added."""

    planned: list[_Planned] = field(default_factory=list)

    def add(
        self,
        method: str,
        fault: Fault | Callable[[], Fault],
        times: int = 1,
        match: Match = lambda args: True,
    ) -> None:
        """Plan a fault for the next `times` calls of a Web API method.

        `upload`, `response_url` and `apps.connections.open` count as methods; `*` is any of them.
        """
        made = fault if isinstance(fault, Fault) else fault()
        self.planned.append(_Planned(method, made, times, match))

    def clear(self) -> None:
        self.planned.clear()

    def take(self, method: str, args: dict[str, Any]) -> Fault | None:
        for planned in self.planned:
            if planned.method in (method, "*") and planned.times > 0 and planned.match(args):
                planned.times -= 1
                return planned.fault
        return None


@dataclass
class Limit:
    """A token bucket per value of the argument `per` (or one for all)."""

    per_second: float
    per: str | None
    levels: dict[str, tuple[float, float]] = field(default_factory=dict)

    def wait(self, args: dict[str, Any], now: float) -> int:
        """Whole seconds to wait, 0 when the call may go on."""
        key = str(args.get(self.per)) if self.per else ""
        size = max(1.0, self.per_second)
        level, at = self.levels.get(key, (size, now))
        level = min(size, level + (now - at) * self.per_second)
        allowed = level >= 1.0
        self.levels[key] = (level - 1.0 if allowed else level, now)
        return 0 if allowed else max(1, math.ceil((1.0 - level) / self.per_second))


class RateLimits:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._limits: dict[str, Limit] = {}

    def set(self, method: str, per_second: float | None, per: str | None) -> None:
        """Limit a method from now on; None lifts the limit."""
        self._limits.pop(method, None)
        if per_second is not None:
            self._limits[method] = Limit(per_second, per)

    def wait(self, method: str, args: dict[str, Any]) -> int:
        limit = self._limits.get(method)
        return limit.wait(args, self._clock.now()) if limit else 0
