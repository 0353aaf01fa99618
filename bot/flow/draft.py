"""The nodes that post the images of an attempt in its thread, as a draft to decide about."""

from __future__ import annotations

import logging
import time
from typing import Any, NamedTuple

import pybase64
from pocketflow import AsyncNode, AsyncParallelBatchNode

from bot.concurrency import SoftLimit
from bot.domain.attempt import ImageRef
from bot.domain.errors import ImagineError, NoLongerOwed, SlackRefused
from bot.domain.failures import FailureKind
from bot.domain.generation import (
    draft_posted,
    image_expired,
    is_current_run,
    is_delivery_run,
    record_candidate,
    shared_as_files,
)
from bot.domain.refusals import Refusal
from bot.domain.session import Session
from bot.domain.slack_refusals import delivery_failure, is_about_file
from bot.flow.generate import IN_MEMORY, SLOT_PATIENCE
from bot.flow.shared import Shared, contract_of, fail_to_deliver, image_of
from bot.generation.image_copies import ImageCopies
from bot.ports import DraftMessages, ImageUploads, SessionRecords, StillOwed
from bot.telemetry.context import log_context
from bot.telemetry.metrics import DRAFT_SECONDS

log = logging.getLogger(__name__)


class Upload(NamedTuple):
    """One image that Slack does not have yet. `encoded` is the image in base64 where this run has
    just made it; the others are read from the store one by one."""

    session: Session
    image: ImageRef
    encoded: str


class UploadImages(AsyncParallelBatchNode):
    """Images → files that Slack knows. An image that Slack refuses is a failure of its candidate,
    and of the attempt where no other candidate has an image. An image whose bytes have expired is
    made again by a job of its own, which then delivers.

    `exec` reads the image from the store and records its file there: one image is in memory only
    while it is uploaded, and a run that ends before `post` has recorded every file that Slack has.
    """

    def __init__(
        self, sessions: SessionRecords, publisher: ImageUploads, bot_name: str = ""
    ) -> None:
        super().__init__()
        self._sessions = sessions
        self._publisher = publisher
        self._bot_name = bot_name
        self._slots = SoftLimit(IN_MEMORY, SLOT_PATIENCE)

    async def prep_async(self, shared: Shared) -> list[Upload]:
        session, made = await self._sessions.load(shared["session_id"]), image_of(shared)
        if not is_delivery_run(session, image_of(shared), shared["run_id"]):
            return []
        images = [ImageRef(made.attempt, c.number) for c in session.latest.images if not c.file_id]
        encoded = shared["generated_image"]
        return [Upload(session, image, encoded if image == made else "") for image in images]

    async def exec_async(self, upload: Upload) -> None:
        session, image, encoded = upload
        with log_context(session.id, candidate=image.candidate):
            async with self._slots.slot():
                encoded = encoded or await self._sessions.load_image(session.id, image) or ""
                if not encoded:
                    log.warning("an image expired before Slack had it: it is made again")
                    await self._sessions.update(session.id, lambda s: image_expired(s, image))
                    return
                data = pybase64.b64decode(encoded)
                file_id = await self._publisher.upload(session, image, data)
                del data
            log.info("image uploaded", extra={"file": file_id})
            await self._record(upload, file_id=file_id)

    async def exec_fallback_async(self, upload: Upload, error: Exception) -> Exception | None:
        """Record a refusal of one image. Any other error does not interrupt the other images:
        `post` raises it after them."""
        if not isinstance(error, SlackRefused):
            return error
        with log_context(upload.session.id, candidate=upload.image.candidate):
            log.warning("Slack did not take an image: %s", error)
            try:
                await self._record(upload, failure=delivery_failure(error, upload.session.place))
            except ImagineError as not_recorded:
                return not_recorded
        return None

    async def _record(self, upload: Upload, **facts: Any) -> None:
        image = upload.image
        await self._sessions.update(
            upload.session.id, lambda s: record_candidate(s, image, **facts)
        )

    async def post_async(
        self, shared: Shared, uploads: list[Upload], outcomes: list[Exception | None]
    ) -> str:
        for error in filter(None, outcomes):
            raise error
        session = await self._sessions.load(shared["session_id"])
        if not is_delivery_run(session, image_of(shared), shared["run_id"]):
            waits = is_current_run(session, image_of(shared), shared["run_id"])
            return "expired" if waits and not session.latest.delivery_candidate else "cancelled"
        if session.latest.images:
            return "uploaded"
        refused = (c.failure for c in session.latest.candidates if c.has_image and c.failure)
        kind = next(refused, FailureKind.NOT_DELIVERED)
        return fail_to_deliver(shared, kind, session, self._bot_name)


