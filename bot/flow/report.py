"""The nodes of an attempt that brought no draft: what is said, and what is up for review again."""

from __future__ import annotations

import logging
import time
from typing import NamedTuple

from pocketflow import AsyncNode

from bot.domain.errors import OFFERS_EDIT, FailureKind, Refusal, SlackRefused, SlackUnavailable
from bot.domain.session import Session
from bot.domain.steps import attempt_failed
from bot.flow.messages import PublishingNode
from bot.flow.shared import Shared, contract_of, in_charge
from bot.progress.draft_refresher import Drafts

log = logging.getLogger(__name__)


class Failure(NamedTuple):
    """What `exec` needs to report a failure; `words` is mrkdwn."""

    session: Session
    number: int
    kind: FailureKind
    words: str
    repeated: bool


class ReportFailure(PublishingNode):
    """A failure → words in the thread that say what to do, and the button to do it."""

    async def prep_async(self, shared: Shared) -> Failure | None:
        session, number = await self._sessions.load(shared["session_id"]), shared["attempt"]
        if not in_charge(session, shared):
            return None
        kind, words = FailureKind(shared["failure"]), shared["error_message"]
        return Failure(session, number, kind, words, shared["repeated"])

    async def exec_async(self, failure: Failure | None) -> str:
        if failure is None:
            return ""
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

    async def post_async(self, shared: Shared, failure: Failure | None, ts: str) -> str:
        if failure is None:
            return "cancelled"
        _, number, kind, words, _ = failure
        try:
            session = await self._sessions.update(
                shared["session_id"],
                lambda s: attempt_failed(s, number, kind, words, ts, time.time()),
            )
        except Refusal:
            log.info("attempt %s was brought on elsewhere", number)
            return "cancelled"
        level = logging.ERROR if kind is FailureKind.INTERNAL else logging.WARNING
        log.log(level, "attempt %s failed: %s", number, kind)
        shared |= contract_of(session)
        return "reported"


class RestoreDraft(AsyncNode):
    """After a failure the last good draft, if there is one, is up for review again."""

    def __init__(self, drafts: Drafts) -> None:
        super().__init__()
        self._drafts = drafts

    async def prep_async(self, shared: Shared) -> str:
        session_id: str = shared["session_id"]
        return session_id

    async def exec_async(self, session_id: str) -> None:
        try:
            await self._drafts.refresh(session_id)
        except SlackUnavailable as error:
            log.warning("a draft's buttons could not be given back: %s", error)
