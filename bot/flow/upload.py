"""`UploadImages`: the node that brings an attempt's images to Slack, where nobody sees them yet."""

from __future__ import annotations

import logging
from typing import Any, NamedTuple

import pybase64
from pocketflow import AsyncParallelBatchNode

from bot.concurrency import SoftLimit
from bot.domain.attempt import ImageRef
from bot.domain.errors import FailureKind, SlackRefused
from bot.domain.generation import image_expired, leads, record_candidate
from bot.domain.session import Session
from bot.flow.shared import Shared, fail, image_of, in_charge
from bot.ports import Publisher, SessionStore
from bot.telemetry.context import log_context

log = logging.getLogger(__name__)


AT_ONCE = 12
"""Images that are decoded, and on their way to Slack; the others wait in the store."""
WAIT_FOR_TURN = 3.0
"""Seconds."""


class Upload(NamedTuple):
    """One image that Slack does not have yet. `encoded` is the image in base64 where this run has
    just made it; the others are read from the store one by one."""

    session: Session
    image: ImageRef
    encoded: str


class UploadImages(AsyncParallelBatchNode):
    """Images → files that Slack knows. Each is recorded as it is there; one that Slack refuses is a
    failure of its candidate, and of the attempt where no other made it. One whose bytes have
    expired is made again by a job of its own, which then delivers."""

    def __init__(self, sessions: SessionStore, publisher: Publisher) -> None:
        super().__init__()
        self._sessions = sessions
        self._publisher = publisher
        self._limit = SoftLimit(AT_ONCE, WAIT_FOR_TURN)

    async def prep_async(self, shared: Shared) -> list[Upload]:
        session, made = await self._sessions.load(shared["session_id"]), image_of(shared)
        if not in_charge(session, shared):
            return []
        images = [ImageRef(made.attempt, c.number) for c in session.latest.images if not c.file_id]
        encoded = shared["generated_image"]
        return [Upload(session, image, encoded if image == made else "") for image in images]

    async def exec_async(self, upload: Upload) -> None:
        session, image, encoded = upload
        with log_context(session.id, candidate=image.candidate):
            try:
                async with self._limit.slot():
                    encoded = encoded or await self._sessions.load_image(session.id, image) or ""
                    if not encoded:
                        log.warning("an image expired before Slack had it: it is made again")
                        await self._sessions.update(session.id, lambda s: image_expired(s, image))
                        return
                    data = pybase64.b64decode(encoded)
                    file_id = await self._publisher.upload(session, image, data)
                    del data
            except SlackRefused as error:
                log.warning("Slack did not take an image: %s", error)
                facts: dict[str, Any] = {"failure": FailureKind.NOT_DELIVERED}
            else:
                log.info("image uploaded", extra={"file": file_id})
                facts = {"file_id": file_id}
            await self._sessions.update(session.id, lambda s: record_candidate(s, image, **facts))

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
            waits = leads(session, image_of(shared), shared["runner"])
            return "expired" if waits and not session.latest.delivering else "cancelled"
        return "uploaded" if session.latest.images else fail(shared, FailureKind.NOT_DELIVERED)
