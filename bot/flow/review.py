"""The wiring of the flow."""

from __future__ import annotations

from collections.abc import Callable

from pocketflow import AsyncFlow

from bot.domain.errors import FailureKind
from bot.domain.session import Session
from bot.flow.drafts import Drafts
from bot.flow.generate import GenerateImage
from bot.flow.live_preview import LivePreviews
from bot.flow.paid_calls import PaidCalls
from bot.flow.publish import AwaitFeedback, InReview, PostDraft, RemoveDraft
from bot.flow.report import ReportFailure, RestoreDraft
from bot.flow.requests import Requests
from bot.flow.shared import Shared, shared_store
from bot.flow.upload import UploadImages
from bot.ports import Heartbeats, ImageBackend, Publisher, SessionStore, SlackAccess


class ReviewFlow:
    """From a prompt to a draft that waits for its director, or to a failure that says so.

    `changed` is told a session's id whenever it has come to another step.
    """

    def __init__(
        self,
        sessions: SessionStore,
        backend: ImageBackend,
        publisher: Publisher,
        requests: Requests,
        previews: LivePreviews,
        changed: Callable[[str], None],
        heartbeats: Heartbeats,
        access: SlackAccess,
    ) -> None:
        self._previews = previews
        paid_calls = PaidCalls(sessions, heartbeats, access)
        generate = GenerateImage(sessions, backend, requests, previews, changed, paid_calls)
        upload = UploadImages(sessions, publisher)
        post_draft = PostDraft(sessions, publisher)
        feedback = AwaitFeedback(sessions)
        report = ReportFailure(sessions, publisher)
        remove = RemoveDraft(sessions, publisher)

        generate - "generated" >> upload
        upload - "uploaded" >> post_draft
        post_draft - "posted" >> feedback
        feedback - "reviewing" >> InReview()
        for node in (generate, upload, post_draft):
            node - "failed" >> report
        report - "reported" >> RestoreDraft(Drafts(sessions, publisher))
        for node in (generate, upload, post_draft, feedback, report):
            node - "cancelled" >> remove

        self._flow = AsyncFlow(start=generate)
        self._failure = AsyncFlow(start=report)

    async def run(self, session: Session, *, repeated: bool, runner: str = "") -> Shared:
        """Bring the session's newest attempt on, and answer the shared store as it ended. `runner`
        names the run."""
        shared = shared_store(session, repeated=repeated, runner=runner)
        async with self._previews.showing(session, repeated=repeated):
            await self._flow.run_async(shared)
        return shared

    async def give_up(self, session: Session, kind: FailureKind) -> Shared:
        """Report an attempt as failed without trying again."""
        shared = shared_store(session, repeated=True)
        shared["runner"] = session.latest.runner
        shared["failure"] = {"kind": kind.value, "said": ""}
        async with self._previews.showing(session, repeated=True):
            await self._failure.run_async(shared)
        return shared
