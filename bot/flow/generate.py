"""`GenerateImage`: the node that asks for one image."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import pybase64
from pocketflow import AsyncNode

from bot.concurrency import SoftLimit, finish_before_cancel
from bot.domain.attempt import MOST_ASKED
from bot.domain.errors import AskedTooOften, FailureKind, GenerationError, ImagineError, NotAsked
from bot.domain.generation import (
    image_failed,
    image_made,
    leads,
    most_telling_failure,
    started,
)
from bot.domain.images import GeneratedImage, ImageRequest
from bot.domain.session import Session
from bot.flow.shared import Shared, contract_of, fail, image_of, in_charge
from bot.generation.checkpoint import (
    LAST_RECORD_WITHIN,
    WAIT,
    Checkpoints,
    RunCheckpoint,
)
from bot.generation.image_requests import Requests
from bot.ports import ImageBackend, SessionStore
from bot.telemetry.logs import typed
from bot.telemetry.tracing import Kind, span

log = logging.getLogger(__name__)

TRIES = 3
"""Of one run."""
RECORDED_AT_ONCE = 12
"""Images on their way into the store; each takes several times its size meanwhile."""
WAIT_FOR_TURN = 3.0
"""Seconds."""

Outcome = GeneratedImage | GenerationError | None
"""None: there was nothing to ask for."""


class Asked(NamedTuple):
    """What `exec` needs: the request, and where it records what comes during the call."""

    request: ImageRequest
    checkpoint: RunCheckpoint


class GenerateImage(AsyncNode):
    """Prompt → the image of one candidate. PocketFlow retries what is raised: only a failure that
    retrying can mend is. The candidate that is made last goes on to the draft."""

    def __init__(
        self,
        sessions: SessionStore,
        backend: ImageBackend,
        requests: Requests,
        changed: Callable[[str], None],
        checkpoints: Checkpoints,
    ) -> None:
        super().__init__(max_retries=TRIES, wait=WAIT)
        self._sessions = sessions
        self._backend = backend
        self._requests = requests
        self._changed = changed
        self._checkpoints = checkpoints
        self._limit = SoftLimit(RECORDED_AT_ONCE, WAIT_FOR_TURN)

    async def prep_async(self, shared: Shared) -> Asked | GenerationError | None:
        image, session_id, runner = image_of(shared), shared["session_id"], shared["runner"]
        session = await self._sessions.update(
            session_id, lambda s: started(s, image, runner, time.time())
        )
        shared |= contract_of(session)
        if not leads(session, image, runner):
            return None
        self._changed(session_id)
        candidate = session.latest.candidate(image.candidate)
        checkpoint = self._checkpoints.of(session_id, image, runner)
        if await checkpoint.has_come(candidate):
            return None
        attempt = session.latest
        first = image.candidate == 1  # what was typed is logged once
        words = typed(prompt=attempt.prompt, change=attempt.change) if first else {}
        log.info("generating", extra={"of": len(attempt.candidates), **words})
        try:
            request = await self._requests.of(session, shared["task_input"], image, runner)
        except GenerationError as error:
            return error
        return Asked(request, checkpoint)

    async def exec_async(self, asked: Asked | GenerationError | None) -> Outcome:
        if not isinstance(asked, Asked):
            return asked
        request, checkpoint = asked
        try:
            await checkpoint.wait_for_turn()
            request = replace(request, response_id=checkpoint.response_id)
            with span("provider generate", Kind.CLIENT):
                return await self._backend.generate(request, checkpoint)
        except AskedTooOften:
            log.error("asked %s times for an image, and none was recorded", MOST_ASKED)
            return GenerationError(FailureKind.INTERNAL)
        except NotAsked:
            return None
        except GenerationError as error:
            if not checkpoint.can_retry(error):
                return _of_base(request, error)
            raise
        except ImagineError:  # the store or Slack is away: nothing was asked for
            raise
        except Exception as error:  # PocketFlow would pay for it three times
            log.error("the image backend broke: %s", type(error).__name__)
            log.debug("where", exc_info=True)
            return GenerationError(FailureKind.INTERNAL)
        finally:
            await checkpoint.close()

    async def exec_fallback_async(
        self, asked: Asked | GenerationError | None, error: Exception
    ) -> GenerationError:
        """After the last try. What is no failure of the generation fails the job."""
        if isinstance(error, GenerationError):
            return error
        raise error

    async def post_async(
        self, shared: Shared, asked: Asked | GenerationError | None, outcome: Outcome
    ) -> str:
        session_id, image = shared["session_id"], image_of(shared)
        match outcome:
            case GeneratedImage():
                seconds = asked.checkpoint.seconds if isinstance(asked, Asked) else 0.0
                keeping = self._keep(shared, outcome, seconds)
                session = await finish_before_cancel(keeping, LAST_RECORD_WITHIN)
            case GenerationError(kind=kind, said=said):
                log.warning("no image: %s", kind)
                session = await finish_before_cancel(
                    self._sessions.update(
                        session_id, lambda s: image_failed(s, image, kind, said, time.time())
                    ),
                    LAST_RECORD_WITHIN,
                )
            case None:
                session = await self._sessions.load(session_id)
        self._changed(session_id)
        return _action(session, shared)

    async def _keep(self, shared: Shared, made: GeneratedImage, seconds: float) -> Session:
        """The bytes first: a candidate that claims an image has one."""
        session_id, image, size = shared["session_id"], image_of(shared), len(made.data)
        async with self._limit.slot():
            encoded = pybase64.b64encode_as_string(made.data)
            made = replace(made, data=b"")  # held once, however long that takes
            await self._sessions.keep_image(session_id, image, encoded)
        shared["generated_image"] = encoded
        session = await self._sessions.update(
            session_id, lambda s: image_made(s, image, made, time.time())
        )
        sizes = {"width": made.width, "height": made.height, "bytes": size}
        log.info("image recorded", extra={**sizes, "seconds": round(seconds, 3)})
        return session


def _action(session: Session, shared: Shared) -> str:
    """What comes next: for the candidate that was made last the draft, or what is said of none."""
    if not leads(session, image_of(shared), shared["runner"]):
        return "cancelled"
    if not in_charge(session, shared):
        return "recorded"
    if not session.latest.images:
        return fail(shared, *most_telling_failure(session.latest))
    shared["input_used_by_process"] = session.latest.prompt
    return "generated"


def _of_base(request: ImageRequest, error: GenerationError) -> GenerationError:
    """An image of ours that nobody has any more is told apart from a person's picture, which is
    always sent as it is."""
    ours = request.base is not None and bool(request.base.response_id)
    gone = ours and error.kind is FailureKind.SOURCE_GONE
    return GenerationError(FailureKind.BASE_GONE) if gone else error
