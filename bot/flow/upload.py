"""`UploadImages`: the node that brings an attempt's images to Slack, where nobody sees them yet."""

from __future__ import annotations

import logging
from typing import NamedTuple

import pybase64
from pocketflow import AsyncParallelBatchNode

from bot.domain.attempt import ImageRef
from bot.domain.errors import FailureKind, SlackRefused
from bot.domain.session import Session
from bot.flow.shared import Shared, in_charge, not_delivered, noted
from bot.flow.tracing import TracedNode
from bot.ports import Publisher, SessionStore
from bot.telemetry.context import about
from bot.turns import Turns

log = logging.getLogger(__name__)


AT_ONCE = 12
"""Images that are decoded, and on their way to Slack; the others wait in base64."""
WAIT_FOR_TURN = 3.0
"""Seconds."""


class Upload(NamedTuple):
    """One image that Slack does not have yet, in base64; it is decoded where it is sent."""

    session: Session
    image: ImageRef
    encoded: str


class UploadImages(TracedNode, AsyncParallelBatchNode):
    """Images → files that Slack knows. Each is recorded as it is there; one that Slack refuses is a
    failure of its candidate, and of the attempt where no other made it."""

    def __init__(self, sessions: SessionStore, publisher: Publisher) -> None:
        super().__init__()
        self._sessions = sessions
        self._publisher = publisher
        self._turns = Turns(AT_ONCE, WAIT_FOR_TURN)

    async def prep_async(self, shared: Shared) -> list[Upload]:
        session, number = await self._sessions.load(shared["session_id"]), shared["attempt"]
        if not in_charge(session, shared):
            return []
        return [
            Upload(session, ImageRef(number, c.number), shared["images"].get(c.number, ""))
            for c in session.latest.images
            if not c.file_id
        ]

    async def exec_async(self, upload: Upload) -> None:
        with about(upload.session.id, candidate=upload.image.candidate):
            await self._upload(upload)

    async def _upload(self, upload: Upload) -> None:
        session, image, encoded = upload
        try:
            async with self._turns.one():
                data = pybase64.b64decode(encoded)
                file_id = await self._publisher.upload(session, image, data)
                del data
        except SlackRefused as error:
            log.warning("Slack did not take an image: %s", error)
            await self._sessions.update(
                session.id, lambda s: noted(s, image, failure=FailureKind.NOT_DELIVERED)
            )
            return
        await self._sessions.update(session.id, lambda s: noted(s, image, file_id=file_id))
        log.info("image uploaded", extra={"file": file_id})

    async def exec_fallback_async(self, upload: Upload, error: Exception) -> Exception:
        """An error of one is not to interrupt the others: it is raised when they are done."""
        return error

    async def post_async(
        self, shared: Shared, uploads: list[Upload], outcomes: list[Exception | None]
    ) -> str:
        for error in filter(None, outcomes):
            raise error
        session = await self._sessions.load(shared["session_id"])
        if not in_charge(session, shared):
            return "cancelled"
        return "uploaded" if session.latest.images else not_delivered(shared)