class Draft(NamedTuple):
    """The input of `PostDraft.exec`. `posted` is the `ts` of a draft that an earlier run posted."""

    session: Session
    number: int
    repeated: bool
    posted: str
    still_owed: StillOwed


class PostDraft(AsyncNode):
    """Files → a message in the thread with the buttons to decide.

    Where Slack cannot show the files in a message, `exec` shares them as plain files and records
    that before it posts: a run that is repeated between the two does not share them again.
    """

    def __init__(
        self,
        sessions: SessionRecords,
        publisher: DraftMessages,
        copies: ImageCopies,
        bot_name: str = "",
    ) -> None:
        super().__init__()
        self._sessions = sessions
        self._copies = copies
        self._publisher = publisher
        self._bot_name = bot_name

    async def prep_async(self, shared: Shared) -> Draft | None:
        session, number = await self._sessions.load(shared["session_id"]), shared["attempt"]
        image, run_id = image_of(shared), shared["run_id"]
        if not is_delivery_run(session, image, run_id):
            return None

        async def still_owed() -> bool:
            newest = await self._sessions.load(session.id)
            posted = bool(newest.latest.message_ts)
            return is_delivery_run(newest, image, run_id) and not posted

        posted = session.latest.message_ts
        return Draft(session, number, shared["repeated"], posted, still_owed)

    async def exec_async(self, draft: Draft | None) -> str | SlackRefused | None:
        if draft is None or draft.posted:
            return draft.posted if draft else None
        session, number = draft.session, draft.number
        try:
            return await self._post(draft, session)
        except SlackRefused as error:
            if not is_about_file(error):
                raise
            session = await self._share(session, number, error)
        return await self._post(draft, session)

    async def _post(self, draft: Draft, session: Session) -> str | None:
        try:
            return await self._publisher.post_draft(
                session, draft.number, repeated=draft.repeated, still_owed=draft.still_owed
            )
        except NoLongerOwed:
            return None

    async def exec_fallback_async(self, draft: Draft | None, error: Exception) -> SlackRefused:
        """A refusal is an outcome, which `post` reports; any other error fails the job."""
        if isinstance(error, SlackRefused):
            return error
        raise error

    async def _share(self, session: Session, number: int, error: SlackRefused) -> Session:
        """Share the images as plain files, in their order, and record that. Raises `error` where an
        image is gone: neither the store nor Slack has it."""
        images = [ImageRef(number, candidate.number) for candidate in session.latest.images]
        stored = [await self._copies.load(session, image) for image in images]
        if None in stored:
            raise error
        for image, data in zip(images, stored, strict=True):
            await self._publisher.share(session, image, data or b"")
        return await self._sessions.update(session.id, lambda s: shared_as_files(s, number))

    async def post_async(
        self, shared: Shared, draft: Draft | None, ts: str | SlackRefused | None
    ) -> str:
        if ts is None:
            return "cancelled"
        if isinstance(ts, SlackRefused):
            log.warning("Slack did not take a draft: %s", ts)
            session = await self._sessions.load(shared["session_id"])
            kind = delivery_failure(ts, session.place)
            return fail_to_deliver(shared, kind, session, self._bot_name)
        log.info("draft posted")
        shared["message_ts"] = ts
        return "posted"


class OpenReview(AsyncNode):
    """The draft is in the thread: the session waits for the person's decision."""

    def __init__(self, sessions: SessionRecords) -> None:
        super().__init__()
        self._sessions = sessions

    async def post_async(self, shared: Shared, prepared: None, executed: None) -> str:
        number, ts, used = shared["attempt"], shared["message_ts"], shared["input_used_by_process"]
        try:
            session = await self._sessions.update(
                shared["session_id"], lambda s: draft_posted(s, number, ts, time.time(), used)
            )
        except Refusal:
            log.info("attempt %s was ended by another run", number)
            return "cancelled"
        DRAFT_SECONDS.observe(max(0.0, session.updated_at - session.attempt(number).queued_at))
        shared |= contract_of(session)
        return "reviewing"
