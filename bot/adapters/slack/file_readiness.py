"""When Slack has processed an uploaded file, so that a message can name it.

A message that names it sooner is refused, and takes a turn of its channel all the same. So Slack is
asked with `files.info`, which tells a file's type once it is processed: first shortly before the
time that it has taken lately, then every `EVERY` seconds. Where Slack does not say, or says so too
early, the message is tried at that time, and the refusals tell how long it takes. What is learned
is this process's own.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.pacing import calling
from bot.adapters.slack.web_api import call
from bot.domain.errors import SlackAppBlocked, SlackRefused, SlackUnavailable
from bot.ports import Priority

log = logging.getLogger(__name__)

EVERY = 0.4
_SLOWER = 2.0
_SLOWER_AFTER = 5.0
_AT_ONCE = 0.1
"""Seconds: a file that is ready so soon needs no asking."""
_ANSWER_WITHIN = 2.0
"""Seconds for Slack to say whether a file is ready."""
_DOUBTED_AFTER = 2.0
"""Seconds after which a message is tried, where Slack has never said yet that a file is ready."""
_SOONER = 0.01
"""After each message that is taken at its first try, the next is tried sooner by so much more."""
_KEPT = 300.0
"""Seconds for which an upload is remembered."""


def pause(age: float) -> float:
    """Seconds to the next look at a file that is `age` seconds old."""
    return EVERY if age < _SLOWER_AFTER else _SLOWER


@dataclass
class _Upload:
    """`refused`: its age when a message was refused for it. `told_ready`: what Slack said last;
    `told_early`: what it had said before a message was refused."""

    at: float
    refused: float | None = None
    told_ready: bool | None = None
    told_early: bool = False

    @property
    def age(self) -> float:
        return time.monotonic() - self.at


class FileReadiness:
    """`_usual`: the seconds that Slack has taken lately; 0 where files are ready at once. `_taken`:
    how many messages in a row were taken at their first try. `_uploads`: the files whose messages
    are not posted yet. `_was_told`: Slack has said of a file that it is ready."""

    def __init__(self, client: AsyncWebClient, *, may_ask: bool) -> None:
        self._client = client
        self._usual = EVERY if may_ask else 0.0
        self._taken = 0
        self._uploads: dict[str, _Upload] = {}
        self._may_ask = may_ask
        self._was_told = False

    def uploaded(self, file_id: str) -> None:
        for known, upload in list(self._uploads.items()):
            if upload.age > _KEPT:
                del self._uploads[known]
        self._uploads[file_id] = _Upload(time.monotonic())

    async def wait(self, file_ids: Iterable[str], within: float) -> None:
        """Sleep until a message can name these files, or for `within` seconds. A file that this
        process has not uploaded is not waited for, before a message was refused for it."""
        until = time.monotonic() + within
        await asyncio.gather(*(self._wait(file_id, until) for file_id in file_ids))

    async def _wait(self, file_id: str, until: float) -> None:
        upload = self._uploads.get(file_id)
        if upload is None or not self._usual:
            return
        due = upload.at + self._usual
        looked = None
        await _sleep_until(min(due - EVERY / 2 if self._may_ask else due, until))
        while self._may_ask:
            age = upload.age
            upload.told_ready = is_ready = await self._is_ready(file_id)
            if is_ready is None:
                await _sleep_until(min(due, until))
                return
            if is_ready:
                self._was_told = True
                self._learn(looked, age)
                return
            if time.monotonic() >= until or self._is_doubtful(upload):
                return
            nap = EVERY / 2 if looked is None else pause(age)
            await _sleep_until(min(upload.at + age + nap, until))
            looked = age

    def _is_doubtful(self, upload: _Upload) -> bool:
        """Whether Slack may be one that never says when a file is ready."""
        return not self._was_told and upload.age - (upload.refused or 0.0) > _DOUBTED_AFTER

    async def _is_ready(self, file_id: str) -> bool | None:
        """Whether the file is ready; None where Slack does not say."""
        try:
            with calling(Priority.DRAFT, patience=0.0):
                async with asyncio.timeout(_ANSWER_WITHIN):
                    answer = await call(self._client.files_info, file=file_id)
        except SlackAppBlocked:
            raise
        except (SlackUnavailable, TimeoutError):
            return None
        except SlackRefused as error:
            log.info("Slack does not tell when a file is ready: %s", error)
            self._may_ask = error.code == "file_not_found" and self._may_ask
            return None
        file = answer.get("file")
        return bool(file.get("mimetype")) if isinstance(file, dict) else None

    def _learn(self, looked: float | None, age: float) -> None:
        """A file was ready at this age, and not yet when it was last looked at. One that is ready
        at the first look may have been so long before it."""
        if looked is not None:
            took = min((looked + age) / 2, _SLOWER_AFTER)
            self._usual += (took - self._usual) / 2
        elif age < _AT_ONCE:
            self._usual = 0.0
        else:
            self._usual /= 2

    def refused(self, file_ids: Iterable[str]) -> None:
        """A message was refused, because Slack does not know one of these files yet."""
        self._usual = max(self._usual, EVERY)
        for file_id in file_ids:
            upload = self._uploads.setdefault(file_id, _Upload(time.monotonic()))
            upload.refused, upload.told_early = upload.age, bool(upload.told_ready)

    def posted(self, file_ids: Iterable[str]) -> None:
        """A message with these files was posted."""
        uploads = [self._uploads.pop(file_id, None) for file_id in file_ids]
        for upload in filter(None, uploads):
            if upload.told_ready is False and not self._was_told:
                self._ask_no_more("does not tell")
            if upload.refused is None:
                self._learn_from_first_try(upload)
            else:
                self._learn_from_refusals(upload, upload.refused)

    def _learn_from_first_try(self, upload: _Upload) -> None:
        """It may have been ready before, unless the message had to wait for its turn."""
        if not upload.told_ready and upload.age < self._usual + EVERY:
            self._taken += 1
            self._usual *= max(0.0, 1.0 - _SOONER * self._taken)

    def _learn_from_refusals(self, upload: _Upload, refused: float) -> None:
        self._taken = 0
        self._usual = min(upload.age, refused + EVERY, _SLOWER_AFTER)
        if upload.told_early:
            self._ask_no_more("tells too early")

    def _ask_no_more(self, what: str) -> None:
        if self._may_ask:
            log.info("Slack %s that a file is ready: it is not asked any more", what)
            self._may_ask = False


async def _sleep_until(when: float) -> None:
    await asyncio.sleep(max(0.0, when - time.monotonic()))
