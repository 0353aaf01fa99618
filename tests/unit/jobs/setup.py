"""A worker's job handler with its surroundings."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from functools import partial
from typing import Any

from bot.concurrency import BackgroundTasks, cancel_and_wait
from bot.domain import transitions
from bot.domain.failures import FailureKind
from bot.domain.jobs import Job, JobKind
from bot.domain.refusals import Refusal
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.flow import ReviewFlow
from bot.generation.image_copies import ImageCopies
from bot.generation.image_requests import ImageRequests
from bot.generation.recording import RetryingStore, RunCheckpoint
from bot.jobs.announce import Announce, RootMessage
from bot.jobs.cancellation import CancelledAttempts, ShowCancelled
from bot.jobs.dispatcher import JobDispatcher
from bot.jobs.generate import CancellationWatch, Generate, GenerationRunner
from bot.jobs.last_try import Handler, LastTry
from bot.jobs.publish import Publish, ShowAttemptEnd, ShowDiscard
from bot.jobs.slack_breaker import AuthTest, SlackBreaker
from bot.progress.draft_refresher import DraftRefresher
from bot.progress.live_preview import LivePreviews
from bot.progress.live_status import LiveStatus
from bot.telemetry.meters import GenerationMeter
from tests.fakes import (
    ID,
    FakeAppBlockedStore,
    FakeCancellations,
    FakeFiles,
    FakeHeartbeats,
    FakeImageBackend,
    FakeJobQueue,
    FakePublisher,
    FakeSessionStore,
    a_picture_loader,
    generating,
    with_latest,
)

CANCELLED = replace(
    with_latest(generating(), failure=FailureKind.CANCELLED), stage=Stage.INITIAL_INPUT
)
"""Before there was a draft."""
CANCELLED_2 = replace(
    with_latest(generating(2), failure=FailureKind.CANCELLED), stage=Stage.USER_FEEDBACK
)
"""With a draft from before."""


def announce(number: int = 1, run: int = 0) -> Job:
    return Job(JobKind.ANNOUNCE, ID, number, run)


def generate(number: int = 1, run: int = 0, candidate: int = 1) -> Job:
    return Job(JobKind.GENERATE, ID, number, run, candidate=candidate)


def show_cancelled(number: int = 1, run: int = 0) -> Job:
    return Job(JobKind.SHOW_CANCELLED, ID, number, run)


def publish(number: int = 1, run: int = 0) -> Job:
    return Job(JobKind.PUBLISH, ID, number, run)


class Worker:
    """Runs jobs for one session."""

    def __init__(self, session: Session, *outcomes: Any, previews: bool = False) -> None:
        self.store = FakeSessionStore(session)
        self.queue = FakeJobQueue()
        self.cancellations = FakeCancellations()
        self.publisher = FakePublisher()
        self.backend = FakeImageBackend(*outcomes)
        self.status = LiveStatus(self.store, self.publisher, interval=60)
        live = LivePreviews(self.store, self.publisher, enabled=previews)
        self.heartbeats = FakeHeartbeats()
        self.app_blocked_store = FakeAppBlockedStore()
        self.scopes: frozenset[str] | None = None
        self.breaker = SlackBreaker(
            self.app_blocked_store, self._ask_scopes, BackgroundTasks(), lambda: 1.0
        )
        retrying = RetryingStore(self.store, self.status.waits_for)
        self.files = FakeFiles()
        copies = ImageCopies(retrying, self.files)
        self.flow = ReviewFlow(
            retrying,
            self.backend,
            self.publisher,
            ImageRequests(self.store, FakeFiles(), a_picture_loader(FakeFiles(), self.heartbeats)),
            lambda _: None,
            partial(RunCheckpoint, retrying, self.heartbeats, self.breaker, live.offer),
            GenerationMeter("responses"),
            copies,
        )
        self.watch = CancellationWatch(self.store)
        drafts = DraftRefresher(retrying, self.publisher)
        cancelled = CancelledAttempts(self.store, self.backend, self.publisher, live)
        root = RootMessage(retrying, self.publisher, "imagine")
        show_end = ShowAttemptEnd(live, drafts, self.status)
        publish = Publish(retrying, self.publisher, copies, show_end)
        runner = GenerationRunner(retrying, self.flow, live, self.heartbeats)
        handlers: dict[JobKind, Handler] = {
            JobKind.ANNOUNCE: Announce(retrying, self.queue, root, drafts, self.status),
            JobKind.GENERATE: Generate(runner, self.watch, cancelled, root, self.status, show_end),
            JobKind.SHOW_CANCELLED: ShowCancelled(
                retrying, self.queue, self.cancellations, cancelled, drafts, self.status
            ),
            JobKind.PUBLISH: publish,
            JobKind.SHOW_DISCARD: ShowDiscard(retrying, show_end),
        }
        self._dispatch = JobDispatcher(
            retrying,
            handlers,
            LastTry(retrying, self.publisher, self.flow, self.status),
            self.breaker,
            self.publisher,
        )

    async def _ask_scopes(self) -> AuthTest:
        return AuthTest(self.scopes is None, self.scopes)

    async def run(self, job: Job, repeated: bool = False) -> None:
        """With the watch for cancellations beside it, as in a worker."""
        watching = asyncio.create_task(self.watch.run())
        try:
            await self._dispatch(job, repeated)
        finally:
            await cancel_and_wait(watching)

    def start_each(self, repeated: bool = False) -> asyncio.Task[list[None]]:
        """The job of every candidate of the newest attempt."""
        latest = self.session.latest
        jobs = [generate(latest.number, candidate=c.number) for c in latest.candidates]
        return asyncio.ensure_future(asyncio.gather(*(self.run(job, repeated) for job in jobs)))

    def start(self, job: Job, repeated: bool = False) -> asyncio.Task[None]:
        return asyncio.create_task(self.run(job, repeated))

    async def cancel(self) -> None:
        """What the web does when somebody cancels, but for the word to the workers."""
        with contextlib.suppress(Refusal):  # twice is once
            await self.store.update(
                ID, lambda s: transitions.cancel(s, s.latest.number, "w", 130.0)
            )

    @property
    def session(self) -> Session:
        return self.store.sessions[ID]

    def without_status(self) -> list[str]:
        return [name for name in self.publisher.names() if name != "show_status"]
