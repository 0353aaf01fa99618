"""An attempt: one generation inside a session, of one or more candidates.

Attempt ── base ─→ ImageRef: the image that it edits, of an earlier attempt or brought along
   └ candidates: each with its own image or its own failure
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bot.domain.costs import PaidCall, Reservation
from bot.domain.failures import FailureKind
from bot.domain.options import NO_OPTIONS, Options


@dataclass(frozen=True, order=True)
class ImageRef:
    """Which image of a session. Attempts and candidates count from 1; attempt 0 is the picture
    that the session started from."""

    attempt: int
    candidate: int = 1

    def __str__(self) -> str:
        return str(self.attempt) if self.candidate == 1 else f"{self.attempt}.{self.candidate}"


@dataclass(frozen=True)
class Source:
    """A picture of a person, from which a session starts: Slack's file, its type and its bytes."""

    file_id: str
    mime_type: str = ""
    size: int = 0


LONGEST_MODEL = 80
MAX_PAID_CALLS = 3
"""Paid calls for one candidate, over all runs and workers."""


@dataclass(frozen=True)
class Candidate:
    """One image of an attempt, made by a job of its own. `response_id`, `width` (with the stored
    image) and `file_id` are recorded in that order, and a repeated job goes on from the last of
    them. `model` is the model that made the image, `sha256` the hash of its bytes in hex.
    `failure`: why there is no image; `said` and `details` are those of its `GenerationError`.
    `paid_calls` counts the paid calls; `paid_by_run` names the run that made the last one.
    `requeues` counts how often its job was queued again. `run_id` names the run that began last:
    where two runs overlap, because one was taken for dead, that one goes on. `calls` are the paid
    calls for the books (`bot.domain.books`)."""

    number: int
    paid_calls: int = 0
    paid_by_run: str = ""
    requeues: int = 0
    run_id: str = ""
    response_id: str = ""
    revised_prompt: str = ""
    mime_type: str = ""
    width: int = 0
    height: int = 0
    file_id: str = ""
    model: str = ""
    sha256: str = ""
    failure: FailureKind | None = None
    said: str = ""
    details: tuple[str, ...] = ()
    calls: tuple[PaidCall, ...] = ()

    @property
    def has_image(self) -> bool:
        return self.width > 0

    @property
    def is_made(self) -> bool:
        """Whether there is an image, or a failure in its place."""
        return self.has_image or self.failure is not None

    @property
    def awaits_answer(self) -> bool:
        """Whether a call was made whose result only its run knows. The call may be paid."""
        return bool(self.paid_by_run) and not (self.response_id or self.is_made)


@dataclass(frozen=True)
class Attempt:
    """One generation. Times are seconds since the epoch; 0 means not yet.

    `change` says how the image differs from `base`; without a change the image is made from
    `prompt`. `idempotency_key` is unique to the request that started it, so that the same request,
    delivered twice, starts it once; `cancelled_by` likewise. `asked_by` is the user id of who began
    it, `cancelled_user` of who cancelled it; both are empty where an older version did. `as_file`:
    Slack did not process the images' files, so they were shared as plain files. `requeues` counts
    how often a job of the attempt as a whole was queued again. `announced`: Slack shows that it is
    under way, so its candidates' jobs may be queued. `delivery_candidate` is the candidate that was
    made last: its job brings all images to Slack; 0 while one is being made. `failure_ts` is the
    message about the failure. `cancel_shown`: the thread shows that it was cancelled.
    `owner_notified_of_block`: its owner was told that Slack refuses the app. `deliveries` counts
    how often its images were to be delivered again. `reserved` is what its calls reserve; without
    it they are in no books.
    """

    number: int
    prompt: str
    options: Options = NO_OPTIONS
    change: str = ""
    base: ImageRef | None = None
    idempotency_key: str = ""
    asked_by: str = ""
    cancelled_by: str = ""
    cancelled_user: str = ""
    requeues: int = 0
    announced: bool = False
    delivery_candidate: int = 0
    queued_at: float = 0.0
    started_at: float = 0.0
    generated_at: float = 0.0
    candidates: tuple[Candidate, ...] = field(default=(Candidate(1),))
    as_file: bool = False
    preview_ts: str = ""
    message_ts: str = ""
    failure: FailureKind | None = None
    failure_ts: str = ""
    cancel_shown: bool = False
    owner_notified_of_block: bool = False
    deliveries: int = 0
    reserved: Reservation | None = None

    @property
    def images(self) -> tuple[Candidate, ...]:
        """The candidates with an image that Slack did not refuse."""
        return tuple(c for c in self.candidates if c.has_image and c.failure is None)

    @property
    def is_being_made(self) -> bool:
        """Whether a worker makes one of the candidates, or delivers them; else all wait in the
        queue."""
        return bool(self.delivery_candidate) or any(
            c.run_id and not c.is_made for c in self.candidates
        )

    @property
    def has_started(self) -> bool:
        """Whether a worker has begun one of its candidates."""
        return self.started_at > 0

    @property
    def has_draft(self) -> bool:
        """Whether its draft is in the thread."""
        return bool(self.message_ts)

    @property
    def failure_shown(self) -> bool:
        """A message in the thread says that it failed."""
        return bool(self.failure_ts)

    @property
    def is_generated(self) -> bool:
        """All its candidates are made, and one at least has an image."""
        return self.generated_at > 0

    @property
    def status_candidate(self) -> int:
        """The candidate whose run edits the attempt's status in Slack: the one that delivers, else
        the first that is being made, else the first that waits."""
        if self.delivery_candidate:
            return self.delivery_candidate
        waiting = [c for c in self.candidates if not c.is_made]
        begun = [c for c in waiting if c.run_id]
        return next((c.number for c in begun or waiting), 1)

    @property
    def cancelled(self) -> bool:
        return self.failure is FailureKind.CANCELLED

    @property
    def undelivered(self) -> bool:
        """It failed although an image is made: Slack did not show it."""
        failed = self.failure is not None and not self.cancelled
        return failed and not self.has_draft and any(c.has_image for c in self.candidates)

    def candidate(self, number: int) -> Candidate:
        return self.candidates[number - 1]

    def with_candidate(self, candidate: Candidate) -> Attempt:
        """The attempt with this candidate in the place of the one of its number."""
        others = (c if c.number != candidate.number else candidate for c in self.candidates)
        return replace(self, candidates=tuple(others))


def model_name(text: str) -> str:
    """A model's name on one line, cut to `LONGEST_MODEL` characters."""
    shown = "".join(mark if mark.isprintable() else " " for mark in text)
    return " ".join(shown.split())[:LONGEST_MODEL]
