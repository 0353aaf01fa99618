"""The nodes that put a draft up for review, or take one away that nobody wants any more."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import NamedTuple

import pybase64
from pocketflow import AsyncNode

from bot.domain.attempt import ImageRef
from bot.domain.errors import ImageNotReady, Refusal, SlackRefused
from bot.domain.session import Session, with_attempt
from bot.domain.steps import draft_posted
from bot.flow.shared import Shared, in_charge, not_delivered, under_way, was_cancelled
from bot.flow.tracing import TracedNode
from bot.ports import Publisher, SessionStore
from bot.telemetry.metrics import DRAFT_SECONDS

log = logging.getLogger(__name__)


class Draft(NamedTuple):
    """What `exec` needs to show the images. `recorded` is the message that an earlier run posted;
    `images` holds them in base64 by the candidate's number, those that have not expired."""

    session: Session
    number: int
    images: dict[int, str]
    repeated: bool
    recorded: str


class PublishingNode(TracedNode):
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
        return Draft(session, number, shared["images"], shared["repeated"], recorded)

    async def exec_async(self, draft: Draft | None) -> str | SlackRefused | None:
        if draft is None or draft.recorded:
            return draft.recorded if draft else None
        try:
            return await self._post(draft)
        except SlackRefused as error:
            return error

    async def _post(self, draft: Draft) -> str:
        session, number, _, repeated, _ = draft
        try:
            return await self._publisher.post_draft(session, number, repeated=repeated)
        except ImageNotReady:
            if any(c.number not in draft.images for c in session.latest.images):
                raise
        session = await self._share(draft)
        return await self._publisher.post_draft(session, number, repeated=repeated)

    async def _share(self, draft: Draft) -> Session:
        """Show the images as plain files, in their order, and record that they are."""
        session, number = draft.session, draft.number
        for candidate in session.latest.images:
            data = pybase64.b64decode(draft.images[candidate.number])
            await self._publisher.share(session, ImageRef(number, candidate.number), data)
        return await self._sessions.update(
            session.id,
            lambda s: (
                with_attempt(s, replace(s.latest, as_file=True)) if under_way(s, number) else s
            ),
        )

    async def post_async(
        self, shared: Shared, draft: Draft | None, ts: str | SlackRefused | None
    ) -> str:
        if ts is None:
            return "cancelled"
        if isinstance(ts, SlackRefused):
            log.warning("Slack did not take a draft: %s", ts)
            return not_delivered(shared)
        log.info("draft posted")
        shared["message_ts"] = ts
        return "posted"


class AwaitFeedback(TracedNode):
    """The draft is there: from here on it is the person's turn."""

    def __init__(self, sessions: SessionStore) -> None:
        super().__init__()
        self._sessions = sessions

    async def post_async(self, shared: Shared, prepared: None, executed: None) -> str:
        number, ts = shared["attempt"], shared["message_ts"]
        try:
            session = await self._sessions.update(
                shared["session_id"], lambda s: draft_posted(s, number, ts, time.time())
            )
        except Refusal:
            log.info("attempt %s was brought on elsewhere", number)
            return "cancelled"
        DRAFT_SECONDS.observe(max(0.0, session.updated_at - session.attempt(number).queued_at))
        shared["stage"] = session.stage.value
        return "reviewing"


class InReview(AsyncNode):
    """The end of a run that brought a draft."""


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
        shared["stage"] = prepared[0].stage.value
