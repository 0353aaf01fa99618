"""The Bolt app and its middleware: it lets in what is for this installation, from its people."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.kwargs_injection.async_args import AsyncArgs
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.concurrency import BackgroundTasks
from bot.domain.invisible import drop_invisible
from bot.domain.policy import Person, WhoMayStart
from bot.domain.refusals import Reason, Refusal
from bot.slack.identity import (
    ClaimedPerson,
    Identity,
    claimed_person_of,
    is_for_installation,
    is_from_person,
    is_user_request,
)
from bot.slack.listening import ADMITTED_PERSON, AdmittedPerson, error_boundary
from bot.slack.members import PERSONS_ZONE, MemberDirectory
from bot.slack.responder_base import Responder
from bot.slack.responders import CommandResponder, FormResponder, ResponseUrlResponder, responder_to

log = logging.getLogger(__name__)
_LOG = logging.getLogger("slack_bolt")
_LOG.setLevel(logging.ERROR)
"""Below that, Bolt warns about how it is set up here, and logs requests with what people typed."""
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")

Next = Callable[[], Awaitable[BoltResponse]]


def bolt_app(
    client: AsyncWebClient,
    identity: Identity,
    signing_secret: str,
    who_may_start: WhoMayStart = WhoMayStart.TEAM,
    tasks: BackgroundTasks | None = None,
) -> AsyncApp:
    """An app of one installation that knows its identity: no `auth.test` for each request. It lets
    in requests for this installation, of people who may use it. `tasks` tell the others why not.

    The identity is given as an `authorize` function, so that `SLACK_CLIENT_ID` and
    `SLACK_CLIENT_SECRET` in the environment do not switch OAuth on.
    """
    app = AsyncApp(
        name="imagine-bot",  # else Bolt reads the sources of the whole call stack for one
        client=client,
        logger=_LOG,
        signing_secret=signing_secret,
        authorize=_authorize(client, identity),
        request_verification_enabled=bool(signing_secret),
    )
    app.middleware(CleanCharacters())
    app.middleware(AccessMiddleware(identity, who_may_start, tasks or BackgroundTasks()))
    app.error(_log_error)
    return app


def _authorize(
    client: AsyncWebClient, identity: Identity
) -> Callable[..., Awaitable[AuthorizeResult]]:
    result = AuthorizeResult(
        enterprise_id=identity.enterprise_id or None,
        team_id=identity.team_id,
        bot_token=client.token,
        bot_id=identity.bot_id,
        bot_user_id=identity.bot_user,
    )

    async def authorize(context: AsyncBoltContext) -> AuthorizeResult:
        """Bolt makes a plain client of the SDK's for each request. Ours reads any answer safely,
        and has one session for all calls."""
        context["client"] = client
        return result

    return authorize


def clean_characters(body: dict[str, Any]) -> None:
    """Drop what nobody sees from all that people typed and named, and put U+FFFD for every half of
    a character. JSON may name one, such as what a client leaves of an emoji that it cut; text that
    holds one cannot be encoded."""
    text = json.dumps(body, ensure_ascii=False)
    if not text.isascii():
        body.update(json.loads(drop_invisible(_HALF_CHARACTER.sub("\ufffd", text))))


class CleanCharacters(AsyncMiddleware):
    """A global middleware. As a class it gets the request alone: for a function Bolt makes all that
    a listener may ask for."""

    async def async_process(
        self, *, req: AsyncBoltRequest, resp: BoltResponse, next: Next
    ) -> BoltResponse:
        clean_characters(req.body)
        return await next()


async def _log_error(error: Exception) -> None:
    """Left alone, Bolt logs an error's text, which may quote what people typed."""
    log.error("a request broke on its way to a listener: %s", type(error).__name__)


