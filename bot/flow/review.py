"""The wiring of the flow."""

from __future__ import annotations

from collections.abc import Callable

from pocketflow import AsyncFlow

from bot.domain.errors import FailureKind
from bot.domain.session import Session
from bot.flow.generate import GenerateImage
from bot.flow.publish import AwaitFeedback, PostDraft, ReportFailure, RestoreDraft, UploadImage
from bot.flow.shared import Shared, shared_store
from bot.ports import ImageBackend, Publisher, SessionStore


class ReviewFlow:
    """From a prompt to a draft that waits for its director, or to a failure that says so.

    `changed` is told a session's id whenever it has come to another step.
    """

    def __init__(
        self,
        sessions: SessionStore,
        backend: ImageBackend,
        publisher: Publisher,
        changed: Callable[[str], None],
    ) -> None:
        generate = GenerateImage(sessions, backend, changed)
        upload = UploadImage(sessions, publisher)
        post_draft = PostDraft(sessions, publisher)
        report = ReportFailure(sessions, publisher)

        generate - "generated" >> upload
        upload - "uploaded" >> post_draft
        post_draft - "posted" >> AwaitFeedback(sessions)
        for node in (generate, upload, post_draft):
            node - "failed" >> report
        report - "reported" >> RestoreDraft(sessions, publisher)

        self._flow = AsyncFlow(start=generate)
        self._failure = AsyncFlow(start=report)

    async def run(self, session: Session, *, repeated: bool) -> Shared:
        """Bring the session's newest attempt on, and answer the shared store as it ended."""
        shared = shared_store(session, repeated=repeated)
        await self._flow.run_async(shared)
        return shared

    async def give_up(self, session: Session, kind: FailureKind) -> Shared:
        """Report an attempt as failed without trying again."""
        shared = shared_store(session, repeated=True)
        shared["failure"] = {"kind": kind.value, "said": ""}
        await self._failure.run_async(shared)
        return shared
