"""Whether a request over HTTP is Slack's, and new. Any other is answered with 401.

Slack signs the time and the body (`v0:timestamp:body`, HMAC-SHA256 with the signing secret), and
asks that a timestamp more than five minutes away be refused. Within those minutes a request that
somebody has captured would be good once more, so a signature counts once:

- It is recorded in Redis *before* the request is looked at. So every process refuses the same
  request, also while the first one is being handled. The record outlives the five minutes.
- Where Redis does not answer within a fraction of a second, this process's memory decides alone.
  A first request is never refused for that. What is recorded in memory counts later, too.
- It is forgotten where the request was not answered with 200: nothing was acked, so the sender may
  send it again. A process that dies in between forgets nothing; see below.

Slack's own second deliveries are let through, because they are other requests. Slack repeats an
event that was not acked at once, after a minute and after five, with `X-Slack-Retry-Num` and
`-Reason`. Those two headers are not signed: anybody can add them, and they are ignored. The
timestamp is that of the sending: with the first one's, the last repetition would be too old by
Slack's own rule. So a repetition has a signature of its own, unless it comes within the second in
which the first was signed. That happens only where the first failed quickly: with an answer other
than 200, which is forgotten as above, or with no answer, because a process died or a connection
broke in that second. Then this one repetition is refused, and the next, a minute later, is not.
Slack does not repeat commands and clicks. A proxy that repeats a request byte by byte at another
process, after the first process died, looks like a replay and is refused.

A request delivered twice with two signatures counts once: `bot.slack.listening` gives both the same
idempotency key. Over Socket Mode nothing is signed: the bot itself has opened the connection.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import NamedTuple

from multidict import CIMultiDict, CIMultiDictProxy
from slack_sdk.signature import Clock, SignatureVerifier

from bot.domain.errors import StoreUnavailable
from bot.ports import SeenSignatures

log = logging.getLogger(__name__)

Headers = CIMultiDict[str] | CIMultiDictProxy[str]

WINDOW = 300
"""Seconds that Slack's timestamp may be away from our clock."""
_MARGIN = 60
"""Seconds that the clocks of two processes may be apart."""
_LONGEST = 12
"""Digits of a timestamp."""
IN_MEMORY = 20_000
"""Signatures, of about 200 bytes each: those of five minutes at 60 requests a second."""


class RequestSignature(NamedTuple):
    """The signature of a request, and until when (since the epoch) it would be good."""

    signature: str
    until: float


class Signing:
    """`now` answers seconds since the epoch."""

    def __init__(self, secret: str, now: Callable[[], float] = time.time) -> None:
        self._verifier = SignatureVerifier(secret, _clock(now))

    def verify(self, headers: Headers, body: bytes) -> RequestSignature | None:
        """The signature; None where Slack did not sign the request, or signed it too long ago."""
        timestamp = _only(headers, "X-Slack-Request-Timestamp")
        signature = _only(headers, "X-Slack-Signature")
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _LONGEST):
            return None
        if not (signature.isascii() and self._is_valid(body, timestamp, signature)):
            return None
        return RequestSignature(signature, int(timestamp) + WINDOW)

    def _is_valid(self, body: bytes, timestamp: str, signature: str) -> bool:
        try:
            return self._verifier.is_valid(body.decode("utf-8"), timestamp, signature)
        except UnicodeDecodeError:
            return False


class Replays:
    """Tells the first of several requests with the same signature from the others. `shared` holds
    the signatures of all processes."""

    def __init__(
        self,
        shared: SeenSignatures,
        now: Callable[[], float] = time.time,
        at_most: int = IN_MEMORY,
    ) -> None:
        self._shared = shared
        self._now = now
        self._at_most = at_most
        self._mine: dict[str, float] = {}

    def __len__(self) -> int:
        """How many signatures are in memory."""
        return len(self._mine)

    async def record(self, signed: RequestSignature) -> bool:
        """Record the signature; answers False where it was recorded before."""
        if signed.signature in self._mine:
            return False
        self._record_here(signed)
        try:
            seconds = signed.until - self._now() + _MARGIN
            return await self._shared.add(signed.signature, seconds)
        except StoreUnavailable as error:
            log.warning("this process alone tells whether a request is a replay: %s", error)
            return True

    async def forget(self, signed: RequestSignature) -> None:
        """Forget a request that had no answer: the same one may come again."""
        self._mine.pop(signed.signature, None)
        try:
            await self._shared.remove(signed.signature)
        except StoreUnavailable as error:
            log.warning("a signature could not be forgotten: %s", error)

    def _record_here(self, signed: RequestSignature) -> None:
        """The oldest go first, where they are out of date or too many."""
        self._mine[signed.signature] = signed.until + _MARGIN
        while len(self._mine) > self._at_most or self._oldest_until() < self._now():
            del self._mine[next(iter(self._mine))]

    def _oldest_until(self) -> float:
        return next(iter(self._mine.values()))


def _only(headers: Headers, name: str) -> str:
    """The header's value; empty where it is missing, or there more than once."""
    values = headers.getall(name, [])
    return values[0] if len(values) == 1 else ""


def _clock(now: Callable[[], float]) -> Clock:
    clock = Clock()
    clock.now = now  # type: ignore[method-assign]
    return clock
