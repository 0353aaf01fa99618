"""A direction with its surroundings."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest

from bot.domain.errors import Reason, Refusal
from bot.domain.options import QUALITIES
from bot.domain.person import Person
from bot.domain.policy import Policy
from bot.domain.session import Session
from bot.service import Direction, Place
from bot.tasks import BackgroundTasks
from tests.fakes import (
    BOSS,
    CHANNEL,
    ID,
    FakeCancellations,
    FakeJobQueue,
    FakeSessionStore,
    clock,
)

PLACE = Place("T1", BOSS, CHANNEL, "https://hooks/1", seed="trigger.1")


def in_thread(thread_ts: str = "1.0", *, seed: str = "T1|C1|7.7", person: Person = BOSS) -> Place:
    """Where something is said in a thread."""
    return Place("T1", person, CHANNEL, "", seed, thread_ts)


class Desk:
    def __init__(
        self,
        *sessions: Session,
        policy: Policy | None = None,
        qualities: tuple[str, ...] = QUALITIES,
    ) -> None:
        self.store = FakeSessionStore(*sessions)
        self.queue = FakeJobQueue()
        self.cancellations = FakeCancellations()
        self.tasks = BackgroundTasks()
        self.direction = Direction(
            self.store,
            self.queue,
            self.cancellations,
            policy or Policy(),
            self.tasks,
            clock(),
            qualities,
        )

    @property
    def session(self) -> Session:
        return self.store.sessions[ID]


async def refused(work: Awaitable[object]) -> Reason:
    """Why it was refused."""
    with pytest.raises(Refusal) as refusal:
        await work
    return refusal.value.reason
