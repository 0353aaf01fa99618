"""The services, put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from bot.concurrency import BackgroundTasks
from bot.domain.ledger import OwnUsage
from bot.domain.option_table import OPTIONS
from bot.domain.options import OptionTable
from bot.domain.policy import Policy
from bot.ports import AttemptRule, Cancellations, JobQueue, Ledger, Record, SessionStore
from bot.service.access import AccessControl
from bot.service.budgets import Budgets
from bot.service.decisions import Decisions, JobScheduler
from bot.service.draft_questions import DraftQuestions
from bot.service.gateway import AttemptGateway, without_reservation
from bot.service.library import UserLibrary
from bot.service.limits import WorkspaceLimits
from bot.service.lost_channels import LostChannels
from bot.service.new_sessions import NewSessions
from bot.service.picture_questions import PictureQuestions
from bot.service.refused_requests import RefusedRequests
from bot.service.thread_replies import ThreadReplies
from bot.service.usage import UsageReports

UTC = ZoneInfo("UTC")


@dataclass(frozen=True)
class Services:
    """All that a person can do. `option_table` holds the options of the image model. Without
    `budgets` nothing is reserved, and no cost is told."""

    new_sessions: NewSessions
    gateway: AttemptGateway
    decisions: Decisions
    replies: ThreadReplies
    questions: PictureQuestions
    library: UserLibrary
    jobs: JobScheduler
    lost_channels: LostChannels
    option_table: OptionTable
    limits: WorkspaceLimits
    draft_questions: DraftQuestions
    usage: UsageReports
    refused_requests: RefusedRequests
    budgets: Budgets | None = None

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
        budgets: Budgets | None = None,
        *,
        limits: WorkspaceLimits,
        ledger: Ledger,
        zone: ZoneInfo = UTC,
        record: Record | None = None,
    ) -> Services:
        """`now` answers seconds since the epoch; `rules` are asked before an attempt begins, the
        `budgets` last. `record` is told what they refuse."""
        access = AccessControl(sessions, policy, now)
        rules = (*rules, budgets) if budgets else rules
        reserve = budgets.reserve if budgets else without_reservation
        gateway = AttemptGateway(sessions, tasks, access, now, option_table, rules, reserve, record)
        decisions = Decisions(sessions, access, now)
        new_sessions = NewSessions(sessions, access, gateway, now, option_table)
        questions = PictureQuestions(sessions, new_sessions, option_table)
        return cls(
            new_sessions,
            gateway,
            decisions,
            ThreadReplies(sessions, sessions, policy, access, gateway, decisions, option_table),
            questions,
            UserLibrary(sessions, sessions, option_table),
            JobScheduler(queue, cancellations),
            LostChannels(sessions, now),
            option_table,
            limits,
            DraftQuestions(sessions, sessions, questions),
            UsageReports(ledger, zone, now),
            RefusedRequests(sessions),
            budgets,
        )

    async def own_usage(self, team: str, channel: str, payer: str) -> OwnUsage | None:
        """The latest usage of the person with this key; None where nothing is counted."""
        return await self.budgets.own_usage(team, channel, payer) if self.budgets else None
