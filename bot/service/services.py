"""The services, put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.concurrency import BackgroundTasks
from bot.domain.options import OPTIONS, OptionTable
from bot.domain.session import Policy
from bot.ports import AttemptRule, Cancellations, JobQueue, Record, SessionStore
from bot.service.access import AccessControl
from bot.service.decisions import Decisions, JobScheduler
from bot.service.gateway import AttemptGateway, Reserve, without_reservation
from bot.service.library import UserLibrary
from bot.service.limits import WorkspaceLimits
from bot.service.lost_places import LostPlaces
from bot.service.new_sessions import NewSessions
from bot.service.picture_questions import PictureQuestions
from bot.service.thread_replies import ThreadReplies


@dataclass(frozen=True)
class Services:
    """All that a person can do. `option_table` holds the options of the image model."""

    new_sessions: NewSessions
    gateway: AttemptGateway
    decisions: Decisions
    replies: ThreadReplies
    questions: PictureQuestions
    library: UserLibrary
    jobs: JobScheduler
    lost_places: LostPlaces
    option_table: OptionTable
    limits: WorkspaceLimits

    @classmethod
    def build(
        cls,
        sessions: SessionStore,
        queue: JobQueue,
        cancellations: Cancellations,
        policy: Policy,
        tasks: BackgroundTasks,
        now: Callable[[], float],
        option_table: OptionTable = OPTIONS,
        rules: tuple[AttemptRule, ...] = (),
        reserve: Reserve = without_reservation,
        *,
        limits: WorkspaceLimits,
        record: Record | None = None,
    ) -> Services:
        """`now` answers seconds since the epoch; `rules` are asked before an attempt begins, and
        `reserve` gives it its reservation. `record` is told what they refuse."""
        access = AccessControl(sessions, policy, now)
        gateway = AttemptGateway(sessions, tasks, access, now, option_table, rules, reserve, record)
        decisions = Decisions(sessions, access, now)
        new_sessions = NewSessions(sessions, access, gateway, now, option_table)
        return cls(
            new_sessions,
            gateway,
            decisions,
            ThreadReplies(sessions, sessions, policy, access, gateway, decisions, option_table),
            PictureQuestions(sessions, new_sessions, option_table),
            UserLibrary(sessions, sessions, option_table),
            JobScheduler(queue, cancellations),
            LostPlaces(sessions, now),
            option_table,
            limits,
        )
