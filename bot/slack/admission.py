"""A Bolt middleware that lets in what is for this installation and from whoever may use the bot."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from slack_bolt.kwargs_injection.async_args import AsyncArgs
from slack_bolt.response import BoltResponse

from bot.concurrency import BackgroundTasks
from bot.domain.errors import Reason, Refusal
from bot.domain.policy import Person, WhoMayStart
from bot.slack.actor import Actor, actor_of, is_asked_by_somebody, is_of_a_person, is_ours
from bot.slack.error_boundary import error_boundary
from bot.slack.identity import Identity
from bot.slack.members import MemberDirectory
from bot.slack.requests import ACTING, Acting
from bot.slack.responders import (
    ClickResponder,
    CommandResponder,
    EventResponder,
    FormResponder,
    HomeResponder,
    HomeTabResponder,
    Responder,
    ResponseUrlResponder,
    ShortcutResponder,
)

log = logging.getLogger(__name__)


class Admission:
    """A global middleware. It puts who acts into the context of a request that it lets in. It acks
    all others, because Slack switches a subscription off whose deliveries fail. A person is told in
    private why they are turned away; a bot is not."""

    def __init__(self, identity: Identity, who: WhoMayStart, tasks: BackgroundTasks) -> None:
        self._identity = identity
        self._who = who
        self._tasks = tasks
        self._members = MemberDirectory()

    async def __call__(
        self, args: AsyncArgs, next_: Callable[[], Awaitable[None]]
    ) -> BoltResponse | None:
        if not is_ours(args.body, self._identity):
            log.info("turned away: a request for another installation")
            return await self._elsewhere(args)
        if is_asked_by_somebody(args.body):
            if not is_of_a_person(args.body, self._identity):
                return await args.ack()
            try:
                person = await self._admitted(args)
                args.context[ACTING] = Acting(self._identity.installation, person)
            except Refusal as refusal:
                return await self._refuse(args, refusal)
        await next_()
        return None

    async def _admitted(self, args: AsyncArgs) -> Person:
        """Who acts. Raises `Refusal` where they may not use the bot."""
        actor, full = actor_of(args.body, self._identity), self._who is WhoMayStart.FULL_MEMBERS
        org, home = actor.org, self._identity.installation
        is_guest = False
        if not actor.certain or (full and org == home):
            org, is_guest = await self._looked_up(args, actor)
        if self._who is not WhoMayStart.ANYONE and org != home:
            raise Refusal(Reason.OUTSIDER)
        if full and is_guest:
            raise Refusal(Reason.GUEST)
        return Person(org, actor.user)

    async def _looked_up(self, args: AsyncArgs, actor: Actor) -> tuple[str, bool]:
        """The person's organisation, and whether they are a guest. Only Slack's answer makes an
        uncertain person one of the installation's own."""
        if not self._identity.may("users:read"):
            if actor.org and self._who is WhoMayStart.ANYONE:
                return actor.org, False
            raise Refusal(Reason.CHECK_NOT_GRANTED)
        try:
            member = await self._members.look_up(args.client, actor.user)
        except Refusal as refusal:
            if refusal.reason is not Reason.OUTSIDER:
                raise
            return self._foreign(actor.org), False
        if member.is_stranger:
            return self._foreign(member.enterprise, member.team, actor.org), False
        if self._identity.is_home(member.team, member.enterprise):
            return self._identity.installation, member.is_guest
        if org := member.enterprise or member.team or actor.org:
            return org, member.is_guest
        raise Refusal(Reason.NOT_CHECKED)

    def _foreign(self, *named: str) -> str:
        """A stranger's organisation. Raises `Refusal` where strangers may not use the bot."""
        org = next((org for org in named if org and not self._identity.is_home(org)), "")
        if not org or self._who is not WhoMayStart.ANYONE:
            raise Refusal(Reason.OUTSIDER)
        return org

    async def _elsewhere(self, args: AsyncArgs) -> BoltResponse | None:
        """The words need no token: they are in the ack, or go to the `response_url`."""
        refusal = Refusal(Reason.NOT_INSTALLED)
        if "command" in args.body:
            return await self._refuse(args, refusal)
        response = await args.ack()
        if args.body.get("response_url") and is_of_a_person(args.body, self._identity):
            self._tasks.spawn(_tell(ResponseUrlResponder(args), refusal))
        return response

    async def _refuse(self, args: AsyncArgs, refusal: Refusal) -> BoltResponse | None:
        """The ack of a command or a form holds the words; elsewhere they are said after it."""
        responder = _responder_to(args)
        if isinstance(responder, CommandResponder | FormResponder):
            await _tell(responder, refusal)
            return args.ack.response
        response = await args.ack()
        self._tasks.spawn(_tell(responder, refusal))
        return response


async def _tell(responder: Responder, refusal: Refusal) -> None:
    async with error_boundary(responder):
        raise refusal


def _responder_to(args: AsyncArgs) -> Responder:
    match args.body:
        case {"command": _}:
            return CommandResponder(args)
        case {"event": {"type": "app_home_opened"}}:
            return HomeTabResponder(args)
        case {"event": _}:
            return EventResponder(args)
        case {"type": "view_submission"}:
            return FormResponder(args)
        case {"type": "message_action"}:
            return ShortcutResponder(args)
        case {"type": "block_actions", "message": _} | {"type": "block_actions", "channel": _}:
            return ClickResponder(args)
    return HomeResponder(args)
