"""A session: one idea of one person, from the prompt to the approved image.

A `Session` is a value. A transition (`bot.domain.transitions`) takes one and returns the next; the
store keeps the result only if nobody was faster (compare-and-set on `version`).

The images themselves are not part of the value: each has its own key and its own expiry, and
`final_result` names the approved attempt.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from bot.domain.attempt import Attempt, ImageRef, Source
from bot.domain.failures import UNUSABLE_SOURCE
from bot.domain.options import NO_OPTIONS, Options
from bot.domain.slack_refusals import ConversationKind
from bot.domain.stages import ENDED_BY_DISCARD, Discard, Publication, Stage

SCHEMA = 1
"""The form in which this version of the program writes sessions."""
DISCARD_SCHEMA = 2
"""The form of a discarded session: a version that knows no discarding leaves it alone, because to
that version the session would still be up for approval."""
NEWEST_SCHEMA = DISCARD_SCHEMA
"""The newest form that this version reads."""

UNDO_FOR = 600.0
"""Seconds for which a discarded session can be restored."""

IN_PROGRESS = frozenset({Stage.GENERATING, Stage.USER_FEEDBACK})
"""Stages in which the person waits, or has a decision to make."""


@dataclass(frozen=True)
class KeptWords:
    """What somebody said while an attempt was being made, kept until there is a draft to change.
    `question_id` names the question with the whole text; `text` is what is shown of it. `user` is
    who said it, `attempt` the one that was being made, `image` the one that is meant; None where
    that is not clear. `suggested`: its author may not decide."""

    question_id: str
    user: str
    text: str
    attempt: int
    image: ImageRef | None = None
    suggested: bool = False


@dataclass(frozen=True)
class Session:
    """The shared store of one session; the names of the first six are the contract's.

    `root_ts` is the message with the status, empty until it is posted; `thread_ts` the thread that
    everything comes into, which is another one where the session was started inside a thread.
    `asked_ts` is the message of the person that started it, below which people may reply, too;
    empty where that message stands inside a thread itself, or there is none.
    `owner_org` is the owner's organisation or workspace, empty for the installation's own people.
    `place` is the kind of conversation that `channel` is.
    `response_url` is Slack's short-lived way to answer the person where the bot is not a member.
    `restart_of` is the approved session from which Start over began this one; empty for another.
    `final_candidate` counts only where `final_result` names an attempt. `publication` is where the
    approved image stands, `final_ts` its message in the channel, `final_file_id` its file where
    that of the draft was gone. `kept_words` are what was said while an attempt was being made.
    `discarded_at` is in seconds since the epoch; `discarded_by` and `restored_by` are who did that
    last. `discard_key` is the idempotency key of the request that discarded it, `discard_run` the
    run of the job that shows it.
    """

    id: str
    team: str
    user: str
    channel: str
    stage: Stage = Stage.INITIAL_INPUT
    task_input: str = ""
    error_message: str = ""
    input_used_by_process: str = ""
    final_result: int = 0
    final_candidate: int = 1
    options: Options = NO_OPTIONS
    source: Source | None = None
    root_ts: str = ""
    thread_ts: str = ""
    response_url: str = ""
    restart_of: str = ""
    approved_by: str = ""
    publication: Publication = Publication.NOT_APPROVED
    final_ts: str = ""
    attempts: tuple[Attempt, ...] = field(default=())
    created_at: float = 0.0
    updated_at: float = 0.0
    version: int = 0
    schema: int = SCHEMA
    owner_org: str = ""
    place: ConversationKind = ConversationKind.CHANNEL
    final_file_id: str = ""
    asked_ts: str = ""
    kept_words: tuple[KeptWords, ...] = field(default=())
    discard: Discard = Discard.KEPT
    discarded_at: float = 0.0
    discarded_by: str = ""
    restored_by: str = ""
    discard_key: str = ""
    discard_run: int = 0

    @property
    def latest(self) -> Attempt:
        """The newest attempt. Only a session that was submitted has one."""
        return self.attempts[-1]

    def attempt(self, number: int) -> Attempt:
        return self.attempts[number - 1]

    @property
    def newest_draft(self) -> Attempt | None:
        """The newest attempt whose draft is in the thread."""
        return next((a for a in reversed(self.attempts) if a.has_draft), None)

    @property
    def failure_before(self) -> Attempt | None:
        """The failed attempt whose message is the last in the thread before the newest attempt."""
        earlier = reversed(self.attempts[:-1])
        shown = next((a for a in earlier if a.has_draft or a.failure_shown), None)
        return shown if shown and shown.failure_shown else None

    @property
    def final_image(self) -> ImageRef | None:
        """The approved image."""
        return ImageRef(self.final_result, self.final_candidate) if self.final_result else None

    @property
    def discarded(self) -> bool:
        """Whether it was ended without an approval, and takes no event until it is restored."""
        return self.discard in ENDED_BY_DISCARD

    @property
    def undo_until(self) -> float:
        """Until when a discarded session can be restored, in seconds since the epoch."""
        return self.discarded_at + UNDO_FOR

    @property
    def source_is_unusable(self) -> bool:
        """The picture that the session starts from cannot be read, or workers were lost over it."""
        return any(a.failure in UNUSABLE_SOURCE for a in self.attempts)

    def words_for(self, attempt: Attempt) -> tuple[KeptWords, ...]:
        """The words that were said since the draft before this one, and are not made yet."""
        before = max(
            (a.number for a in self.attempts[: attempt.number - 1] if a.has_draft), default=0
        )
        made = {a.idempotency_key for a in self.attempts}
        return tuple(
            kept
            for kept in self.kept_words
            if kept.attempt > before and kept.question_id not in made
        )

    def shows(self, image: ImageRef) -> bool:
        """Whether this image is in a draft in the thread."""
        if not 1 <= image.attempt <= len(self.attempts):
            return False
        attempt = self.attempt(image.attempt)
        return attempt.has_draft and any(c.number == image.candidate for c in attempt.images)

    def all_images(self) -> Iterator[ImageRef]:
        """Every image that the store may hold for this session alone."""
        for attempt in self.attempts:
            for candidate in attempt.candidates:
                yield ImageRef(attempt.number, candidate.number)

    def images_for_slack(self) -> Iterator[ImageRef]:
        """Every image of the newest attempt, made or not, while Slack has no draft of it. One that
        failed may still be delivered; one that was cancelled is not."""
        if self.attempts and not (self.latest.has_draft or self.latest.cancelled):
            for candidate in self.latest.candidates:
                yield ImageRef(self.latest.number, candidate.number)

    def changes_up_to(self, image: ImageRef) -> tuple[str, ...]:
        """The changes that were asked for on the way to this image, oldest first."""
        changes: list[str] = []
        at: ImageRef | None = image
        while at is not None and at.attempt:
            attempt = self.attempt(at.attempt)
            changes += [attempt.change] if attempt.change else []
            at = attempt.base
        return tuple(reversed(changes))


def can_be_restored(discarded_at: float, now: float) -> bool:
    """Whether a session that was discarded then can be restored still; both are in seconds since
    the epoch."""
    return now <= discarded_at + UNDO_FOR


def with_attempt(session: Session, attempt: Attempt) -> Session:
    """The session with this attempt in the place of the one of its number."""
    attempts = (*session.attempts[: attempt.number - 1], attempt)
    return replace(session, attempts=attempts + session.attempts[attempt.number :])


def asked_before(session: Session, idempotency_key: str) -> bool:
    """Whether the same request began an attempt. A request without an id counts as new."""
    return bool(idempotency_key) and any(
        a.idempotency_key == idempotency_key for a in session.attempts
    )
