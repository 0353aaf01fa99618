"""Slack's requests in flight, and their metrics: what came, how it ended, how fast its ack was.

The transport that receives a request tracks it. Its listener, which may go on after the ack, tracks
it too and says how it ended. A request counts once both are done.

The acks come first: Slack waits three seconds for one, and nobody waits to the millisecond for what
follows it. Of two hundred commands at once, the last is acked in half the time. And what follows an
ack is finished before the process ends.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import product

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError

from bot.concurrency import wait_for_event
from bot.domain.slack_errors import RATE_LIMITED
from bot.slack.events import SUBSCRIBED
from bot.telemetry import meters, metrics
from bot.views import ids

PATIENCE = 0.3
"""Seconds that the work behind an ack stands back at most, while more and more comes in."""
_NAMES: dict[str, set[str]] = {
    "slash_command": {ids.COMMAND},
    "block_action": {*ids.ACTIONS},
    "view_submission": {*ids.FORMS},
    "shortcut": {ids.DIRECT_IMAGE},
    "event": {name.partition(".")[0] for name in SUBSCRIBED},
}


class InFlightRequests:
    """The requests of one process: how many are not acked, and the tasks of running listeners."""

    def __init__(self) -> None:
        self.unacked = 0
        self.all_acked = asyncio.Event()
        self.listeners: set[asyncio.Task[object]] = set()

    async def wait_until_finished(self, seconds: float) -> None:
        """Wait until no listener runs, for so many seconds at most."""
        if self.listeners:
            await asyncio.wait(self.listeners, timeout=seconds)


@dataclass(eq=False)
class TrackedRequest:
    """One request. `kind` is empty for one of no kind that is counted. `parts` counts the transport
    and the listeners that are not done with it."""

    kind: str
    name: str
    in_flight: InFlightRequests
    outcome: str = "ok"
    acked: bool = False
    parts: int = 0

    def end_part(self) -> None:
        """Count the request after its last part. One that was never acked is an error."""
        self.parts -= 1
        if not self.parts and self.kind:
            outcome = self.outcome if self.acked else "error"
            metrics.REQUESTS.labels(self.kind, self.name, outcome).inc()


_current: ContextVar[TrackedRequest | None] = ContextVar("tracked", default=None)


@contextmanager
def track_request(
    in_flight: InFlightRequests, body: object, received: float | None = None
) -> Iterator[TrackedRequest]:
    """Track a request until its ack is out: the transport sets `acked` then. `received` is the
    `time.perf_counter()` of its receipt; now, if not given."""
    since = time.perf_counter() if received is None else received
    tracked = TrackedRequest(*kind_and_name(body), in_flight, parts=1)
    token = _current.set(tracked)
    if tracked.kind:
        in_flight.unacked += 1
        in_flight.all_acked.clear()
    try:
        yield tracked
    finally:
        _current.reset(token)
        if tracked.kind:
            in_flight.unacked -= 1
            if not in_flight.unacked:
                in_flight.all_acked.set()
        if tracked.kind and tracked.acked:
            metrics.ACK_SECONDS.labels(tracked.kind).observe(time.perf_counter() - since)
        tracked.end_part()


@contextmanager
def track_listener() -> Iterator[TrackedRequest]:
    """Track the listener's part, which may still find that the request cannot be done. A request
    that no transport tracks is not counted."""
    tracked = _current.get() or TrackedRequest("", "", InFlightRequests())
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("listeners run in tasks")
    tracked.parts += 1
    tracked.in_flight.listeners.add(task)
    try:
        yield tracked
    finally:
        tracked.in_flight.listeners.discard(task)
        tracked.end_part()


def mark_unhandled() -> None:
    """Nobody handles the request that is tracked now."""
    if tracked := _current.get():
        tracked.outcome = "unhandled"


def is_known(body: object) -> bool:
    """Whether it is a request of a kind and name that a listener is there for."""
    kind, name = kind_and_name(body)
    return bool(kind) and name != metrics.OTHER


async def wait_for_acks() -> None:
    """Wait for the acks of this request and of all others in flight, `PATIENCE` seconds at most."""
    tracked = _current.get()
    if tracked and tracked.in_flight.unacked:
        await wait_for_event(tracked.in_flight.all_acked, PATIENCE)


@contextmanager
def count_slack_errors(method: str) -> Iterator[None]:
    """Count the error of a listener's own call to Slack, and let it go on."""
    try:
        yield
    except SlackApiError as error:
        code = error_code(error)
        busy = code in RATE_LIMITED
        meters.count_slack_error(method, "busy" if busy else code or "unavailable")
        raise
    except (ClientError, OSError):
        meters.count_slack_error(method, "unavailable")
        raise


def error_code(error: SlackApiError) -> str:
    """The code that Slack answered; empty where its answer holds none."""
    data = getattr(error.response, "data", error.response)
    code = data.get("error") if isinstance(data, dict) else ""
    return code if isinstance(code, str) else ""


def kind_and_name(body: object) -> tuple[str, str]:
    """Two fixed words for any payload: nothing of what somebody sent comes into them."""
    name: object
    match body:
        case {"command": name}:
            kind = "slash_command"
        case {"type": "block_actions", "actions": [{"action_id": str(action)}, *_]}:
            kind, patterns = "block_action", ids.ACTIONS.items()
            name = next((known for known, each in patterns if each.match(action)), "")
        case {"type": "block_actions"}:
            kind, name = "block_action", ""
        case {"type": "view_submission", "view": {"callback_id": name}}:
            kind = "view_submission"
        case {"type": "message_action" | "shortcut", "callback_id": name}:
            kind = "shortcut"
        case {"type": "event_callback", "event": {"type": name}}:
            kind = "event"
        case _:
            return "", ""
    return kind, name if isinstance(name, str) and name in _NAMES[kind] else metrics.OTHER


def _start_at_zero() -> None:
    """`increase` sees the first of its kind only where there was a 0 before."""
    for kind, names in _NAMES.items():
        for name, outcome in product(names, metrics.REQUEST_OUTCOMES):
            metrics.REQUESTS.labels(kind, name, outcome)


_start_at_zero()
