"""Background jobs: their queue, and what all processes know of their runs."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, Protocol

from bot.domain.jobs import Job


class JobState(StrEnum):
    """Where a job is. `GONE`: the queue knows none of that name."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    GONE = "gone"

    @property
    def live(self) -> bool:
        """It will run, or runs."""
        return self in {JobState.WAITING, JobState.RUNNING}


class QueueDepth(NamedTuple):
    """One queue: its short name, its jobs by state (`waiting`, `delayed`, `active`, `failed`), and
    for how many seconds the next waiting one has been there, 0 where none waits."""

    queue: str
    jobs: dict[str, int]
    oldest_seconds: float


class JobQueue(Protocol):
    """Jobs that run once each, on any worker. Raises `QueueUnavailable` within about 2.5 s."""

    async def add(self, job: Job) -> None:
        """Queue the job; one whose id the queue has seen is left as it is."""

    async def remove(self, job: Job) -> None:
        """Take a waiting job out of the queue; one that runs, or is not there, is left alone."""

    async def state(self, job: Job) -> JobState: ...

    async def waiting(self) -> list[Job]:
        """The `generate` jobs that wait, next one first."""


class Cancellations(Protocol):
    """Word to every worker that an attempt was cancelled. Word may get lost: whoever works looks
    at the session too."""

    async def send(self, session_id: str) -> None:
        """Never raises: the worker that has it finds out by itself, later."""


class Heartbeats(Protocol):
    """Which runs of generations live, in every process. Where the store refuses changes, a run that
    has begun lives on."""

    async def begin(self, run: str) -> None:
        """From now on the run lives. It is a change like any other: raises `StoreUnavailable` where
        the store takes none."""

    async def end(self, run: str) -> None:
        """Never raises."""

    async def is_alive(self, run: str) -> bool:
        """Whether it may still bring what it asked for. Raises `StoreUnavailable`."""
