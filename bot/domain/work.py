"""What a session is still owed, as jobs. The sweeper queues what has none.

A job is named by what it does, for which session and attempt, and by its run: the queue refuses
a name it has seen, so asking twice does the work once, and asking anew takes a new run.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from bot.domain.session import Session
from bot.domain.stages import Stage

MAX_RUNS = 5
"""Runs of what a session is owed; the next one tries a last time, and gives up on it."""


class JobKind(StrEnum):
    """`announce`: the root message, then `generate`. `generate`: images → draft. `settle`: what is
    shown after a cancel. `finish`: the approved image to the channel. `retire`: Start over taken
    off it again. All but `generate` only talk to Slack."""

    ANNOUNCE = "announce"
    GENERATE = "generate"
    SETTLE = "settle"
    FINISH = "finish"
    RETIRE = "retire"


@dataclass(frozen=True)
class Job:
    """One background run for one attempt of one session. `gives_up`: too many have failed; where
    this one fails as well, it says so."""

    kind: JobKind
    session_id: str
    attempt: int
    run: int = 0
    gives_up: bool = False

    @property
    def id(self) -> str:
        return f"{self.kind}-{self.session_id}-{self.attempt}-{self.run}"

    @property
    def again(self) -> Job:
        """The next run, for one that ended without having done its work."""
        run = self.run + 1
        return replace(self, run=run, gives_up=run >= MAX_RUNS)


def owed(session: Session) -> Job | None:
    """The job that brings this session on, or None where it waits for a person."""
    if session.stage is Stage.GENERATING:
        latest = session.latest
        return Job(JobKind.ANNOUNCE, session.id, latest.number, latest.run)
    if session.publication.is_retiring:
        run = session.attempt(session.retiring_result).run
        return Job(JobKind.RETIRE, session.id, session.retiring_result, run)
    if _cancelled_unseen(session):
        return Job(JobKind.SETTLE, session.id, session.latest.number, session.latest.run)
    if session.publication.is_due:
        approved = session.attempt(session.final_result)
        return Job(JobKind.FINISH, session.id, approved.number, approved.run)
    return None


def owes(session: Session, job: Job) -> bool:
    """Whether the session is still owed what the job does, in whichever run. An attempt is owed
    its announcement until it has ended."""
    due = owed(session)
    kind = JobKind.ANNOUNCE if job.kind is JobKind.GENERATE else job.kind
    return due is not None and (due.kind, due.attempt) == (kind, job.attempt)


def _cancelled_unseen(session: Session) -> bool:
    """The newest attempt was cancelled, and what is shown does not say so yet."""
    if session.stage is Stage.FINAL or not session.attempts:
        return False
    return session.latest.cancelled and not session.latest.cancel_shown
