"""`/imagine settings`: the form in which admins set limits. Access is checked at each step."""

from __future__ import annotations

import logging

from slack_bolt.kwargs_injection.async_args import AsyncArgs
from slack_sdk.errors import SlackApiError

from bot.domain.limit_settings import ChosenLimits
from bot.domain.policy import Person
from bot.slack.admins import Admins
from bot.slack.listening import (
    ADMITTED_PERSON,
    LOOKING_UP,
    AdmittedPerson,
    ListenerDependencies,
    error_boundary,
    form_values,
    open_form,
    within_ack_deadline,
)
from bot.slack.private_messages import DELIVERY_ERRORS, send_ephemeral, send_message, user_of
from bot.slack.request_tracking import count_slack_errors, error_code
from bot.slack.responders import CommandResponder, FormResponder, HomeResponder
from bot.views import words
from bot.views.limits_form import limits_form, saved_words
from bot.views.limits_state import LimitsFormState, WrongFields, read_limits, typed_in

log = logging.getLogger(__name__)


_CLOSED = {"not_found", "view_not_found"}


class LimitsForms:
    """`private_metadata` of the form tells the channel and the people it is about, and what it
    showed."""

    def __init__(self, dependencies: ListenerDependencies) -> None:
        self._services = dependencies.services
        self._admins = Admins(dependencies.admins, dependencies.identity)

    async def asked(self, args: AsyncArgs, responder: CommandResponder) -> None:
        """The command. In a direct conversation there is no channel to set limits for."""
        async with error_boundary(responder, away=words.ASK_AGAIN):
            channel: str = args.body.get("channel_id") or ""
            state = LimitsFormState("" if channel.startswith("D") else channel)
            chosen = await self._chosen(args, state)
            await open_form(args, limits_form(state, chosen, self._services.limits.operator))

    async def person_chosen(self, args: AsyncArgs) -> None:
        """Shows the person's own limits in the open form, in which all stays that is typed."""
        async with error_boundary(HomeResponder(args)):
            view = args.body["view"]
            person = args.body["actions"][0].get("selected_user") or ""
            typed = typed_in(form_values(view))
            state = LimitsFormState.of(view.get("private_metadata")).choosing(person, typed)
            chosen = await self._chosen(args, state)
            form = limits_form(state, chosen, self._services.limits.operator, typed)
            await args.ack()
            try:
                # without `hash`: of two choices in a row, the second shows its person, too
                with count_slack_errors("views.update"):
                    await args.client.views_update(view_id=view["id"], view=form)
            except SlackApiError as error:
                if error_code(error) not in _CLOSED:
                    raise
                log.info("a form was closed before it was updated")

    async def submitted(self, args: AsyncArgs) -> None:
        async with error_boundary(FormResponder(args), away=words.FORM_LOST):
            view = args.body["view"]
            state = LimitsFormState.of(view.get("private_metadata"))
            admitted: AdmittedPerson = args.context[ADMITTED_PERSON]
            try:
                read = read_limits(state, form_values(view))
            except WrongFields as wrong:
                await args.ack(response_action="errors", errors=wrong.errors)
                return
            await self._require_admin(args, admitted.person)
            limits = self._services.limits
            setting = limits.choose(admitted.team, admitted.person.user, read)
            changed = await within_ack_deadline(setting)
            await args.ack()
            chosen = await limits.chosen(admitted.team, state.scopes)
            await self._confirm(args, state.channel, saved_words(changed, chosen, limits.operator))

    async def _confirm(self, args: AsyncArgs, channel: str, said: str) -> None:
        """In the channel, or in a direct message where there is none or the bot is no member."""
        try:
            if channel:
                await send_ephemeral(args, channel, "", said)
                return
        except DELIVERY_ERRORS as error:
            log.info("not confirmed in the channel: %s", type(error).__name__)
        await send_message(args, user_of(args), said)

    async def _chosen(self, args: AsyncArgs, state: LimitsFormState) -> ChosenLimits:
        admitted: AdmittedPerson = args.context[ADMITTED_PERSON]
        await within_ack_deadline(self._require_admin(args, admitted.person), LOOKING_UP)
        chosen = self._services.limits.chosen(admitted.team, state.scopes)
        return await within_ack_deadline(chosen)

    async def _require_admin(self, args: AsyncArgs, person: Person) -> None:
        await self._admins.require(args.client, person)
