"""`GenerateImage`: the node that asks for an attempt's images, and owns the retries."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pybase64
from pocketflow import AsyncParallelBatchNode

from bot.domain.attempt import MOST_ASKED, Candidate, ImageRef
from bot.domain.errors import (
    AskedTooOften,
    FailureKind,
    GenerationError,
    NotAsked,
    SlackShutOut,
    StoreUnavailable,
)
from bot.domain.images import GeneratedImage, ImageRequest
from bot.domain.session import Session
from bot.flow.live_preview import LivePreviews
from bot.flow.paid_calls import PaidCalls
from bot.flow.plan import TRIES, Plan, facts_of, generated, most_telling, request_id, started
from bot.flow.requests import Requests
from bot.flow.shared import Shared, in_charge, noted, under_way
from bot.flow.tracing import TracedNode
from bot.flow.waiting import finished, given_time, unwound
from bot.ports import ImageBackend, SessionStore
from bot.tasks import end
from bot.telemetry.context import about
from bot.telemetry.logs import typed
from bot.telemetry.tracing import Kind, span
from bot.turns import Turns

log = logging.getLogger(__name__)

RECORDED_AT_ONCE = 12
"""Images on their way into the store; each takes several times its size meanwhile."""
WAIT_FOR_TURN = 3.0
"""Seconds."""
NOTED_WITHIN = 1.0
"""Seconds that a generation waits for its response's id to be recorded."""
_FIRST_WAIT = 1.0
_LONGEST_WAIT = 60.0
"""Seconds; a provider that asks for more is reported to the person instead."""


