"""The request for an image: its prompt and options, the image to edit, the wordings that were
turned down."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace

import pybase64

from bot.domain.attempt import Attempt, ImageRef
from bot.domain.errors import SlackUnavailable
from bot.domain.failures import FailureKind, GenerationError
from bot.domain.images import BaseImage, ImageRequest
from bot.domain.request_words import turned_down
from bot.domain.session import Session
from bot.domain.session_ids import SessionId
from bot.generation.image_copies import files_of
from bot.generation.picture_loader import PictureLoader
from bot.ports import Files, SessionRecords

ASK_SLACK_FOR = 3.0
"""Seconds to ask Slack for an image that the provider is likely to know by its own id."""


class ImageRequests:
    """Builds the request for an image, without the id of an earlier response. `avoid_rejected`: the
    request describes the images that were turned down before."""

    def __init__(
        self,
        sessions: SessionRecords,
        files: Files,
        pictures: PictureLoader,
        *,
        avoid_rejected: bool = True,
    ) -> None:
        self._sessions = sessions
        self._files = files
        self._pictures = pictures
        self._avoid_rejected = avoid_rejected

    async def build(
        self, session: Session, prompt: str, image: ImageRef, run_id: str
    ) -> ImageRequest:
        """The request for an image of the newest attempt; `prompt` is that attempt's. Raises
        `GenerationError` where the image to edit is gone. Nothing is paid yet then."""
        attempt = session.attempt(image.attempt)
        ids = SessionId.parse(session.id)
        request = ImageRequest(
            prompt,
            image.attempt,
            image.candidate,
            options=attempt.options,
            avoid=turned_down(session, attempt) if self._avoid_rejected else (),
            end_user=hashlib.sha256(ids.owner.encode()).hexdigest(),
            request_id=f"{ids.token}.{image.attempt}.{image.candidate}",
        )
        if attempt.base is None:
            return request
        from_picture = _starts_from_picture(session, attempt)
        return replace(
            request,
            prompt="" if from_picture else prompt,
            base=await self._base(session, attempt.base, run_id),
            change=attempt.change,
            changes=session.changes_up_to(attempt.base),
            from_picture=from_picture,
        )

    async def _base(self, session: Session, image: ImageRef, run_id: str) -> BaseImage:
        if not image.attempt:
            return await self._pictures.source_of(session, run_id)
        candidate = session.attempt(image.attempt).candidate(image.candidate)
        data = await self._stored(session, image)
        base = (
            BaseImage(data, candidate.mime_type) if data else await self._from_slack(session, image)
        )
        return replace(
            base,
            response_id=candidate.response_id,
            width=candidate.width,
            height=candidate.height,
        )

    async def _stored(self, session: Session, image: ImageRef) -> bytes:
        encoded = await self._sessions.load_image(session.id, image)
        return pybase64.b64decode(encoded) if encoded else b""

    async def from_slack_alone(self, session: Session, request: ImageRequest) -> ImageRequest:
        """The request with the image to edit from Slack, for a provider that has forgotten it.
        Raises `GenerationError` where Slack does not have it, and `SlackUnavailable`."""
        image = session.attempt(request.attempt).base
        if image is None or request.base is None:
            raise GenerationError(FailureKind.BASE_GONE)
        copy = await self._slacks_copy(session, image)
        base = replace(copy, width=request.base.width, height=request.base.height)
        return replace(request, base=base)

    async def _from_slack(self, session: Session, image: ImageRef) -> BaseImage:
        """The image from Slack, once our copy has expired. Where the provider knows the image by
        its own id, that Slack does not give it is no error: the answer is empty."""
        known = bool(session.attempt(image.attempt).candidate(image.candidate).response_id)
        try:
            async with asyncio.timeout(ASK_SLACK_FOR if known else None):
                return await self._slacks_copy(session, image)
        except (GenerationError, SlackUnavailable, TimeoutError):
            if known:
                return BaseImage()
            raise

    async def _slacks_copy(self, session: Session, image: ImageRef) -> BaseImage:
        """Raises `BASE_GONE` where no file of the image can be had, or `APP_REFUSED` where only a
        permission is missing; and `SlackUnavailable`."""
        kind = FailureKind.BASE_GONE
        for file_id in files_of(session, image):
            try:
                return await self._files.fetch(file_id)
            except GenerationError as error:
                if error.kind is FailureKind.APP_REFUSED:
                    kind = error.kind
        raise GenerationError(kind)


def _starts_from_picture(session: Session, attempt: Attempt) -> bool:
    """Whether the first image of this chain of edits is a person's picture, not from a prompt."""
    at = attempt.base
    while at is not None and at.attempt:
        at = session.attempt(at.attempt).base
    return at is not None
