"""The nodes that make an image and bring it to Slack, where nobody sees it yet."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import pybase64
from opentelemetry.trace import SpanKind
from pocketflow import AsyncNode, AsyncParallelBatchNode

from bot.concurrency import SoftLimit, finish_before_cancel
from bot.domain.attempt import MOST_ASKED, ImageRef
from bot.domain.errors import (
    AskedTooOften,
    FailureKind,
    GenerationError,
    ImagineError,
    NotAsked,
    SlackRefused,
)
from bot.domain.generation import (
    image_expired,
    image_failed,
    image_made,
    leads,
    record_candidate,
    started,
)
from bot.domain.images import GeneratedImage, ImageRequest
from bot.domain.session import Session
from bot.domain.slack_refusals import delivery_failure
from bot.flow.shared import (
    Shared,
    contract_of,
    fail_to_deliver,
    image_of,
    may_show,
    next_action,
)
from bot.generation.image_requests import ImageRequests
from bot.generation.recording import LAST_RECORD_WITHIN, WAIT, NewCheckpoint, RunCheckpoint
from bot.ports import ImageBackend, ImageUploads, SessionRecords
from bot.telemetry.context import log_context, prompt_fields, span

log = logging.getLogger(__name__)

TRIES = 3
"""Tries of one run."""
IN_MEMORY = 12
"""Images that are encoded, or decoded, at a time: each takes several times its size meanwhile."""
SLOT_PATIENCE = 3.0
"""Seconds that an image waits for one of these slots."""

Outcome = GeneratedImage | GenerationError | None
"""None: there was nothing to ask for."""


class PreparedCall(NamedTuple):
    """What `exec` needs: the request, and where it records what comes during the call."""

    request: ImageRequest
    checkpoint: RunCheckpoint


class GenerateImage(AsyncNode):
    """Prompt → the image of one candidate. PocketFlow retries a failure that retrying can mend: no
    other is raised. The candidate that is made last goes on to the draft."""

    def __init__(
        self,
        sessions: SessionRecords,
        backend: ImageBackend,
        requests: ImageRequests,
        on_change: Callable[[str], None],
        new_checkpoint: NewCheckpoint,
    ) -> None:
        super().__init__(max_retries=TRIES, wait=WAIT)
        self._sessions = sessions
        self._backend = backend
        self._requests = requests
        self._on_change = on_change
        self._new_checkpoint = new_checkpoint
        self._slots = SoftLimit(IN_MEMORY, SLOT_PATIENCE)

    async def prep_async(self, shared: Shared) -> PreparedCall | GenerationError | None:
        image, session_id, runner = image_of(shared), shared["session_id"], shared["runner"]
        session = await self._sessions.update(
            session_id, lambda s: started(s, image, runner, time.time())
        )
        shared |= contract_of(session)
        if not leads(session, image, runner):
            return None
        self._on_change(session_id)
        checkpoint = self._new_checkpoint(session_id, image, runner)
        if await checkpoint.is_over(session.latest.candidate(image.candidate)):
            return None
        attempt = session.latest
        is_first = image.candidate == 1  # the prompt is logged once for an attempt
        words = prompt_fields(prompt=attempt.prompt, change=attempt.change) if is_first else {}
        log.info("generating", extra={"of": len(attempt.candidates), **words})
        try:
            request = await self._requests.build(session, shared["task_input"], image, runner)
        except GenerationError as error:
            return error
        return PreparedCall(request, checkpoint)

    async def exec_async(self, prepared: PreparedCall | GenerationError | None) -> Outcome:
        if not isinstance(prepared, PreparedCall):
            return prepared
        request, checkpoint = prepared
        try:
            await checkpoint.wait_for_turn()
            request = replace(request, response_id=checkpoint.response_id)
            with span("provider generate", SpanKind.CLIENT):
                return await self._backend.generate(request, checkpoint)
        except AskedTooOften:
            log.error("asked %s times for an image, and none was recorded", MOST_ASKED)
            return GenerationError(FailureKind.INTERNAL)
        except NotAsked:
            return None
        except GenerationError as error:
            if checkpoint.can_retry(error):
                raise
            return _about_base(request, error)
        except ImagineError:  # the store or Slack is away: nothing was asked for
            raise
        except Exception as error:  # PocketFlow would pay for it three times
            log.error("the image backend broke: %s", type(error).__name__)
            log.debug("where", exc_info=True)
            return GenerationError(FailureKind.INTERNAL)
        finally:
            await checkpoint.close()

    async def exec_fallback_async(
        self, prepared: PreparedCall | GenerationError | None, error: Exception
    ) -> GenerationError:
        """After the last try. An error that is no failure of the generation fails the job."""
        if isinstance(error, GenerationError):
            return error
        raise error

    async def post_async(
        self, shared: Shared, prepared: PreparedCall | GenerationError | None, outcome: Outcome
    ) -> str:
        session_id = shared["session_id"]
        if outcome is None:
            session = await self._sessions.load(session_id)
        else:
            asked_at = prepared.checkpoint.asked_at if isinstance(prepared, PreparedCall) else 0.0
            recording = self._record(shared, outcome, time.monotonic() - asked_at)
            session = await finish_before_cancel(recording, LAST_RECORD_WITHIN)
        self._on_change(session_id)
        return next_action(session, shared)

    async def _record(
        self, shared: Shared, outcome: GeneratedImage | GenerationError, seconds: float
    ) -> Session:
        """The bytes are stored before the session: a candidate that claims an image has one.
        `seconds` is how long the provider took."""
        session_id, image, runner = shared["session_id"], image_of(shared), shared["runner"]
        if isinstance(outcome, GenerationError):
            kind, said = outcome.kind, outcome.said
            log.warning("no image: %s", kind)
            return await self._sessions.update(
                session_id, lambda s: image_failed(s, image, runner, kind, said, time.time())
            )
        async with self._slots.slot():
            encoded = pybase64.b64encode_as_string(outcome.data)
            await self._sessions.keep_image(session_id, image, encoded)
        shared["generated_image"] = encoded
        session = await self._sessions.update(
            session_id, lambda s: image_made(s, image, outcome, time.time())
        )
        sizes = {"width": outcome.width, "height": outcome.height, "bytes": len(outcome.data)}
        log.info("image recorded", extra={**sizes, "seconds": round(seconds, 3)})
        return session


class Upload(NamedTuple):
    """One image that Slack does not have yet. `encoded` is the image in base64 where this run has
    just made it; the others are read from the store one by one."""

    session: Session
    image: ImageRef
    encoded: str


class UploadImages(AsyncParallelBatchNode):
    """Images → files that Slack knows. Each is recorded at once; one that Slack refuses is a
    failure of its candidate, and of the attempt where no other candidate has an image. An image
    whose bytes have expired is made again by a job of its own, which then delivers."""

    def __init__(
        self, sessions: SessionRecords, publisher: ImageUploads, bot_name: str = ""
    ) -> None:
        super().__init__()
        self._sessions = sessions
        self._publisher = publisher
        self._bot_name = bot_name
        self._slots = SoftLimit(IN_MEMORY, SLOT_PATIENCE)

    async def prep_async(self, shared: Shared) -> list[Upload]:
        session, made = await self._sessions.load(shared["session_id"]), image_of(shared)
        if not may_show(session, shared):
            return []
        images = [ImageRef(made.attempt, c.number) for c in session.latest.images if not c.file_id]
        encoded = shared["generated_image"]
        return [Upload(session, image, encoded if image == made else "") for image in images]

    async def exec_async(self, upload: Upload) -> None:
        session, image, encoded = upload
        with log_context(session.id, candidate=image.candidate):
            try:
                async with self._slots.slot():
                    encoded = encoded or await self._sessions.load_image(session.id, image) or ""
                    if not encoded:
                        log.warning("an image expired before Slack had it: it is made again")
                        await self._sessions.update(session.id, lambda s: image_expired(s, image))
                        return
                    data = pybase64.b64decode(encoded)
                    file_id = await self._publisher.upload(session, image, data)
                    del data
            except SlackRefused as error:
                log.warning("Slack did not take an image: %s", error)
                facts: dict[str, Any] = {"failure": delivery_failure(error, session.place)}
            else:
                log.info("image uploaded", extra={"file": file_id})
                facts = {"file_id": file_id}
            await self._sessions.update(session.id, lambda s: record_candidate(s, image, **facts))

    async def exec_fallback_async(self, upload: Upload, error: Exception) -> Exception:
        """An error of one image does not interrupt the others: it is raised after them."""
        return error

    async def post_async(
        self, shared: Shared, uploads: list[Upload], outcomes: list[Exception | None]
    ) -> str:
        for error in filter(None, outcomes):
            raise error
        session = await self._sessions.load(shared["session_id"])
        if not may_show(session, shared):
            waits = leads(session, image_of(shared), shared["runner"])
            return "expired" if waits and not session.latest.delivering else "cancelled"
        if session.latest.images:
            return "uploaded"
        refused = (c.failure for c in session.latest.candidates if c.has_image and c.failure)
        kind = next(refused, FailureKind.NOT_DELIVERED)
        return fail_to_deliver(shared, kind, session, self._bot_name)


def _about_base(request: ImageRequest, error: GenerationError) -> GenerationError:
    """`SOURCE_GONE` as `BASE_GONE` where the image to edit is one of ours, which nobody has any
    more. A person's picture has no response id: it is always sent as it is."""
    ours = request.base is not None and bool(request.base.response_id)
    gone = ours and error.kind is FailureKind.SOURCE_GONE
    return GenerationError(FailureKind.BASE_GONE) if gone else error
