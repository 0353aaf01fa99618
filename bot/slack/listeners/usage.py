"""`usage`, asked for by command and by mention alike: one's own, and for admins the workspace's."""

from __future__ import annotations

from slack_bolt.kwargs_injection.async_args import AsyncArgs

from bot.domain.refusals import Refusal
from bot.slack.admins import Admins
from bot.slack.listening import (
    ADMITTED_PERSON,
    LOOKING_UP,
    AdmittedPerson,
    ListenerDependencies,
    error_boundary,
    within_ack_deadline,
)
from bot.slack.request_tracking import wait_for_acks
from bot.slack.responder_base import Responder
from bot.views.usage_words import (
    FOR_ADMINS,
    NOTHING_COUNTED,
    TOO_MANY_CALLS,
    USAGE_LOST,
    csv_message,
    own_words,
    workspace_words,
)

WORDS = "usage"
CSV = "usage csv"


class UsageAnswers:
    """Only the person who asks sees the answers."""

    def __init__(self, dependencies: ListenerDependencies) -> None:
        self._services = dependencies.services
        self._admins = Admins(dependencies.admins, dependencies.identity)

    async def asked(self, args: AsyncArgs, responder: Responder, channel: str) -> None:
        """One's own usage at once; then that of the workspace, which takes longer to read."""
        async with error_boundary(responder, away=USAGE_LOST):
            own, is_admin = await within_ack_deadline(self._own(args, channel), LOOKING_UP)
            await responder.say(own)
            if is_admin:
                await self._tell_workspace(args, responder, as_csv=False)

    async def asked_for_csv(self, args: AsyncArgs, responder: Responder) -> None:
        async with error_boundary(responder, away=USAGE_LOST):
            if not await within_ack_deadline(self._is_admin(args), LOOKING_UP):
                await responder.say(FOR_ADMINS)
                return
            await args.ack()
            await self._tell_workspace(args, responder, as_csv=True)

    async def _own(self, args: AsyncArgs, channel: str) -> tuple[str, bool]:
        admitted: AdmittedPerson = args.context[ADMITTED_PERSON]
        own = await self._services.own_usage(admitted.team, channel, admitted.owner)
        words = own_words(own) if own else NOTHING_COUNTED
        return words, await self._is_admin(args)

    async def _is_admin(self, args: AsyncArgs) -> bool:
        """A person who cannot be looked up is told their own usage."""
        try:
            return await self._admins.includes(args.client, args.context[ADMITTED_PERSON].person)
        except Refusal:
            return False

    async def _tell_workspace(self, args: AsyncArgs, responder: Responder, *, as_csv: bool) -> None:
        """After the ack, whose words come first."""
        await wait_for_acks()
        team = args.context[ADMITTED_PERSON].team
        try:
            month, tables = await self._services.usage.of_workspace(team)
        except TimeoutError:
            await responder.say(TOO_MANY_CALLS)
            return
        await responder.say(csv_message(tables) if as_csv else workspace_words(month, tables))
