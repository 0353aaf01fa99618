"""The wiring of the flow."""

from __future__ import annotations

import time
from collections.abc import Callable

from pocketflow import AsyncFlow, AsyncNode

from bot.domain.errors import FailureKind
from bot.domain.generation import image_failed, started
from bot.domain.session import Session
from bot.flow.generate import GenerateImage
from bot.flow.publish import InReview, OpenReview, OthersGoOn, PostDraft, RemoveDraft
from bot.flow.report import ReportFailure, RestoreDraft
from bot.flow.shared import Shared, fail, image_of, in_charge, shared_store
from bot.flow.upload import UploadImages
from bot.generation.checkpoint import Checkpoints
from bot.generation.image_requests import Requests
from bot.ports import ImageBackend, Publisher, SessionStore
from bot.progress.draft_refresher import Drafts
from bot.telemetry.tracing import span


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
        changed: Callable[[str], None],
        checkpoints: Checkpoints,
    ) -> None:
        self._sessions = sessions
        generate = GenerateImage(sessions, backend, requests, changed, checkpoints)
        upload = UploadImages(sessions, publisher)
        post_draft = PostDraft(sessions, publisher)
        review = OpenReview(sessions)
        report = ReportFailure(sessions, publisher)
        remove = RemoveDraft(sessions, publisher)

        generate - "generated" >> upload
        upload - "uploaded" >> post_draft
        post_draft - "posted" >> review
        review - "reviewing" >> InReview()
        others = OthersGoOn()
        generate - "recorded" >> others
        upload - "expired" >> others
        for node in (generate, upload, post_draft):
            node - "failed" >> report
        report - "reported" >> RestoreDraft(Drafts(sessions, publisher))
        for node in (generate, upload, post_draft, review, report):
            node - "cancelled" >> remove

        self.start = generate
        self._upload = upload
        self._report = report

    async def run(
        self, session: Session, candidate: int, *, repeated: bool, runner: str = ""
    ) -> Shared:
        """Bring a candidate of the newest attempt on, and answer the shared store as it ended.
        `runner` names the run."""
        return await _run(
            self.start, shared_store(session, candidate, repeated=repeated, runner=runner)
        )

    async def give_up(self, session: Session, candidate: int, kind: FailureKind) -> Shared:
        """Record that a candidate failed, without trying again, and go on with the others; where
        it delivers already, or it is 0, report that the attempt failed."""
        shared = shared_store(session, candidate, repeated=True)
        if not candidate:
            return await self._report_failure(shared, kind)
        image, runner = image_of(shared), shared["runner"]
        delivered_before = session.latest.delivering == candidate
        session = await self._sessions.update(
            session.id,
            lambda s: (
                image_failed(started(s, image, runner, time.time()), image, kind, "", time.time())
                if not delivered_before
                else started(s, image, runner, time.time())
            ),
        )
        if not in_charge(session, shared):
            return shared
        if delivered_before or not session.latest.images:
            return await self._report_failure(shared, kind)
        shared["input_used_by_process"] = session.latest.prompt
        return await _run(self._upload, shared)

    async def _report_failure(self, shared: Shared, kind: FailureKind) -> Shared:
        fail(shared, kind)
        return await _run(self._report, shared)


async def _run(start: AsyncNode, shared: Shared) -> Shared:
    with span(f"flow {type(start).__name__}"):
        await AsyncFlow(start=start).run_async(shared)
    return shared
