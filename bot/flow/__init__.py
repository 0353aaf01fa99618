"""The PocketFlow flow that brings one image from a prompt to a draft.

    GenerateImage -- generated --> UploadImages -- uploaded --> PostDraft -- posted --> OpenReview
    GenerateImage, GiveUp -- recorded --> End
    UploadImages -- expired --> End
    OpenReview -- reviewing --> RestoreDraft
    GenerateImage, UploadImages, PostDraft, GiveUp -- failed --> ReportFailure
    ReportFailure -- reported --> RestoreDraft
    GenerateImage, UploadImages, PostDraft, OpenReview -- cancelled --> RemoveDraft
    ReportFailure, GiveUp -- cancelled --> RemoveDraft
    GiveUp -- generated --> UploadImages

Each run is for one candidate of an attempt. The candidate that is made last goes on, in the same
run, with all images of the attempt. A job that has failed too often starts at `GiveUp`.

The `shared` dict holds the keys of the contract (`task_input`, `stage`, `error_message`,
`input_used_by_process`, `generated_image` in base64, `final_result`) and names the session, the
image and the run: plain data, no live objects. `prep` reads it and the store, `exec` calls outside,
`post` records the result in `shared` and in the store before the next node runs. Where one `exec`
makes several calls, it records between them: `GenerateImage` the paid call and the response id,
through its checkpoint, `UploadImages` each file, `PostDraft` that files were shared. So a run that
is repeated, on any worker, goes on from the last thing recorded. The last action of a run is the
stage that it leaves its session in.

An attempt may be cancelled at any time: every node checks that before it shows something.
"""

from __future__ import annotations

from collections.abc import Callable

from pocketflow import AsyncFlow, AsyncNode

from bot.domain.stages import Stage
from bot.flow.draft import OpenReview, PostDraft, UploadImages
from bot.flow.endings import End, GiveUp, RemoveDraft, ReportFailure, RestoreDraft
from bot.flow.generate import GenerateImage
from bot.flow.shared import Shared, shared_store
from bot.generation.image_copies import ImageCopies
from bot.generation.image_requests import ImageRequests
from bot.generation.recording import NewCheckpoint
from bot.ports import ImageBackend, Publisher, SessionRecords
from bot.progress.draft_refresher import DraftRefresher
from bot.telemetry.context import span
from bot.telemetry.meters import GenerationMeter

__all__ = ["ReviewFlow", "Shared", "shared_store"]


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
        meter: GenerationMeter,
        copies: ImageCopies,
        bot_name: str = "",
    ) -> None:
        generate = GenerateImage(sessions, backend, requests, on_change, new_checkpoint, meter)
        upload = UploadImages(sessions, publisher, bot_name)
        post_draft = PostDraft(sessions, publisher, copies, bot_name)
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
        review - "reviewing" >> restore
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

    async def run(self, shared: Shared, *, give_up: bool = False) -> Stage:
        """Make the candidate that `shared` (see `shared_store`) names, and the draft where it is
        the last one. Returns the stage that the run leaves the session in. `give_up`: no other try,
        and the candidate may be 0, for the attempt as a whole."""
        start = self.give_up if give_up else self.generate
        with span(f"flow {type(start).__name__}"):
            return Stage(await AsyncFlow(start=start).run_async(shared))
