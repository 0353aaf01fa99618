"""Signed HTTP requests to the bot, as Slack sends them when there is no Socket Mode.

Each delivery is signed with the time at which it is sent. Slack waits a minute between most of its
tries; here it is a fraction of a second. Two tries with the same time have the same signature, so
each try of one body gets a second of its own.
"""

import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import urlencode

import aiohttp

_FORM = "application/x-www-form-urlencoded"
_REMEMBERED = 1_000


class HttpRefusedError(Exception):
    """The bot answered anything but 200. `status` is 0 when there was no answer at all."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


class HttpDelivery:
    """Posts to one request URL. It ignores the proxies of the environment."""

    def __init__(self, url: str, signing_secret: str) -> None:
        self.url = url
        self._secret = signing_secret
        self._sent: dict[bytes, int] = {}
        unlimited = aiohttp.TCPConnector(limit=0)
        self._session = aiohttp.ClientSession(connector=unlimited, trust_env=False)

    async def send(self, kind: str, payload: dict[str, Any], extra: dict[str, Any]) -> Any:
        """Post one delivery; the answer's body, parsed when it is JSON, None when it is empty."""
        body, content_type = _encoded(kind, payload)
        signed = self.signature(body, self._time_of(body))
        headers = {"Content-Type": content_type, **signed, **_retry_headers(extra)}
        try:
            async with self._session.post(self.url, data=body, headers=headers) as response:
                text = await response.text()
        except aiohttp.ClientError:
            raise HttpRefusedError(0) from None
        if response.status != 200:
            raise HttpRefusedError(response.status)
        return _parsed(text)

    async def verify_url(self, token: str, challenge: str) -> bool:
        """The handshake with which Slack accepts a request URL."""
        payload = {"type": "url_verification", "token": token, "challenge": challenge}
        answer = await self.send("events_api", payload, {})
        return bool(answer == challenge or answer == {"challenge": challenge})

    def signature(self, body: bytes, timestamp: int | None = None) -> dict[str, str]:
        at = str(timestamp if timestamp is not None else int(time.time()))
        signed = f"v0:{at}:".encode() + body
        digest = hmac.new(self._secret.encode(), signed, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": f"v0={digest}"}

    def _time_of(self, body: bytes) -> int:
        """Epoch seconds: now, or one more than the last time that this body was sent."""
        digest, now = hashlib.sha256(body).digest(), int(time.time())
        at = self._sent[digest] = max(now, self._sent.pop(digest, 0) + 1)
        while len(self._sent) > _REMEMBERED:
            del self._sent[next(iter(self._sent))]
        return at

    async def close(self) -> None:
        await self._session.close()


def _encoded(kind: str, payload: dict[str, Any]) -> tuple[bytes, str]:
    if kind == "events_api":
        return json.dumps(payload).encode(), "application/json"
    form = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
    return urlencode(form).encode(), _FORM


def _retry_headers(extra: dict[str, Any]) -> dict[str, str]:
    if not extra.get("retry_attempt"):
        return {}
    number, reason = str(extra["retry_attempt"]), str(extra["retry_reason"])
    return {"X-Slack-Retry-Num": number, "X-Slack-Retry-Reason": reason}


def _parsed(text: str) -> Any:
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text
