"""Counting the requests that Slack delivers: what came, what became of it, how fast it was acked.

The transport that receives a request tracks it. Its listener, which may go on after the ack, tracks
it too and says how it ended. A request counts once both are done.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import product

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError

from bot.slack.in_flight import InFlightRequests
from bot.telemetry import metrics
from bot.views import ids, words

_COMMANDS = {words.COMMAND}
_FORMS = {ids.PROMPT_FORM, ids.EDIT_FORM, ids.REFINE_FORM, ids.IMAGE_FORM}
_SHORTCUTS = {ids.DIRECT_IMAGE}
_EVENTS = {"app_home_opened", "app_mention", "message"}
_NUMBERED = (ids.APPROVE, ids.USE_THIS, ids.REFINE)
_PLAIN = (
    ids.REGENERATE,
    ids.EDIT_PROMPT,
    ids.CANCEL,
    ids.TRY_AGAIN,
    ids.START_OVER,
    ids.KEEP_LAST,
)
_ACTIONS = {name: ids.pattern(name) for name in _NUMBERED} | {
    ids.HOME_PAGE: ids.HOME_PAGE_PATTERN,
    ids.DEFAULT_OPTION: ids.DEFAULT_OPTION_PATTERN,
}
_NAMES = {
    "slash_command": _COMMANDS,
    "block_action": {*_PLAIN, *_ACTIONS},
    "view_submission": _FORMS,
    "shortcut": _SHORTCUTS,
    "event": _EVENTS,
}


class TrackedRequest:
    """One request. `kind` is empty for what is none of the kinds that are counted."""

    def __init__(self, in_flight: InFlightRequests) -> None:
        self.kind = self.name = ""
        self.outcome = "ok"
        self.in_flight = in_flight
        self._since = time.perf_counter()
        self._acked = False
        self._holders = 0

    def identify(self, body: object) -> None:
        """Read the kind and the name from Slack's payload."""
        self.kind, self.name = kind_and_name(body)
        if self.kind:
            self.in_flight.add()

    def acked(self) -> None:
        """The ack is out."""
        self._acked = True
        if self.kind:
            self.in_flight.remove()
            metrics.ACK_SECONDS.labels(self.kind).observe(time.perf_counter() - self._since)

    def close(self) -> None:
        """An ack that is not out by now never will be."""
        if self.kind and not self._acked:
            self.in_flight.remove()

    @contextmanager
    def held(self) -> Iterator[TrackedRequest]:
        """The request is counted when nobody holds it any more."""
        self._holders += 1
        try:
            yield self
        finally:
            self._holders -= 1
            if not self._holders and self.kind:
                outcome = self.outcome if self._acked else "error"
                metrics.REQUESTS.labels(self.kind, self.name, outcome).inc()


_current: ContextVar[TrackedRequest | None] = ContextVar("tracked", default=None)


@contextmanager
def track_request(in_flight: InFlightRequests) -> Iterator[TrackedRequest]:
    """A request, from here until its ack is out. One that is never acked is an error."""
    tracked = TrackedRequest(in_flight)
    token = _current.set(tracked)
    try:
        with tracked.held():
            yield tracked
    finally:
        _current.reset(token)
        tracked.close()


async def wait_for_acks() -> None:
    """Wait for the ack of this request and of all others that are in flight."""
    if tracked := _current.get():
        await tracked.in_flight.wait_until_acked()


@contextmanager
def track_listener() -> Iterator[TrackedRequest]:
    """The part of a listener that may still find that the request cannot be done. A request that no
    transport tracks is not counted."""
    tracked = _current.get() or TrackedRequest(InFlightRequests())
    with tracked.held(), tracked.in_flight.listener_running():
        yield tracked


@contextmanager
def count_slack_errors(method: str) -> Iterator[None]:
    """A listener's own call to Slack: an error is counted, and goes on."""
    try:
        yield
    except SlackApiError as error:
        metrics.slack_error(method, _code_of(error))
        raise
    except (ClientError, OSError):
        metrics.slack_error(method, "unavailable")
        raise


def kind_and_name(body: object) -> tuple[str, str]:
    """Two fixed words for any payload: nothing of what somebody sent comes into them."""
    match body:
        case {"command": name}:
            return _known("slash_command", name)
        case {"type": "block_actions", "actions": [{"action_id": str(action_id)}, *_]}:
            return _known("block_action", _action(action_id))
        case {"type": "block_actions"}:
            return "block_action", metrics.OTHER
        case {"type": "view_submission", "view": {"callback_id": name}}:
            return _known("view_submission", name)
        case {"type": "message_action" | "shortcut", "callback_id": name}:
            return _known("shortcut", name)
        case {"type": "event_callback", "event": {"type": name}}:
            return _known("event", name)
    return "", ""


def _known(kind: str, name: object) -> tuple[str, str]:
    return kind, name if isinstance(name, str) and name in _NAMES[kind] else metrics.OTHER


def _action(action_id: str) -> str:
    """An action without the number of its candidate, or what else it is about."""
    if action_id in _PLAIN:
        return action_id
    return next((name for name, each in _ACTIONS.items() if each.match(action_id)), "")


def _code_of(error: SlackApiError) -> object:
    data = getattr(error.response, "data", error.response)
    code = data.get("error") if isinstance(data, dict) else None
    return "busy" if code == "ratelimited" else code or "unavailable"


def _start_at_zero() -> None:
    """`increase` sees the first of its kind only where there was a 0 before."""
    for kind, names in _NAMES.items():
        for name, outcome in product(names, metrics.REQUEST_OUTCOMES):
            metrics.REQUESTS.labels(kind, name, outcome)


_start_at_zero()