class GenerateImage(TracedNode, AsyncParallelBatchNode):
    """Prompt → the candidates' images, each recorded as it comes. A failure that retrying can mend
    is raised, so that PocketFlow retries it; any other is recorded with its candidate."""

    def __init__(
        self,
        sessions: SessionStore,
        backend: ImageBackend,
        requests: Requests,
        previews: LivePreviews,
        changed: Callable[[str], None],
        paid_calls: PaidCalls,
    ) -> None:
        super().__init__(max_retries=TRIES)
        self._sessions = sessions
        self._backend = backend
        self._requests = requests
        self._previews = previews
        self._changed = changed
        self._paid_calls = paid_calls
        self._turns = Turns(RECORDED_AT_ONCE, WAIT_FOR_TURN)

    async def prep_async(self, shared: Shared) -> list[Plan]:
        number = shared["attempt"]
        session = await self._sessions.update(
            shared["session_id"], lambda s: started(s, number, shared["runner"])
        )
        if not under_way(session, number):
            return []
        self._changed(session.id)
        candidates = session.latest.candidates
        kept = {c.number: await self._kept(session, c) for c in candidates}
        missing = {c.number for c in candidates if not (c.failure or c.file_id or kept[c.number])}
        _log_start(session, len(missing))
        request, failure = ImageRequest(session.latest.prompt, number), None
        if missing:
            request, failure = await self._request(session, request)
        return [
            Plan(
                session.id,
                replace(
                    request,
                    candidate=c.number,
                    response_id=c.response_id,
                    request_id=request_id(session.id, ImageRef(number, c.number)),
                ),
                shared["runner"],
                kept[c.number],
                settled=c.number not in missing,
                failure=failure,
            )
            for c in candidates
        ]

    async def _kept(self, session: Session, candidate: Candidate) -> str:
        """The image in base64 where an earlier run got that far."""
        if not candidate.deliverable:
            return ""
        ref = ImageRef(session.latest.number, candidate.number)
        return await self._sessions.load_image(session.id, ref) or ""

    async def _request(
        self, session: Session, blank: ImageRequest
    ) -> tuple[ImageRequest, GenerationError | None]:
        try:
            return await self._requests.of(session, session.latest), None
        except GenerationError as error:
            return blank, error

    async def _exec(self, plans: list[Plan]) -> list[Exception | None]:
        """PocketFlow lets go of the other candidates when the run is cancelled. What they still
        have to record is needed by whoever comes next, so they are waited for."""
        try:
            outcomes: list[Exception | None] = await super()._exec(plans)
        except asyncio.CancelledError:
            await unwound([plan.task for plan in plans if plan.task])
            raise
        return outcomes

    async def exec_async(self, plan: Plan) -> None:
        plan.task = asyncio.current_task()
        if plan.settled:
            return
        with about(plan.session_id, attempt=plan.ref.attempt, candidate=plan.ref.candidate):
            try:
                if plan.image is None and plan.failure is None:
                    await self._ask(plan)
                if not plan.settled:
                    await finished(self._record(plan))
            except asyncio.CancelledError:
                await given_time(plan.noting)
                raise
            if plan.noting is not None:
                await end(plan.noting)

    async def exec_fallback_async(self, plan: Plan, error: Exception) -> Exception:
        """An error of one is not to interrupt the others: it is raised when they are done."""
        return error

    async def _ask(self, plan: Plan) -> None:
        await asyncio.sleep(max(0.0, plan.not_before - time.monotonic()))
        plan.tries += 1
        try:
            await self._paid_calls.wait_for_others(plan)
            began = time.monotonic()
            with span("provider generate", Kind.CLIENT, tries=plan.tries):
                plan.image = await self._generate(plan)
            plan.seconds = time.monotonic() - began
        except AskedTooOften:
            log.error("asked %s times for an image, and none was recorded", MOST_ASKED)
            plan.failure = GenerationError(FailureKind.INTERNAL)
        except NotAsked:
            plan.settled = True
        except GenerationError as error:
            too_long = (error.retry_after or 0.0) > _LONGEST_WAIT
            if error.retryable and not too_long and plan.may_ask_again:
                wait = error.retry_after or _FIRST_WAIT * 2 ** (plan.tries - 1)
                plan.not_before = time.monotonic() + wait
                log.warning("no image yet: %s, asking again in %.1f s", error.kind, wait)
                raise
            plan.failure = _of_base(plan.request, error)
        except (StoreUnavailable, SlackShutOut):
            raise
        except Exception as error:  # PocketFlow would pay for it three times
            log.error("the image backend broke: %s", type(error).__name__)
            log.debug("where", exc_info=True)
            plan.failure = GenerationError(FailureKind.INTERNAL)

    async def _generate(self, plan: Plan) -> GeneratedImage:
        return await self._backend.generate(
            plan.request,
            lambda response_id: self._keep_id(plan, response_id),
            lambda partial: self._previews.offer(plan.session_id, plan.ref.attempt, partial),
            lambda: self._paid_calls.count(plan),
        )

    async def _keep_id(self, plan: Plan, response_id: str) -> None:
        """Record the provider's id at once: it is what a repeated run pays nothing by. A store
        that does not take it does not keep the image back: the writing goes on beside."""
        plan.request = replace(plan.request, response_id=response_id)
        log.info("the provider works on it", extra={"response": response_id})
        if plan.noting is not None:
            await end(plan.noting)
        plan.noting = asyncio.create_task(
            self._sessions.update(
                plan.session_id, lambda s: noted(s, plan.ref, response_id=response_id)
            )
        )
        await asyncio.wait({plan.noting}, timeout=NOTED_WITHIN)

    async def _record(self, plan: Plan) -> None:
        """The bytes first: a candidate that claims an image has one."""
        facts: dict[str, Any] = {"failure": plan.failure.kind if plan.failure else None}
        size = len(plan.image.data) if plan.image else 0
        if plan.image is not None:
            async with self._turns.one():
                plan.encoded = plan.encoded or pybase64.b64encode_as_string(plan.image.data)
                plan.image = replace(plan.image, data=b"")  # held once, however long that takes
                await self._sessions.keep_image(plan.session_id, plan.ref, plan.encoded)
            facts = facts_of(plan.image)
        now = time.time()
        await self._sessions.update(
            plan.session_id,
            lambda s: generated(noted(s, plan.ref, **facts), plan.ref.attempt, now),
        )
        plan.settled = True
        _log_outcome(plan, size)
        plan.image = None
        self._changed(plan.session_id)

    async def post_async(
        self, shared: Shared, plans: list[Plan], outcomes: list[Exception | None]
    ) -> str:
        number = shared["attempt"]
        for error in filter(None, outcomes):
            raise error
        self._previews.stop(shared["session_id"], number)
        now = time.time()
        session = await self._sessions.update(
            shared["session_id"], lambda s: generated(s, number, now)
        )
        if not in_charge(session, shared):
            return "cancelled"
        images = session.latest.images
        if not images:
            shared["failure"] = most_telling(session.latest, plans)
            return "failed"
        shared["images"] = {plan.ref.candidate: plan.encoded for plan in plans if plan.encoded}
        shared["generated_image"] = shared["images"].get(images[0].number, "")
        shared["input_used_by_process"] = session.input_used_by_process
        return "generated"


def _log_start(session: Session, missing: int) -> None:
    attempt = session.latest
    asked = typed(prompt=attempt.prompt, change=attempt.change)
    log.info("generating", extra={"images": missing, "of": len(attempt.candidates), **asked})


def _log_outcome(plan: Plan, size: int) -> None:
    image = plan.image
    if image is None:
        log.warning("no image: %s", plan.failure.kind if plan.failure else FailureKind.INTERNAL)
        return
    sizes = {"width": image.width, "height": image.height, "bytes": size}
    log.info("image recorded", extra={**sizes, "seconds": round(plan.seconds, 3)})


def _of_base(request: ImageRequest, error: GenerationError) -> GenerationError:
    """An image of ours that nobody has any more is told apart from a person's picture, which is
    always sent as it is."""
    ours = request.base is not None and bool(request.base.response_id)
    gone = ours and error.kind is FailureKind.SOURCE_GONE
    return GenerationError(FailureKind.BASE_GONE) if gone else error
