"""The wiring of the flow."""

from __future__ import annotations

from collections.abc import Callable

from pocketflow import AsyncFlow, AsyncNode

from bot.domain.session import Session
from bot.flow.images import GenerateImage, UploadImages
from bot.flow.messages import (
    End,
    GiveUp,
    OpenReview,
    PostDraft,
    RemoveDraft,
    ReportFailure,
    RestoreDraft,
)
from bot.flow.shared import Shared, shared_store
from bot.generation.image_requests import ImageRequests
from bot.generation.recording import NewCheckpoint
from bot.ports import ImageBackend, Publisher, SessionRecords
from bot.progress.session_messages import DraftRefresher
from bot.telemetry.context import span


class ReviewFlow:
    """From a prompt to a draft that waits for its director, or to a failure that says so.

    `on_change` is called with a session's id at each step.
    """

    def __init__(
        self,
        sessions: SessionRecords,
        backend: ImageBackend,
        publisher: Publisher,
        requests: ImageRequests,
        on_change: Callable[[str], None],
        new_checkpoint: NewCheckpoint,
        bot_name: str = "",
    ) -> None:
        generate = GenerateImage(sessions, backend, requests, on_change, new_checkpoint)
        upload = UploadImages(sessions, publisher, bot_name)
        post_draft = PostDraft(sessions, publisher, bot_name)
        review = OpenReview(sessions)
        give_up = GiveUp(sessions)
        report = ReportFailure(sessions, publisher)
        restore = RestoreDraft(DraftRefresher(sessions, publisher))
        remove = RemoveDraft(sessions, publisher)
        end = End()

        generate - "generated" >> upload
        upload - "uploaded" >> post_draft
        upload - "expired" >> end
        post_draft - "posted" >> review
        review - "reviewing" >> end
        give_up - "generated" >> upload
        for node in (generate, give_up):
            node - "recorded" >> end
        for node in (generate, upload, post_draft, give_up):
            node - "failed" >> report
        report - "reported" >> restore
        for node in (generate, upload, post_draft, review, report, give_up):
            node - "cancelled" >> remove

        self.generate: AsyncNode = generate
        self.give_up: AsyncNode = give_up

    async def run(
        self,
        session: Session,
        candidate: int,
        *,
        repeated: bool,
        runner: str = "",
        give_up: bool = False,
    ) -> Shared:
        """Make one candidate of the newest attempt, and the draft where it is the last one.
        `runner` names the run. `give_up`: no other try; `candidate` may be 0 then, for the attempt
        as a whole. Returns the shared store as it is at the end."""
        start = self.give_up if give_up else self.generate
        shared = shared_store(session, candidate, repeated=repeated, runner=runner)
        with span(f"flow {type(start).__name__}"):
            await AsyncFlow(start=start).run_async(shared)
        return shared
