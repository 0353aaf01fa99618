"""The nodes that show an attempt to its director: the upload, the draft, the failure."""

from __future__ import annotations

import base64
import logging
import time
from dataclasses import replace
from typing import NamedTuple

from pocketflow import AsyncNode

from bot.domain.errors import (
    OFFERS_EDIT,
    FailureKind,
    ImageNotReady,
    Refusal,
    SlackRefused,
    SlackUnavailable,
)
from bot.domain.session import Session, attempt_failed, draft_posted, with_attempt
from bot.flow.shared import Shared
from bot.ports import Publisher, SessionStore
from bot.views.words import failure_words

log = logging.getLogger(__name__)


class Draft(NamedTuple):
    """What `exec` needs to show an image. `recorded` is what an earlier run got by the same call;
    `encoded` is the image in base64, empty where it has expired; it is decoded where it is sent."""

    session: Session
    number: int
    encoded: str
    repeated: bool
    recorded: str

    @property
    def image(self) -> bytes:
        return base64.b64decode(self.encoded)


class PublishingNode(AsyncNode):
    """A node that shows something of a session in Slack."""

    def __init__(self, sessions: SessionStore, publisher: Publisher) -> None:
        super().__init__()
        self._sessions = sessions
        self._publisher = publisher


class UploadImage(PublishingNode):
    """Image → a file that Slack knows and nobody sees yet."""

    async def prep_async(self, shared: Shared) -> Draft:
        session = await self._sessions.load(shared["session_id"])
        return _draft(session, shared, session.attempt(shared["attempt"]).file_id)

    async def exec_async(self, draft: Draft) -> str | SlackRefused:
        if draft.recorded:
            return draft.recorded
        try:
            return await self._publisher.upload(draft.session, draft.number, draft.image)
        except SlackRefused as error:
            return error

    async def post_async(self, shared: Shared, draft: Draft, file_id: str | SlackRefused) -> str:
        if isinstance(file_id, SlackRefused):
            return _refused(shared, file_id)

        def uploaded(session: Session) -> Session:
            attempt = session.attempt(draft.number)
            return with_attempt(session, replace(attempt, file_id=attempt.file_id or file_id))

        await self._sessions.update(draft.session.id, uploaded)
        return "uploaded"


class PostDraft(PublishingNode):
    """File → a message in the thread with the buttons to decide."""

    async def prep_async(self, shared: Shared) -> Draft:
        session = await self._sessions.load(shared["session_id"])
        return _draft(session, shared, session.attempt(shared["attempt"]).message_ts)

    async def exec_async(self, draft: Draft) -> str | SlackRefused:
        if draft.recorded:
            return draft.recorded
        try:
            return await self._post(draft)
        except SlackRefused as error:
            return error

    async def _post(self, draft: Draft) -> str:
        session, number, _, repeated, _ = draft
        try:
            return await self._publisher.post_draft(session, number, repeated=repeated)
        except ImageNotReady:
            await self._publisher.share(session, number, draft.image)
        session = await self._sessions.update(
            session.id, lambda s: with_attempt(s, replace(s.attempt(number), as_file=True))
        )
        return await self._publisher.post_draft(session, number, repeated=repeated)

    async def post_async(self, shared: Shared, draft: Draft, ts: str | SlackRefused) -> str:
        if isinstance(ts, SlackRefused):
            return _refused(shared, ts)
        shared["message_ts"] = ts
        return "posted"


class AwaitFeedback(AsyncNode):
    """The draft is there: from here on it is the person's turn."""

    def __init__(self, sessions: SessionStore) -> None:
        super().__init__()
        self._sessions = sessions

    async def post_async(self, shared: Shared, prepared: None, executed: None) -> None:
        number, ts = shared["attempt"], shared["message_ts"]
        try:
            session = await self._sessions.update(
                shared["session_id"], lambda s: draft_posted(s, number, ts, time.time())
            )
        except Refusal:
            log.info("attempt %s of %s was brought on by another run", number, shared["session_id"])
            return
        shared["stage"] = session.stage.value


class Failure(NamedTuple):
    """What `exec` needs to report a failure; `words` is mrkdwn."""

    session: Session
    number: int
    kind: FailureKind
    words: str
    repeated: bool


class ReportFailure(PublishingNode):
    """A failure → words in the thread that say what to do, and the button to do it."""

    async def prep_async(self, shared: Shared) -> Failure:
        session = await self._sessions.load(shared["session_id"])
        kind = FailureKind(shared["failure"]["kind"])
        words = failure_words(kind, said=shared["failure"]["said"])
        return Failure(session, shared["attempt"], kind, words, shared["repeated"])

    async def exec_async(self, failure: Failure) -> str:
        session, number, kind, words, repeated = failure
        if not session.thread_ts:
            await self._publisher.tell_owner(session, words)
            return ""
        try:
            return await self._publisher.post_failure(
                session, number, words, edit_prompt=kind in OFFERS_EDIT, repeated=repeated
            )
        except SlackRefused as error:
            log.warning("a failure could not be shown in its thread: %s", error.code)
            await self._publisher.tell_owner(session, words)
            return ""

    async def post_async(self, shared: Shared, failure: Failure, ts: str) -> str:
        _, number, kind, words, _ = failure
        shared["error_message"] = words
        try:
            session = await self._sessions.update(
                shared["session_id"],
                lambda s: attempt_failed(s, number, kind, words, ts, time.time()),
            )
        except Refusal:
            log.info("the failure of %s was reported by another run", shared["session_id"])
            session = failure.session
        shared["stage"] = session.stage.value
        return "reported"


class RestoreDraft(PublishingNode):
    """After a failure the last good draft, if there is one, is up for review again."""

    async def prep_async(self, shared: Shared) -> Session:
        return await self._sessions.load(shared["session_id"])

    async def exec_async(self, session: Session) -> None:
        draft = session.newest_draft
        if draft is None:
            return
        try:
            await self._publisher.refresh_draft(session, draft.number)
        except (SlackRefused, SlackUnavailable) as error:
            log.warning("a draft's buttons could not be given back: %s", error)


def _draft(session: Session, shared: Shared, recorded: str) -> Draft:
    encoded = shared["generated_image"]
    return Draft(session, shared["attempt"], encoded, shared["repeated"], recorded)


def _refused(shared: Shared, error: SlackRefused) -> str:
    log.warning("Slack did not take an image: %s", error)
    shared["failure"] = {"kind": FailureKind.NOT_DELIVERED.value, "said": ""}
    return "failed"