class AccessMiddleware:
    """A global middleware. It puts who acts into the context of a request that it lets in. It acks
    all others, because Slack switches a subscription off whose deliveries fail. A person is told in
    private why they are turned away; a bot is not."""

    def __init__(self, identity: Identity, who: WhoMayStart, tasks: BackgroundTasks) -> None:
        self._identity = identity
        self._who = who
        self._tasks = tasks
        self._members = MemberDirectory()

    async def __call__(self, args: AsyncArgs, next_: Next) -> BoltResponse | None:
        if not is_for_installation(args.body, self._identity):
            log.info("turned away: a request for another installation")
            return await self._refuse_elsewhere(args)
        if is_user_request(args.body):
            if not is_from_person(args.body, self._identity):
                return await args.ack()
            try:
                person = await self._admit(args)
                args.context[ADMITTED_PERSON] = AdmittedPerson(self._identity.installation, person)
                args.context[PERSONS_ZONE] = partial(self._zone_of, args.client, person.user)
            except Refusal as refusal:
                return await self._refuse(args, refusal)
        await next_()
        return None

    async def _admit(self, args: AsyncArgs) -> Person:
        """Answer who acts. Raises `Refusal` where they may not use the bot."""
        claimed, full = (
            claimed_person_of(args.body, self._identity),
            self._who is WhoMayStart.FULL_MEMBERS,
        )
        org, home = claimed.org, self._identity.installation
        is_guest = False
        if not claimed.certain or (full and org == home):
            org, is_guest = await self._look_up(args, claimed)
        if self._who is not WhoMayStart.ANYONE and org != home:
            raise Refusal(Reason.OUTSIDER)
        if full and is_guest:
            raise Refusal(Reason.GUEST)
        return Person(org, claimed.user)

    async def _look_up(self, args: AsyncArgs, claimed: ClaimedPerson) -> tuple[str, bool]:
        """The person's organisation, and whether they are a guest. Only Slack's answer makes an
        uncertain person one of the installation's own."""
        if not self._identity.has_scope("users:read"):
            if claimed.org and self._who is WhoMayStart.ANYONE:
                return claimed.org, False
            raise Refusal(Reason.CHECK_NOT_GRANTED)
        try:
            member = await self._members.look_up(args.client, claimed.user)
        except Refusal as refusal:
            if refusal.reason is not Reason.OUTSIDER:
                raise
            return self._foreign(claimed.org), False
        if member.is_stranger:
            return self._foreign(member.enterprise, member.team, claimed.org), False
        if self._identity.is_own_team(member.team, member.enterprise):
            return self._identity.installation, member.is_guest
        if org := member.enterprise or member.team or claimed.org:
            return org, member.is_guest
        raise Refusal(Reason.NOT_CHECKED)

    def _foreign(self, *named: str) -> str:
        """A stranger's organisation. Raises `Refusal` where strangers may not use the bot."""
        org = next((org for org in named if org and not self._identity.is_own_team(org)), "")
        if not org or self._who is not WhoMayStart.ANYONE:
            raise Refusal(Reason.OUTSIDER)
        return org

    async def _zone_of(self, client: AsyncWebClient, user: str) -> ZoneInfo | None:
        if not self._identity.has_scope("users:read"):
            return None
        return await self._members.zone_of(client, user)

    async def _refuse_elsewhere(self, args: AsyncArgs) -> BoltResponse | None:
        """Refuse a request for another installation. The words need no token: they are in the ack,
        or go to the `response_url`."""
        refusal = Refusal(Reason.NOT_INSTALLED)
        if "command" in args.body:
            return await self._refuse(args, refusal)
        response = await args.ack()
        if args.body.get("response_url") and is_from_person(args.body, self._identity):
            self._tasks.spawn(_send_refusal(ResponseUrlResponder(args), refusal))
        return response

    async def _refuse(self, args: AsyncArgs, refusal: Refusal) -> BoltResponse | None:
        """The ack of a command or a form holds the words; elsewhere they are said after it."""
        responder = responder_to(args)
        if isinstance(responder, CommandResponder | FormResponder):
            await _send_refusal(responder, refusal)
            return args.ack.response
        response = await args.ack()
        self._tasks.spawn(_send_refusal(responder, refusal))
        return response


async def _send_refusal(responder: Responder, refusal: Refusal) -> None:
    async with error_boundary(responder):
        raise refusal
