"""What `GenerateImage` plans for each candidate, and what it records of an attempt."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import Any

from bot.domain.attempt import MOST_ASKED, Attempt, ImageRef
from bot.domain.errors import FailureKind, GenerationError
from bot.domain.images import GeneratedImage, ImageRequest
from bot.domain.session import Session, with_attempt
from bot.flow.shared import under_way
from bot.telemetry.context import token_of

_TELLING = list(FailureKind)
"""The most telling first: what blames the prompt, then what the operator has to mend, then what
may pass. Where all candidates failed, the person is told the first of theirs."""


TRIES = 3
"""Of one run, for one candidate."""


@dataclass
class Plan:
    """What `exec` needs for one candidate, and what it has in hand: another try goes on from
    there. `encoded` is the image in base64; `settled` means that all is recorded. A retry waits
    until `not_before`. `seconds` is how long the try took that brought the image. `asked` is how
    many paid calls there were, as the session has it; `noting` writes a response's id down."""

    session_id: str
    request: ImageRequest
    runner: str
    encoded: str = ""
    settled: bool = False
    image: GeneratedImage | None = None
    failure: GenerationError | None = None
    tries: int = 0
    seconds: float = 0.0
    not_before: float = 0.0
    asked: int = 0
    task: asyncio.Task[Any] | None = None
    noting: asyncio.Task[Any] | None = None

    @property
    def may_ask_again(self) -> bool:
        """Going on with a response that is known is no paid call."""
        paid = not self.request.response_id
        return self.tries < TRIES and (not paid or self.asked < MOST_ASKED)

    @property
    def ref(self) -> ImageRef:
        return ImageRef(self.request.attempt, self.request.candidate)


def request_id(session_id: str, image: ImageRef) -> str:
    """`token.attempt.candidate`: what names the request in our records and in the provider's."""
    return f"{token_of(session_id)}.{image.attempt}.{image.candidate}"


def started(session: Session, number: int, runner: str) -> Session:
    if not under_way(session, number):
        return session
    since = session.latest.started_at or time.time()
    return with_attempt(session, replace(session.latest, started_at=since, runner=runner))


def generated(session: Session, number: int, now: float) -> Session:
    """Nothing changes before all candidates are settled, or where there is nothing to show."""
    if not under_way(session, number) or not session.latest.images:
        return session
    if not all(c.failure or c.has_image for c in session.latest.candidates):
        return session
    attempt = replace(session.latest, generated_at=session.latest.generated_at or now)
    return with_attempt(replace(session, input_used_by_process=attempt.prompt), attempt)


def facts_of(image: GeneratedImage) -> dict[str, Any]:
    return {
        "mime_type": image.mime_type,
        "width": image.width,
        "height": image.height,
        "response_id": image.response_id,
        "revised_prompt": image.revised_prompt,
        "model": image.model,
    }


def most_telling(attempt: Attempt, plans: list[Plan]) -> dict[str, str]:
    """The failure to report; `said` is the provider's own words with it."""
    kinds = [c.failure for c in attempt.candidates if c.failure] or [FailureKind.INTERNAL]
    kind = min(kinds, key=_TELLING.index)
    told = [plan.failure for plan in plans if plan.failure and plan.failure.kind is kind]
    return {"kind": kind.value, "said": next((t.said for t in told if t.said), "")}
