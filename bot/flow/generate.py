"""`GenerateImage`: the node that asks for the image, and owns the retries."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from pocketflow import AsyncNode

from bot.domain.errors import FailureKind, GenerationError
from bot.domain.images import GeneratedImage, ImageRequest
from bot.domain.session import Session, with_attempt
from bot.flow.shared import Shared
from bot.ports import ImageBackend, SessionStore

log = logging.getLogger(__name__)

TRIES = 3
_FIRST_WAIT = 1.0
_LONGEST_WAIT = 60.0
"""Seconds; a provider that asks for more is reported to the person instead."""


@dataclass
class Plan:
    """What `exec` needs. `kept` is the image in base64 where an earlier run got that far;
    `done` means that there is nothing left to ask for. A retry waits until `not_before`."""

    session_id: str
    request: ImageRequest
    kept: str = ""
    done: bool = False
    tries: int = 0
    not_before: float = 0.0


class GenerateImage(AsyncNode):
    """Prompt → image. A failure that retrying can mend is raised, so that PocketFlow retries it;
    any other is returned, so that it does not."""

    def __init__(
        self, sessions: SessionStore, backend: ImageBackend, changed: Callable[[str], None]
    ) -> None:
        super().__init__(max_retries=TRIES)
        self._sessions = sessions
        self._backend = backend
        self._changed = changed

    async def prep_async(self, shared: Shared) -> Plan:
        session = await self._sessions.update(shared["session_id"], _started)
        self._changed(session.id)
        attempt = session.attempt(shared["attempt"])
        kept = ""
        if attempt.has_image:
            kept = await self._sessions.load_image(session.id, attempt.number) or ""
        request = ImageRequest(
            prompt=attempt.prompt,
            attempt=attempt.number,
            response_id=attempt.response_id,
            end_user=hashlib.sha256(f"{session.team}.{session.user}".encode()).hexdigest(),
        )
        return Plan(session.id, request, kept, done=bool(kept or attempt.file_id))

    async def exec_async(self, plan: Plan) -> GeneratedImage | GenerationError | None:
        if plan.done:
            return None
        await asyncio.sleep(max(0.0, plan.not_before - time.monotonic()))
        try:
            return await self._backend.generate(plan.request, lambda id_: self._keep(plan, id_))
        except GenerationError as error:
            if not error.retryable or (error.retry_after or 0.0) > _LONGEST_WAIT:
                return error
            plan.tries += 1
            wait = error.retry_after or _FIRST_WAIT * 2 ** (plan.tries - 1)
            plan.not_before = time.monotonic() + wait
            raise
        except Exception as error:  # PocketFlow would pay for it three times
            log.error("the image backend broke: %s", type(error).__name__)
            log.debug("where", exc_info=True)
            return GenerationError(FailureKind.INTERNAL)

    async def exec_fallback_async(self, plan: Plan, error: Exception) -> GenerationError:
        if isinstance(error, GenerationError):
            return error
        raise error

    async def post_async(
        self, shared: Shared, plan: Plan, outcome: GeneratedImage | GenerationError | None
    ) -> str:
        if isinstance(outcome, GenerationError):
            shared["failure"] = {"kind": outcome.kind.value, "said": outcome.said}
            return "failed"
        if outcome is None:
            shared["generated_image"] = plan.kept
        else:
            shared["generated_image"] = await asyncio.to_thread(_encoded, outcome.data)
            await self._record(shared, outcome)
        shared["input_used_by_process"] = plan.request.prompt
        return "generated"

    async def _keep(self, plan: Plan, response_id: str) -> None:
        """Record the provider's id at once: it is what a repeated run pays nothing by."""
        plan.request = replace(plan.request, response_id=response_id)
        number = plan.request.attempt
        await self._sessions.update(
            plan.session_id,
            lambda s: with_attempt(s, replace(s.attempt(number), response_id=response_id)),
        )

    async def _record(self, shared: Shared, image: GeneratedImage) -> None:
        """The bytes first: an attempt that claims an image has one."""
        number, generated_at = shared["attempt"], time.time()
        await self._sessions.keep_image(shared["session_id"], number, shared["generated_image"])

        def generated(session: Session) -> Session:
            attempt = replace(
                session.attempt(number),
                generated_at=generated_at,
                mime_type=image.mime_type,
                width=image.width,
                height=image.height,
                response_id=image.response_id,
                revised_prompt=image.revised_prompt,
            )
            used = replace(session, input_used_by_process=attempt.prompt)
            return with_attempt(used, attempt)

        await self._sessions.update(shared["session_id"], generated)
        self._changed(shared["session_id"])


def _started(session: Session) -> Session:
    attempt = session.latest
    if attempt.started_at:
        return session
    return with_attempt(session, replace(attempt, started_at=time.time()))


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
