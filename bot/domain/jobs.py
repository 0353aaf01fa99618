"""What a session is still owed, as jobs. The sweeper queues what has none.

    announce        the root message, or the status → a `generate` for each candidate
    generate        one candidate → its image; the last one made → files and draft
    show_cancelled  what the messages say after a cancellation
    publish         the approved image → thread and channel
    retire          Start over is taken off it again

All but `generate` only talk to Slack. A job is named by what it does, for which session, attempt
and candidate, and by its run: the queue refuses a name it has seen, so asking twice does the work
once, and asking anew takes a new run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.domain.attempt import Attempt
from bot.domain.session import Session, with_attempt
from bot.domain.stages import PUBLICATION_DUE, RETIRING, Stage

MAX_RUNS = 5
"""Runs of what a session is owed; the next one tries a last time, and gives up on it."""


class JobKind(StrEnum):
    """What a job does."""

    ANNOUNCE = "announce"
    GENERATE = "generate"
    SHOW_CANCELLED = "show_cancelled"
    PUBLISH = "publish"
    RETIRE = "retire"


@dataclass(frozen=True)
class Job:
    """One background run. `candidate` is 0 for what concerns an attempt as a whole. `gives_up`: too
    many runs have failed; where this one fails as well, it says so."""

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
        """The next run, for one that ended without having done its work."""
        run = self.run + 1
        return replace(self, run=run, gives_up=run >= MAX_RUNS)


def owed(session: Session) -> tuple[Job, ...]:
    """The jobs that bring this session on; none where it waits for a person."""
    if session.stage is Stage.GENERATING:
        attempt = session.latest
        announce, *generations = jobs_of(session, attempt)
        if not attempt.announced:
            return (announce,)
        jobs = zip(generations, attempt.candidates, strict=True)
        return tuple(j for j, c in jobs if not c.is_made or attempt.delivering == c.number)
    if session.publication in RETIRING:
        kind, attempt = JobKind.RETIRE, session.attempt(session.retiring_result)
    elif session.publication in PUBLICATION_DUE:
        kind, attempt = JobKind.PUBLISH, session.attempt(session.final_result)
    elif session.stage is Stage.FINAL or not session.attempts:
        return ()
    elif session.latest.cancelled and not session.latest.cancel_shown:
        kind, attempt = JobKind.SHOW_CANCELLED, session.latest
    else:
        return ()
    return (Job(kind, session.id, attempt.number, attempt.run),)


def owes(session: Session, job: Job) -> bool:
    """Whether the session is still owed what the job does, in whichever run."""
    return any(replace(job, run=due.run, gives_up=due.gives_up) == due for due in owed(session))


def with_next_run(session: Session, job: Job) -> Session:
    """The session once the job after this one is queued. Nothing changes where the session is not
    owed this very run."""
    if job not in owed(session):
        return session
    attempt, run = session.attempt(job.attempt), job.run + 1
    if job.candidate:
        again = replace(attempt.candidate(job.candidate), run=run)
        return with_attempt(session, attempt.with_candidate(again))
    return with_attempt(session, replace(attempt, run=run))


def jobs_of(session: Session, attempt: Attempt) -> tuple[Job, ...]:
    """Every job that may be under way for an attempt that is being generated."""
    generations = (
        Job(JobKind.GENERATE, session.id, attempt.number, c.run, candidate=c.number)
        for c in attempt.candidates
    )
    announce = Job(JobKind.ANNOUNCE, session.id, attempt.number, attempt.run)
    return (announce, *generations)


def ahead_of_each(waiting: Iterable[Job]) -> dict[tuple[str, int], int]:
    """How many attempts come before each attempt in the queue, from the jobs that wait, next one
    first. Several images of one attempt count once."""
    places: dict[tuple[str, int], int] = {}
    for job in waiting:
        places.setdefault((job.session_id, job.attempt), len(places))
    return places
