"""The nodes that put a draft up for review, or take one away that nobody wants any more."""

from __future__ import annotations

import logging
import time
from typing import NamedTuple

import pybase64
from pocketflow import AsyncNode

from bot.domain.attempt import ImageRef
from bot.domain.errors import FailureKind, ImageNotReady, Refusal, SlackRefused
from bot.domain.generation import shared_as_files, was_cancelled
from bot.domain.session import Session
from bot.domain.steps import draft_posted
from bot.flow.shared import Shared, contract_of, fail, in_charge
from bot.ports import Publisher, SessionStore
from bot.telemetry.metrics import DRAFT_SECONDS

log = logging.getLogger(__name__)


class Draft(NamedTuple):
    """What `exec` needs to show the images. `recorded` is the message that an earlier run
    posted."""

    session: Session
    number: int
    repeated: bool
    recorded: str


class PublishingNode(AsyncNode):
    """A node that shows something of a session in Slack."""

    def __init__(self, sessions: SessionStore, publisher: Publisher) -> None:
        super().__init__()
        self._sessions = sessions
        self._publisher = publisher


class PostDraft(PublishingNode):
    """Files → a message in the thread with the buttons to decide."""

    async def prep_async(self, shared: Shared) -> Draft | None:
        session, number = await self._sessions.load(shared["session_id"]), shared["attempt"]
        if not in_charge(session, shared):
            return None
        recorded = session.latest.message_ts
        return Draft(session, number, shared["repeated"], recorded)

    async def exec_async(self, draft: Draft | None) -> str | SlackRefused | None:
        if draft is None or draft.recorded:
            return draft.recorded if draft else None
        try:
            return await self._post(draft)
        except SlackRefused as error:
            return error

    async def _post(self, draft: Draft) -> str:
        session, number, repeated, _ = draft
        try:
            return await self._publisher.post_draft(session, number, repeated=repeated)
        except ImageNotReady as error:
            session = await self._share(session, number, error)
        return await self._publisher.post_draft(session, number, repeated=repeated)

    async def _share(self, session: Session, number: int, error: ImageNotReady) -> Session:
        """Show the images as plain files, in their order, and record that they are. Raises `error`
        where one of them has expired."""
        images = [ImageRef(number, candidate.number) for candidate in session.latest.images]
        kept = [await self._sessions.load_image(session.id, image) for image in images]
        if None in kept:
            raise error
        for image, encoded in zip(images, kept, strict=True):
            await self._publisher.share(session, image, pybase64.b64decode(encoded or ""))
        return await self._sessions.update(session.id, lambda s: shared_as_files(s, number))

    async def post_async(
        self, shared: Shared, draft: Draft | None, ts: str | SlackRefused | None
    ) -> str:
        if ts is None:
            return "cancelled"
        if isinstance(ts, SlackRefused):
            log.warning("Slack did not take a draft: %s", ts)
            return fail(shared, FailureKind.NOT_DELIVERED)
        log.info("draft posted")
        shared["message_ts"] = ts
        return "posted"


class OpenReview(AsyncNode):
    """The draft is there: from here on it is the person's turn."""

    def __init__(self, sessions: SessionStore) -> None:
        super().__init__()
        self._sessions = sessions

    async def post_async(self, shared: Shared, prepared: None, executed: None) -> str:
        number, ts, used = shared["attempt"], shared["message_ts"], shared["input_used_by_process"]
        try:
            session = await self._sessions.update(
                shared["session_id"], lambda s: draft_posted(s, number, ts, time.time(), used)
            )
        except Refusal:
            log.info("attempt %s was brought on elsewhere", number)
            return "cancelled"
        DRAFT_SECONDS.observe(max(0.0, session.updated_at - session.attempt(number).queued_at))
        shared |= contract_of(session)
        return "reviewing"


class InReview(AsyncNode):
    """The end of a run that brought a draft."""


class OthersGoOn(AsyncNode):
    """The end of a run whose attempt waits for another candidate."""


class RemoveDraft(PublishingNode):
    """After a cancellation: a draft that slipped through is taken away. The end of a run whose
    attempt nobody waits for any more."""

    async def prep_async(self, shared: Shared) -> tuple[Session, int, bool]:
        session, number = await self._sessions.load(shared["session_id"]), shared["attempt"]
        if not was_cancelled(session, number):
            return session, number, False  # another run brought it on
        uploaded = any(c.file_id for c in session.attempt(number).candidates)
        return session, number, bool(shared["message_ts"] or (shared["repeated"] and uploaded))

    async def exec_async(self, prepared: tuple[Session, int, bool]) -> None:
        session, number, posted = prepared
        if posted:
            await self._publisher.remove_draft(session, number)
            log.info("the draft of a cancelled attempt was taken away")

    async def post_async(
        self, shared: Shared, prepared: tuple[Session, int, bool], executed: None
    ) -> None:
        shared |= contract_of(prepared[0])
