"""What an attempt asks of the provider: its prompt and options, the image it edits, what was
turned down before."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pybase64

from bot.domain.attempt import Attempt, Candidate, ImageRef
from bot.domain.errors import FailureKind, GenerationError, ImagineError, SlackUnavailable
from bot.domain.images import BaseImage, ImageRequest
from bot.domain.reading import reading_begun, reading_ended, reading_stopped
from bot.domain.session import Session
from bot.flow.waiting import finished
from bot.ports import Change, Files, OnReading, SessionStore

log = logging.getLogger(__name__)

MOST_AVOIDED = 6
LONGEST_AVOIDED = 1_000
"""Characters of one wording; the prompt itself may need the rest of what a request can hold."""

ASK_SLACK_FOR = 3.0
"""Seconds, where the provider is likely to know the image by its own id."""

_BROUGHT = ImageRef(0)


class Requests:
    """Makes the request of an attempt, complete but for the candidate. `avoid_rejected`: say what
    was turned down before."""

    def __init__(
        self, sessions: SessionStore, files: Files, *, avoid_rejected: bool = True
    ) -> None:
        self._sessions = sessions
        self._files = files
        self._avoid_rejected = avoid_rejected

    async def of(self, session: Session, attempt: Attempt) -> ImageRequest:
        """Raises `GenerationError` where the image to edit is gone: nothing is paid then."""
        end_user = hashlib.sha256(session.id.rpartition(".")[0].encode()).hexdigest()
        avoid = turned_down(session, attempt) if self._avoid_rejected else ()
        if attempt.base is None:
            return ImageRequest(
                attempt.prompt,
                attempt.number,
                options=attempt.options,
                avoid=avoid,
                end_user=end_user,
            )
        from_picture = _begins_with_a_picture(session, attempt)
        return ImageRequest(
            "" if from_picture else attempt.prompt,
            attempt.number,
            options=attempt.options,
            base=await self._base(session, attempt.base),
            change=attempt.change,
            changes=session.changes_up_to(attempt.base),
            avoid=avoid,
            from_picture=from_picture,
            end_user=end_user,
        )

    async def _base(self, session: Session, image: ImageRef) -> BaseImage:
        if not image.attempt:
            data = await self._brought(session, session.latest.runner)
            return BaseImage(data, _mime_type(data))
        candidate = session.attempt(image.attempt).candidate(image.candidate)
        data, mime_type = await self._kept(session, image), candidate.mime_type
        if not data and (data := await self._from_slack(candidate)):
            mime_type = _mime_type(data)
        if not (data or candidate.response_id):
            raise GenerationError(FailureKind.BASE_GONE)
        return BaseImage(data, mime_type, candidate.response_id)

    async def _brought(self, session: Session, reader: str) -> bytes:
        """The picture of a person that the session started from; kept from here on."""
        if data := await self._kept(session, _BROUGHT):
            return data
        if session.source is None:
            raise GenerationError(FailureKind.SOURCE_GONE)
        if session.source.stops_workers:
            raise GenerationError(FailureKind.SOURCE_STOPS_WORKERS)
        async with self._reading(session.id, reader) as begin:
            data = await self._files.fetch(session.source.file_id, begin)
            encoded = pybase64.b64encode_as_string(data)
            await self._sessions.keep_image(session.id, _BROUGHT, encoded)
        return data

    @asynccontextmanager
    async def _reading(self, session_id: str, reader: str) -> AsyncIterator[OnReading]:
        """What is to be awaited before the picture is decoded. The body's end is recorded; a worker
        that is lost meanwhile leaves the record as it is."""
        begun = False
        end: Change = partial(reading_stopped, reader=reader)

        async def begin() -> None:
            nonlocal begun
            begun = True  # from here on it may be recorded, whatever comes in between
            try:
                await self._sessions.update(session_id, lambda s: reading_begun(s, reader))
            except GenerationError:
                begun = False
                raise

        try:
            yield begin
            end = reading_ended
        except GenerationError:
            end = reading_ended
            raise
        finally:
            if begun:
                await finished(self._record(session_id, end))

    async def _record(self, session_id: str, end: Change) -> None:
        try:
            await self._sessions.update(session_id, end)
        except ImagineError as error:
            log.warning("that a picture was read is not recorded: %s", type(error).__name__)

    async def _kept(self, session: Session, image: ImageRef) -> bytes:
        encoded = await self._sessions.load_image(session.id, image)
        return pybase64.b64decode(encoded) if encoded else b""

    async def _from_slack(self, candidate: Candidate) -> bytes:
        """Slack may still have an image that our own copy of has expired; empty where it does not
        give it. A Slack that is away is waited for only where nothing else leads to the image."""
        if not candidate.file_id:
            return b""
        try:
            async with asyncio.timeout(ASK_SLACK_FOR if candidate.response_id else None):
                return await self._files.fetch(candidate.file_id)
        except GenerationError:
            return b""
        except (SlackUnavailable, TimeoutError):
            if candidate.response_id:
                return b""
            raise


def turned_down(session: Session, attempt: Attempt) -> tuple[str, ...]:
    """The provider's own wordings of the images that were shown for the same prompt, or for the
    same change to the same image, and did not do, oldest first; of many the newest."""
    shown = [
        candidate.revised_prompt[:LONGEST_AVOIDED]
        for earlier in reversed(session.attempts[: attempt.number - 1])
        if _for_the_same(earlier, attempt) and earlier.message_ts
        for candidate in reversed(earlier.images)
        if candidate.revised_prompt
    ]
    newest = list(dict.fromkeys(shown))[:MOST_AVOIDED]
    return tuple(reversed(newest))


def _for_the_same(earlier: Attempt, attempt: Attempt) -> bool:
    if attempt.base is None:
        return earlier.prompt == attempt.prompt
    return (earlier.base, earlier.change) == (attempt.base, attempt.change)


def _begins_with_a_picture(session: Session, attempt: Attempt) -> bool:
    """Whether all of it goes back to a picture that a person brought, not to a prompt."""
    at = attempt.base
    while at is not None and at.attempt:
        at = session.attempt(at.attempt).base
    return at is not None


def _mime_type(data: bytes) -> str:
    """Of the types that a picture may have, as its first bytes tell."""
    if data.startswith(b"\x89PNG"):
        return "image/png"
    return "image/jpeg" if data.startswith(b"\xff\xd8") else "image/webp"
