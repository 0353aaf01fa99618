"""The node that makes an image."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import pybase64
from opentelemetry.trace import SpanKind
from pocketflow import AsyncNode

from bot.concurrency import SoftLimit, finish_before_cancel
from bot.domain.attempt import MAX_PAID_CALLS, ImageRef
from bot.domain.books import call_ended
from bot.domain.costs import CallOutcome
from bot.domain.errors import ImagineError, PaidCallLimitReached, PaidCallNotMade
from bot.domain.failures import FailureKind, GenerationError
from bot.domain.generation import (
    LOST,
    image_failed,
    image_made,
    is_current_run,
    started,
)
from bot.domain.images import GeneratedImage, ImageRequest
from bot.domain.session import Session
from bot.flow.shared import Shared, contract_of, image_of, next_action
from bot.generation.image_requests import ImageRequests
from bot.generation.recording import LAST_RECORD_WITHIN, NewCheckpoint, RunCheckpoint
from bot.ports import ImageBackend, SessionRecords
from bot.telemetry.context import prompt_fields, span
from bot.telemetry.meters import GenerationMeter

log = logging.getLogger(__name__)

TRIES = 3
"""Tries of one run."""
WAIT = 1.5
"""Seconds between two tries, at the least."""
LONGEST_WAIT = 60.0
"""Seconds; the person is told of the failure where a provider asks for more."""

IN_MEMORY = 12
"""Images that are encoded, or decoded, at a time: each takes several times its size meanwhile."""
SLOT_PATIENCE = 3.0
"""Seconds that an image waits for one of these slots."""

Outcome = GeneratedImage | ImagineError | None
"""None: this run makes no call. Any error but a `GenerationError` fails the job: the store or Slack
is away, and another try of the same run does not mend that."""


class ImageCall(NamedTuple):
    """The input of `GenerateImage.exec`. `checkpoint` records the progress of the call."""

    session: Session
    prompt: str
    image: ImageRef
    run_id: str
    checkpoint: RunCheckpoint


class GenerateImage(AsyncNode):
    """Prompt → the image of one candidate. The candidate that is made last goes on to the draft.

    PocketFlow repeats `exec` for whatever it raises, up to `max_retries` times. So `exec` raises
    only a failure that another try may mend; the fallback turns every other error, and the error of
    the last try, into an outcome, and `post` records it. The provider's Retry-After becomes
    PocketFlow's `wait`, which belongs to one run: a flow runs a copy of each node.
    """

    def __init__(
        self,
        sessions: SessionRecords,
        backend: ImageBackend,
        requests: ImageRequests,
        on_change: Callable[[str], None],
        new_checkpoint: NewCheckpoint,
        meter: GenerationMeter,
    ) -> None:
        super().__init__(max_retries=TRIES, wait=WAIT)
        self._sessions = sessions
        self._backend = backend
        self._requests = requests
        self._on_change = on_change
        self._new_checkpoint = new_checkpoint
        self._meter = meter
        self._slots = SoftLimit(IN_MEMORY, SLOT_PATIENCE)

    async def prep_async(self, shared: Shared) -> ImageCall | None:
        """Record that this run has begun, so that an earlier run of the job stops."""
        image, session_id, run_id = image_of(shared), shared["session_id"], shared["run_id"]
        session = await self._sessions.update(
            session_id, lambda s: started(s, image, run_id, time.time())
        )
        shared |= contract_of(session)
        if not is_current_run(session, image, run_id):
            return None
        self._on_change(session_id)
        checkpoint = self._new_checkpoint(session_id, image, run_id)
        if await checkpoint.is_over(session.latest.candidate(image.candidate)):
            return None
        attempt = session.latest
        is_first = image.candidate == 1  # the prompt is logged once for an attempt
        words = prompt_fields(prompt=attempt.prompt, change=attempt.change) if is_first else {}
        log.info("generating", extra={"of": len(attempt.candidates), **words})
        return ImageCall(session, shared["task_input"], image, run_id, checkpoint)

    async def exec_async(self, call: ImageCall | None) -> Outcome:
        """Read the image to edit, if there is one, and make the paid call. The checkpoint records
        the call and the response id meanwhile."""
        if call is None:
            return None
        try:
            session, prompt, image, run_id, _ = call
            request = await self._requests.build(session, prompt, image, run_id)
            try:
                return await self._generate(request, call.checkpoint)
            except GenerationError as error:
                if not _is_forgotten(request, error):
                    raise
            log.info("the provider has forgotten the image to edit: Slack is asked for its copy")
            request = await self._requests.from_slack_alone(session, request)
            return await self._generate(request, call.checkpoint)
        except ImagineError as error:
            if self._may_retry(error, call.checkpoint):
                await call.checkpoint.record_unpaid_end()
                raise
            return await self.exec_fallback_async(call, error)
        finally:
            await call.checkpoint.close()

    async def exec_fallback_async(self, call: ImageCall | None, error: Exception) -> Outcome:
        match error:
            case PaidCallLimitReached():
                log.error("asked %s times for an image, and none was recorded", MAX_PAID_CALLS)
                return GenerationError(FailureKind.INTERNAL)
            case PaidCallNotMade():
                return None
            case ImagineError():
                return error
        raise error

    async def _generate(self, request: ImageRequest, checkpoint: RunCheckpoint) -> GeneratedImage:
        await checkpoint.wait_for_turn()
        request = replace(request, response_id=checkpoint.response_id)
        try:
            with span("provider generate", SpanKind.CLIENT), self._meter.measure():
                return await self._backend.generate(request, checkpoint)
        except GenerationError as error:
            checkpoint.call_ended(error.usage, may_be_paid=error.may_be_paid)
            raise _about_base(request, error) from None
        except ImagineError:
            raise
        except Exception as error:  # PocketFlow would pay for it three times
            log.error("the image backend broke: %s", type(error).__name__)
            log.debug("where", exc_info=True)
            raise GenerationError(FailureKind.INTERNAL) from None

    def _may_retry(self, error: ImagineError, checkpoint: RunCheckpoint) -> bool:
        """Whether another try may mend the error; sets PocketFlow's `wait` before that try."""
        if not (isinstance(error, GenerationError) and error.retryable and checkpoint.may_call):
            return False
        self.wait = max(WAIT, error.retry_after or 0.0)
        if self.wait > LONGEST_WAIT:
            return False
        log.warning("a try brought no image: %s", error.kind)
        return True

    async def post_async(self, shared: Shared, call: ImageCall | None, outcome: Outcome) -> str:
        session_id = shared["session_id"]
        if outcome is None:
            session = await self._sessions.load(session_id)
        elif isinstance(outcome, GeneratedImage | GenerationError):
            asked_at = call.checkpoint.asked_at if call else 0.0
            recording = self._record(shared, call, outcome, time.monotonic() - asked_at)
            session = await finish_before_cancel(recording, LAST_RECORD_WITHIN)
        else:
            raise outcome
        self._on_change(session_id)
        return next_action(session, shared)

    async def _record(
        self,
        shared: Shared,
        call: ImageCall | None,
        outcome: GeneratedImage | GenerationError,
        seconds: float,
    ) -> Session:
        """The bytes are stored before the session: a candidate that claims an image has one. What
        the call cost is recorded with its image or its failure. `seconds` is how long the provider
        took."""
        number, end = _end_of(call, outcome)
        session_id, image, run_id = shared["session_id"], image_of(shared), shared["run_id"]
        if isinstance(outcome, GenerationError):
            kind, said, details = outcome.kind, outcome.said, outcome.details
            log.warning("no image: %s", kind)
            return await self._sessions.update(
                session_id,
                lambda s: call_ended(
                    image_failed(s, image, run_id, kind, said, time.time(), details),
                    image,
                    number,
                    end,
                ),
            )
        async with self._slots.slot():
            encoded = pybase64.b64encode_as_string(outcome.data)
            await self._sessions.keep_image(session_id, image, encoded)
        shared["generated_image"] = encoded
        session = await self._sessions.update(
            session_id,
            lambda s: call_ended(image_made(s, image, outcome, time.time()), image, number, end),
        )
        sizes = {"width": outcome.width, "height": outcome.height, "bytes": len(outcome.data)}
        log.info("image recorded", extra={**sizes, "seconds": round(seconds, 3)})
        return session


def _is_forgotten(request: ImageRequest, error: GenerationError) -> bool:
    """Whether the image to edit was named to the provider by its id alone, which is not known."""
    named = request.base is not None and not request.base.data
    return named and error.kind is FailureKind.BASE_GONE


def _end_of(
    call: ImageCall | None, outcome: GeneratedImage | GenerationError
) -> tuple[int, CallOutcome]:
    """The number of the call that brought the outcome, 0 for none, and how it ended."""
    if call is None:
        return 0, LOST
    checkpoint = call.checkpoint
    if isinstance(outcome, GenerationError):
        return checkpoint.call_number, checkpoint.last_end
    end = checkpoint.ends.of(outcome.usage, may_be_paid=True, model=outcome.model)
    return checkpoint.call_number, end


def _about_base(request: ImageRequest, error: GenerationError) -> GenerationError:
    """Turns `SOURCE_GONE` into `BASE_GONE` where the image to edit is one of ours. A person's
    picture has no response id, because its bytes are always sent."""
    ours = request.base is not None and bool(request.base.response_id)
    gone = ours and error.kind is FailureKind.SOURCE_GONE
    return GenerationError(FailureKind.BASE_GONE) if gone else error
