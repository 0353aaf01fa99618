"""Background jobs: their queue, and what processes tell one another of their runs."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, Protocol

from bot.domain.jobs import Job


class JobState(StrEnum):
    """Where a job is. `GONE`: the queue knows no job with that id."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    GONE = "gone"

    @property
    def live(self) -> bool:
        """Whether it will run, or runs."""
        return self in {JobState.WAITING, JobState.RUNNING}


class QueueDepth(NamedTuple):
    """One queue: its short name, its jobs by state (`waiting`, `delayed`, `active`, `failed`), and
    the seconds for which the next waiting job has been there, 0 where none waits."""

    queue: str
    jobs: dict[str, int]
    oldest_seconds: float


class JobQueue(Protocol):
    """Jobs that run once each, on any worker. Raises `QueueUnavailable` within about 2.5 s."""

    async def add(self, job: Job) -> None:
        """Queue the job. Does nothing for an id that the queue has seen."""

    async def remove(self, job: Job) -> None:
        """Take a waiting job out of the queue. Does nothing for one that runs or is not there."""

    async def state(self, job: Job) -> JobState: ...

    async def live_ids(self) -> frozenset[str]:
        """The ids of all jobs that wait or run. One that moves on meanwhile may be left out, and
        one that has just ended may be among them."""

    async def waiting(self, also: Job | None = None) -> list[Job]:
        """The `generate` jobs that wait, next one first; with `also`, one that is about to be
        queued, where it will stand."""

    async def repair(self) -> None:
        """Bring to its end what a killed process left half done in the queue."""

    async def clean(self) -> int:
        """Remove a number of jobs that have ended long ago, and answer how many."""


class Cancellations(Protocol):
    """Messages to every worker that an attempt was cancelled. A message may get lost: a worker
    looks at the session too."""

    async def send(self, session_id: str) -> None:
        """Never raises: the worker that runs the attempt sees it in the session later."""


class Heartbeats(Protocol):
    """Which runs of generations live, for all processes. Where the store refuses changes, a run
    that has begun lives on."""

    async def begin(self, run_id: str) -> None:
        """From now on the run lives. Raises `StoreUnavailable` where the store takes no changes."""

    async def end(self, run_id: str) -> None:
        """Never raises."""

    async def is_alive(self, run_id: str) -> bool:
        """Whether the run may still bring its image. Raises `StoreUnavailable`."""
