"""The services with fakes behind them."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest

from bot.concurrency import BackgroundTasks
from bot.domain.option_table import OPTIONS
from bot.domain.options import OptionTable
from bot.domain.policy import Person, Policy
from bot.domain.refusals import Reason, Refusal
from bot.domain.session import Session
from bot.ports import AttemptRule
from bot.service import RequestOrigin, Services
from tests.fakes import (
    BOSS,
    CHANNEL,
    ID,
    FakeCancellations,
    FakeJobQueue,
    FakeLedger,
    FakeSessionStore,
    clock,
    workspace_limits,
)

ORIGIN = RequestOrigin("T1", BOSS, CHANNEL, "https://hooks/1", idempotency_key="trigger.1")


def in_thread(thread_ts: str = "1.0", *, person: Person = BOSS) -> RequestOrigin:
    """Where something is said in a thread."""
    return RequestOrigin("T1", person, CHANNEL, "", "T1|C1|7.7", thread_ts)


class Setup:
    """Keeps sessions in memory."""

    def __init__(
        self,
        *sessions: Session,
        policy: Policy | None = None,
        option_table: OptionTable = OPTIONS,
        rules: tuple[AttemptRule, ...] = (),
    ) -> None:
        self.store = FakeSessionStore(*sessions)
        self.queue = FakeJobQueue()
        self.cancellations = FakeCancellations()
        self.tasks = BackgroundTasks()
        self.services = Services.build(
            self.store,
            self.queue,
            self.cancellations,
            policy or Policy(),
            self.tasks,
            clock(),
            option_table,
            rules,
            limits=workspace_limits(),
            ledger=FakeLedger(),
        )

        self.new_sessions, self.gateway = self.services.new_sessions, self.services.gateway
        self.decisions, self.replies = self.services.decisions, self.services.replies
        self.library, self.jobs = self.services.library, self.services.jobs

    @property
    def session(self) -> Session:
        return self.store.sessions[ID]


async def refused(work: Awaitable[object]) -> Reason:
    """Why it was refused."""
    with pytest.raises(Refusal) as refusal:
        await work
    return refusal.value.reason
