"""When Slack has processed an uploaded file, so that a message can name it.

A message that names it sooner is refused, and takes a turn of its channel all the same. So Slack is
asked with `files.info`, which tells a file's type once it is processed: first shortly before the
time that it has taken lately, then every `EVERY` seconds. What is learned is this process's own.
Where the app may not ask (scope `files:read`), the message is tried at that time.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable

from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.pacing import calling
from bot.adapters.slack.web_api import call
from bot.domain.errors import SlackAppBlocked, SlackRefused, SlackUnavailable
from bot.ports import Priority

log = logging.getLogger(__name__)

EVERY = 0.4
_SLOWER = 2.0
_SLOWER_AFTER = 5.0
_AT_ONCE = 0.2
"""Seconds: a file that is ready so soon needs no asking."""
_KEPT = 300.0
"""Seconds for which an upload is remembered."""


def pause(age: float) -> float:
    """Seconds to the next look at a file that is `age` seconds old."""
    return EVERY if age < _SLOWER_AFTER else _SLOWER


class FileReadiness:
    """`_usual`: the seconds that Slack has taken lately; 0 where files are ready at once.
    `_uploaded`: when each file was, until its message is posted."""

    def __init__(self, client: AsyncWebClient, *, may_ask: bool) -> None:
        self._client = client
        self._usual = EVERY if may_ask else 0.0
        self._uploaded: dict[str, float] = {}
        self._may_ask = may_ask

    def uploaded(self, file_id: str) -> None:
        now = time.monotonic()
        for known, at in list(self._uploaded.items()):
            if at < now - _KEPT:
                del self._uploaded[known]
        self._uploaded[file_id] = now

    async def wait(self, file_ids: Iterable[str], within: float) -> None:
        """Sleep until a message can name these files, or for `within` seconds. A file that this
        process has not uploaded is not waited for, before a message was refused for it."""
        until = time.monotonic() + within
        await asyncio.gather(*(self._wait(file_id, until) for file_id in file_ids))

    async def _wait(self, file_id: str, until: float) -> None:
        since = self._uploaded.get(file_id)
        if since is None or not self._usual:
            return
        before = EVERY if self._may_ask else 0.0
        await _sleep_until(min(since + self._usual - before, until))
        is_first = True
        while self._may_ask and not await self._is_ready(file_id):
            is_first = False
            if time.monotonic() >= until:
                return
            await _sleep_until(min(time.monotonic() + pause(time.monotonic() - since), until))
        if self._may_ask:
            self._learn(time.monotonic() - since, at_first_look=is_first)

    async def _is_ready(self, file_id: str) -> bool:
        """Where Slack does not say, the message is tried."""
        try:
            with calling(Priority.DRAFT, patience=0.0):
                answer = await call(self._client.files_info, file=file_id)
        except SlackAppBlocked:
            raise
        except SlackUnavailable:
            return True
        except SlackRefused as error:
            log.info("Slack does not tell when a file is ready: %s", error)
            self._may_ask = error.code == "file_not_found" and self._may_ask
            return True
        file = answer.get("file")
        return not isinstance(file, dict) or bool(file.get("mimetype"))

    def _learn(self, took: float, *, at_first_look: bool) -> None:
        """A file that is ready at the first look may have been so long before it."""
        if not at_first_look:
            self._usual += (took - self._usual) / 2
        elif took < _AT_ONCE:
            self._usual = 0.0
        else:
            self._usual /= 2

    def refused(self, file_ids: Iterable[str]) -> None:
        """A message was refused, because Slack does not know one of these files yet."""
        self._usual = max(self._usual, EVERY)
        for file_id in file_ids:
            self._uploaded.setdefault(file_id, time.monotonic())

    def posted(self, file_ids: Iterable[str], *, tries: int) -> None:
        """A message with these files was posted at the last of so many tries."""
        for file_id in file_ids:
            since = self._uploaded.pop(file_id, None)
            if since is not None and not self._may_ask:
                took = min(time.monotonic() - since, _SLOWER_AFTER)
                self._usual += (took - self._usual) / 2 if tries > 1 else -self._usual / 10


async def _sleep_until(when: float) -> None:
    await asyncio.sleep(max(0.0, when - time.monotonic()))
