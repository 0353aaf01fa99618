"""Counting the requests that Slack delivers: what came, what became of it, how fast it was acked.

A request is `received` where it arrives, over Socket Mode and HTTP alike. Its listener, which may
go on after the ack, is `handling` it and says how it ended. It counts once both are done.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import product

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError

from bot.slack.in_flight import InHand
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


class Receipt:
    """One request. `kind` is empty for what is none of the kinds that are counted."""

    def __init__(self, in_hand: InHand) -> None:
        self.kind = self.name = ""
        self.outcome = "ok"
        self.in_hand = in_hand
        self._since = time.perf_counter()
        self._acked = False
        self._holders = 0

    def about(self, body: object) -> None:
        """What Slack's payload says that it is."""
        self.kind, self.name = kind_and_name(body)
        if self.kind:
            self.in_hand.came()

    def acked(self) -> None:
        """The ack is out."""
        self._acked = True
        if self.kind:
            self.in_hand.gone()
            metrics.ACK_SECONDS.labels(self.kind).observe(time.perf_counter() - self._since)

    def given_up(self) -> None:
        """Where its ack is not out by now, it never will be."""
        if self.kind and not self._acked:
            self.in_hand.gone()

    @contextmanager
    def held(self) -> Iterator[Receipt]:
        """Counts it when nobody holds it any more."""
        self._holders += 1
        try:
            yield self
        finally:
            self._holders -= 1
            if not self._holders and self.kind:
                outcome = self.outcome if self._acked else "error"
                metrics.REQUESTS.labels(self.kind, self.name, outcome).inc()


_current: ContextVar[Receipt | None] = ContextVar("receipt", default=None)


@contextmanager
def received(in_hand: InHand) -> Iterator[Receipt]:
    """A request, from here until its ack is out. One that is never acked is an error."""
    receipt = Receipt(in_hand)
    token = _current.set(receipt)
    try:
        with receipt.held():
            yield receipt
    finally:
        _current.reset(token)
        receipt.given_up()


async def acks_first() -> None:
    """Let the acks of this request and of all others that have come in go out before."""
    if receipt := _current.get():
        await receipt.in_hand.acked()


@contextmanager
def handling() -> Iterator[Receipt]:
    """The part of a listener that may still find that the request cannot be done."""
    with (_current.get() or Receipt(InHand())).held() as receipt, receipt.in_hand.working():
        yield receipt


@contextmanager
def calling(method: str) -> Iterator[None]:
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
