"""The request for an image: its prompt and options, the image to edit, the wordings that were
turned down."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial

import pybase64

from bot.concurrency import finish_before_cancel
from bot.domain.attempt import Attempt, Candidate, ImageRef, Source
from bot.domain.errors import (
    FailureKind,
    GenerationError,
    ImagineError,
    ReadElsewhere,
    SlackUnavailable,
)
from bot.domain.generation import reading_begun, reading_ended, reading_stopped
from bot.domain.images import BaseImage, ImageRequest
from bot.domain.session import Session
from bot.generation.recording import LAST_RECORD_WITHIN
from bot.ports import Change, Files, Heartbeats, OnReading, SessionRecords
from bot.telemetry.context import token_of

log = logging.getLogger(__name__)

MOST_AVOIDED = 6
"""Wordings of earlier images in one request."""
LONGEST_AVOIDED = 1_000
"""Characters of one wording; the prompt itself may need the rest of what a request can hold."""

ASK_SLACK_FOR = 3.0
"""Seconds to ask Slack for an image that the provider is likely to know by its own id."""

LOOK_EVERY = 0.3
"""Seconds between two looks whether another run has read a person's picture."""

_SOURCE = ImageRef(0)
"""The picture of a person that a session starts from."""


class ImageRequests:
    """Builds the request for an image, without the id of an earlier response. `avoid_rejected`:
    the request says which images were turned down before."""

    def __init__(
        self,
        sessions: SessionRecords,
        files: Files,
        heartbeats: Heartbeats,
        *,
        avoid_rejected: bool = True,
    ) -> None:
        self._sessions = sessions
        self._files = files
        self._heartbeats = heartbeats
        self._avoid_rejected = avoid_rejected

    async def build(
        self, session: Session, prompt: str, image: ImageRef, runner: str
    ) -> ImageRequest:
        """The request for an image of the newest attempt, whose prompt this is. Raises
        `GenerationError` where the image to edit is gone: nothing is paid then."""
        attempt = session.attempt(image.attempt)
        request = ImageRequest(
            prompt,
            image.attempt,
            image.candidate,
            options=attempt.options,
            avoid=turned_down(session, attempt) if self._avoid_rejected else (),
            end_user=hashlib.sha256(session.id.rpartition(".")[0].encode()).hexdigest(),
            request_id=f"{token_of(session.id)}.{image.attempt}.{image.candidate}",
        )
        if attempt.base is None:
            return request
        from_picture = _starts_from_picture(session, attempt)
        return replace(
            request,
            prompt="" if from_picture else prompt,
            base=await self._base(session, attempt.base, runner),
            change=attempt.change,
            changes=session.changes_up_to(attempt.base),
            from_picture=from_picture,
        )

    async def _base(self, session: Session, image: ImageRef, runner: str) -> BaseImage:
        if not image.attempt:
            data = await self._source_bytes(session, runner)
            return BaseImage(data, _mime_type(data))
        candidate = session.attempt(image.attempt).candidate(image.candidate)
        data, mime_type = await self._stored(session, image), candidate.mime_type
        if not data and (data := await self._from_slack(candidate)):
            mime_type = _mime_type(data)
        if not (data or candidate.response_id):
            raise GenerationError(FailureKind.BASE_GONE)
        return BaseImage(data, mime_type, candidate.response_id)

    async def _source_bytes(self, session: Session, reader: str) -> bytes:
        """The bytes of the person's picture that the session started from; they are stored from
        here on. One run reads it; the runs of the other candidates wait until it is stored."""
        while True:
            if data := await self._stored(session, _SOURCE):
                return data
            if session.source is None:
                raise GenerationError(FailureKind.SOURCE_GONE)
            if not await self._is_being_read(session.source, reader):
                if session.source.stops_workers:
                    raise GenerationError(FailureKind.SOURCE_STOPS_WORKERS)
                with suppress(ReadElsewhere):
                    return await self._read(session, session.source, reader)
            await asyncio.sleep(LOOK_EVERY)
            session = await self._sessions.load(session.id)

    async def _is_being_read(self, source: Source, reader: str) -> bool:
        others = [other for other in source.readers if other != reader]
        return any([await self._heartbeats.is_alive(other) for other in others])

    async def _read(self, session: Session, source: Source, reader: str) -> bytes:
        async with self._reading(session.id, reader, source.readers) as begin:
            data = await self._files.fetch(source.file_id, begin)
            encoded = pybase64.b64encode_as_string(data)
            await self._sessions.keep_image(session.id, _SOURCE, encoded)
        return data

    @asynccontextmanager
    async def _reading(
        self, session_id: str, reader: str, lost: tuple[str, ...]
    ) -> AsyncIterator[OnReading]:
        """A function to await before the picture is decoded: it records who reads it. The end of
        the body is recorded too; a worker that dies meanwhile leaves its record. `lost` are the
        readers that are dead. The function raises `ReadElsewhere` where another run has begun."""
        begun = False
        end: Change = partial(reading_stopped, reader=reader)

        async def begin() -> None:
            nonlocal begun
            begun = True  # from here on it may be recorded, whatever comes in between
            try:
                await self._sessions.update(session_id, lambda s: reading_begun(s, reader, lost))
            except (GenerationError, ReadElsewhere):
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
                await finish_before_cancel(self._record(session_id, end), LAST_RECORD_WITHIN)

    async def _record(self, session_id: str, end: Change) -> None:
        try:
            await self._sessions.update(session_id, end)
        except ImagineError as error:
            log.warning("that a picture was read is not recorded: %s", type(error).__name__)

    async def _stored(self, session: Session, image: ImageRef) -> bytes:
        encoded = await self._sessions.load_image(session.id, image)
        return pybase64.b64decode(encoded) if encoded else b""

    async def _from_slack(self, candidate: Candidate) -> bytes:
        """The image from Slack, once our copy has expired; empty where Slack does not give it. A
        Slack that is away is an error only where the provider does not know the image either."""
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
    """The provider's own wordings of the newest images that were shown for the same prompt, or for
    the same change to the same image, oldest first. The person asked for another one each time."""
    shown = [
        candidate.revised_prompt[:LONGEST_AVOIDED]
        for earlier in reversed(session.attempts[: attempt.number - 1])
        if _is_same_request(earlier, attempt) and earlier.has_draft
        for candidate in reversed(earlier.images)
        if candidate.revised_prompt
    ]
    newest = list(dict.fromkeys(shown))[:MOST_AVOIDED]
    return tuple(reversed(newest))


def _is_same_request(earlier: Attempt, attempt: Attempt) -> bool:
    if attempt.base is None:
        return earlier.prompt == attempt.prompt
    return (earlier.base, earlier.change) == (attempt.base, attempt.change)


def _starts_from_picture(session: Session, attempt: Attempt) -> bool:
    """Whether the first image of this chain of edits is a person's picture, not from a prompt."""
    at = attempt.base
    while at is not None and at.attempt:
        at = session.attempt(at.attempt).base
    return at is not None


def _mime_type(data: bytes) -> str:
    """The type of a PNG, JPEG or WebP, from its first bytes."""
    if data.startswith(b"\x89PNG"):
        return "image/png"
    return "image/jpeg" if data.startswith(b"\xff\xd8") else "image/webp"
