"""The nodes that end a run: they report a failure, remove a draft, or do nothing."""

from __future__ import annotations

import logging
import time
from typing import NamedTuple

from pocketflow import AsyncNode

from bot.domain.errors import NoLongerOwed, SlackRefused, SlackUnavailable
from bot.domain.failures import FAILS_AGAIN, FailureKind
from bot.domain.generation import (
    attempt_failed,
    image_failed,
    is_delivery_run,
    started,
    was_cancelled,
)
from bot.domain.refusals import Refusal
from bot.domain.session import Session
from bot.flow.shared import Shared, contract_of, ended, fail, image_of, next_action
from bot.ports import DraftMessages, FailureMessages, SessionRecords, StillOwed
from bot.progress.draft_refresher import DraftRefresher
from bot.work_slots import lend_slot

log = logging.getLogger(__name__)


class End(AsyncNode):
    """The end of a run: other jobs still make candidates. PocketFlow
    warns of an action without a successor, so these actions lead here."""

    async def post_async(self, shared: Shared, prepared: None, executed: None) -> str:
        return ended(shared)


class GiveUp(AsyncNode):
    """A job that failed too often → the failure of its candidate, without another try. Where its
    candidate delivers already, or the job is about the attempt as a whole, the attempt failed."""

    def __init__(self, sessions: SessionRecords) -> None:
        super().__init__()
        self._sessions = sessions

    async def post_async(self, shared: Shared, prepared: None, executed: None) -> str:
        if not shared["candidate"]:
            return fail(shared, FailureKind.INTERNAL)
        session_id, image, run_id = shared["session_id"], image_of(shared), shared["run_id"]
        session = await self._sessions.update(
            session_id, lambda s: started(s, image, run_id, time.time())
        )
        if is_delivery_run(session, image_of(shared), shared["run_id"]):
            return fail(shared, FailureKind.INTERNAL)
        session = await self._sessions.update(
            session_id,
            lambda s: image_failed(s, image, run_id, FailureKind.INTERNAL, "", time.time()),
        )
        action = next_action(session, shared)
        return fail(shared, FailureKind.INTERNAL) if action == "failed" else action


class Failure(NamedTuple):
    """The input of `ReportFailure.exec`; `words` is mrkdwn."""

    session: Session
    number: int
    kind: FailureKind
    words: str
    repeated: bool
    still_owed: StillOwed


class ReportFailure(AsyncNode):
    """A failure → a message in the thread that says what to do, with the buttons to do it."""

    def __init__(self, sessions: SessionRecords, publisher: FailureMessages) -> None:
        super().__init__()
        self._sessions = sessions
        self._publisher = publisher

    async def prep_async(self, shared: Shared) -> Failure | None:
        session, number = await self._sessions.load(shared["session_id"]), shared["attempt"]
        image, run_id = image_of(shared), shared["run_id"]
        if not is_delivery_run(session, image, run_id):
            return None

        async def still_owed() -> bool:
            return is_delivery_run(await self._sessions.load(session.id), image, run_id)

        kind, words = FailureKind(shared["failure"]), shared["error_message"]
        return Failure(session, number, kind, words, shared["repeated"], still_owed)

    async def exec_async(self, failure: Failure | None) -> str | None:
        """Answer the `ts`, which is empty for words in private; None where nothing is owed."""
        if failure is None:
            return None
        session, number, kind, words, repeated, still_owed = failure
        if session.thread_ts:
            try:
                return await self._publisher.post_failure(
                    session,
                    number,
                    words,
                    try_again=kind not in FAILS_AGAIN,
                    repeated=repeated,
                    still_owed=still_owed,
                )
            except NoLongerOwed:
                return None
        await self._publisher.tell_owner(session, words)
        return ""

    async def exec_fallback_async(self, failure: Failure | None, error: Exception) -> str:
        """Tell the owner in private where Slack refuses the message in the thread."""
        if failure is None or not isinstance(error, SlackRefused):
            raise error
        log.warning("a failure could not be shown in its thread: %s", error.code)
        await self._publisher.tell_owner(
            failure.session,
            failure.words,
            failed=failure.number,
            try_again=failure.kind not in FAILS_AGAIN,
        )
        return ""

    async def post_async(self, shared: Shared, failure: Failure | None, ts: str | None) -> str:
        if failure is None or ts is None:
            return "cancelled"
        number, kind, words = failure.number, failure.kind, failure.words
        try:
            session = await self._sessions.update(
                shared["session_id"],
                lambda s: attempt_failed(s, number, kind, words, ts, time.time()),
            )
        except Refusal:
            log.info("attempt %s was ended by another run", number)
            return "cancelled"
        level = logging.ERROR if kind is FailureKind.INTERNAL else logging.WARNING
        log.log(level, "attempt %s failed: %s", number, kind)
        shared |= contract_of(session)
        return "reported"


class RestoreDraft(AsyncNode):
    """After a draft or a failure, the earlier drafts get the buttons that work now. That may have
    to wait for Slack, and no other image waits for it."""

    def __init__(self, drafts: DraftRefresher) -> None:
        super().__init__()
        self._drafts = drafts

    async def prep_async(self, shared: Shared) -> tuple[str, int]:
        lend_slot()
        return shared["session_id"], shared["attempt"]

    async def exec_async(self, attempt: tuple[str, int]) -> None:
        session_id, number = attempt
        await self._drafts.refresh(session_id, before=number)

    async def exec_fallback_async(self, attempt: tuple[str, int], error: Exception) -> None:
        """A draft without its buttons does not fail the job."""
        if not isinstance(error, SlackUnavailable):
            raise error
        log.warning("a draft's buttons could not be restored: %s", error)

    async def post_async(self, shared: Shared, attempt: tuple[str, int], executed: None) -> str:
        return ended(shared)


class RemoveDraft(AsyncNode):
    """After a cancellation: the node removes a draft that was posted meanwhile. It is also the end
    of a run whose candidate a later run has taken over."""

    def __init__(self, sessions: SessionRecords, publisher: DraftMessages) -> None:
        super().__init__()
        self._sessions = sessions
        self._publisher = publisher

    async def prep_async(self, shared: Shared) -> tuple[Session, int, bool]:
        session, number = await self._sessions.load(shared["session_id"]), shared["attempt"]
        if not was_cancelled(session, number):
            return session, number, False  # another run went on with it
        uploaded = any(c.file_id for c in session.attempt(number).candidates)
        return session, number, bool(shared["message_ts"] or (shared["repeated"] and uploaded))

    async def exec_async(self, prepared: tuple[Session, int, bool]) -> None:
        session, number, posted = prepared
        if posted:
            await self._publisher.remove_draft(session, number)
            log.info("the draft of a cancelled attempt was taken away")

    async def post_async(
        self, shared: Shared, prepared: tuple[Session, int, bool], executed: None
    ) -> str:
        shared |= contract_of(prepared[0])
        return ended(shared)
