"""The jobs that are due for a session. The sweeper queues a due job that the queue does not hold.

    announce        the root message, or the status → a `generate` for each candidate
    generate        one candidate → its image; the last one made → files and draft
    show_cancelled  what the messages say after a cancellation
    publish         the approved image → thread and channel
    show_discard    what the messages say after Discard or Undo

All but `generate` only talk to Slack. The id of a job holds its kind, session, attempt, candidate
and run. The queue ignores an id that it has seen, so a job that is queued twice runs once; to queue
it again takes a new run number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.domain.attempt import Attempt
from bot.domain.session import Session, with_attempt
from bot.domain.stages import DISCARD_DUE, PUBLICATION_DUE, Stage

MAX_RUNS = 5
"""Runs of a due job. The next run is the last try, and gives up where it fails."""


class JobKind(StrEnum):
    """The kind of a job."""

    ANNOUNCE = "announce"
    GENERATE = "generate"
    SHOW_CANCELLED = "show_cancelled"
    PUBLISH = "publish"
    SHOW_DISCARD = "show_discard"


@dataclass(frozen=True)
class Job:
    """One background run. `candidate` is 0 for a job about an attempt as a whole. `gives_up`: too
    many runs have failed, and this one reports the failure where it fails as well."""

    kind: JobKind
    session_id: str
    attempt: int
    run: int = 0
    gives_up: bool = False
    candidate: int = 0

    @property
    def id(self) -> str:
        image = f"{self.attempt}.{self.candidate}" if self.candidate else f"{self.attempt}"
        return f"{self.kind}-{self.session_id}-{image}-{self.run}"

    @classmethod
    def from_id(cls, job_id: str) -> Job:
        """The job of this id, but for `gives_up`. Raises `ValueError`. A session id may hold
        hyphens of its own."""
        kind, rest = job_id.split("-", 1)
        session_id, image, run = rest.rsplit("-", 2)
        attempt, _, candidate = image.partition(".")
        return cls(JobKind(kind), session_id, int(attempt), int(run), candidate=int(candidate or 0))

    @property
    def again(self) -> Job:
        """The next run of the same job."""
        run = self.run + 1
        return replace(self, run=run, gives_up=run >= MAX_RUNS)


def due_jobs(session: Session) -> tuple[Job, ...]:
    """The jobs that bring this session on; none where the session waits for a person."""
    if session.stage is Stage.GENERATING:
        attempt = session.latest
        announce, *generations = jobs_of(session, attempt)
        if not attempt.announced:
            return (announce,)
        jobs = zip(generations, attempt.candidates, strict=True)
        return tuple(j for j, c in jobs if not c.is_made or attempt.delivery_candidate == c.number)
    if session.publication in PUBLICATION_DUE:
        attempt = session.attempt(session.final_result)
        return (Job(JobKind.PUBLISH, session.id, attempt.number, attempt.requeues),)
    return tuple(_due_to_show(session))


def _due_to_show(session: Session) -> Iterator[Job]:
    """The jobs that show a Cancel, a Discard or an Undo in the messages."""
    if session.stage is Stage.FINAL or not session.attempts:
        return
    attempt = session.latest
    if attempt.cancelled and not attempt.cancel_shown:
        yield Job(JobKind.SHOW_CANCELLED, session.id, attempt.number, attempt.requeues)
    if session.discard in DISCARD_DUE:
        yield Job(JobKind.SHOW_DISCARD, session.id, attempt.number, session.discard_run)


def is_due(session: Session, job: Job) -> bool:
    """Whether the job is still due, as any run."""
    return any(replace(job, run=due.run, gives_up=due.gives_up) == due for due in due_jobs(session))


def with_next_run(session: Session, job: Job) -> Session:
    """Records that the job's next run is queued. Nothing changes where this run is not due."""
    if job not in due_jobs(session):
        return session
    attempt, run = session.attempt(job.attempt), job.run + 1
    if job.kind is JobKind.SHOW_DISCARD:
        return replace(session, discard_run=run)
    if job.candidate:
        again = replace(attempt.candidate(job.candidate), requeues=run)
        return with_attempt(session, attempt.with_candidate(again))
    return with_attempt(session, replace(attempt, requeues=run))


def jobs_of(session: Session, attempt: Attempt) -> tuple[Job, ...]:
    """Every job that the queue may hold for an attempt that is being generated."""
    generations = (
        Job(JobKind.GENERATE, session.id, attempt.number, c.requeues, candidate=c.number)
        for c in attempt.candidates
    )
    announce = Job(JobKind.ANNOUNCE, session.id, attempt.number, attempt.requeues)
    return (announce, *generations)


def ahead_of_each(waiting: Iterable[Job]) -> dict[tuple[str, int], int]:
    """How many attempts are ahead of each attempt in the queue, by session id and attempt number.
    `waiting` holds the waiting jobs, the next one first. Several images of one attempt count
    once."""
    places: dict[tuple[str, int], int] = {}
    for job in waiting:
        places.setdefault((job.session_id, job.attempt), len(places))
    return places
