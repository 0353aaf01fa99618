"""The buttons of a refusal by a limit, which begin what it leaves."""

from __future__ import annotations

from dataclasses import replace

from slack_bolt.kwargs_injection.async_args import AsyncArgs

from bot.domain.session import Session
from bot.slack.listening import (
    ADMITTED_PERSON,
    AdmittedPerson,
    ListenerDependencies,
    click_id,
    error_boundary,
    origin_of,
    within_ack_deadline,
)
from bot.slack.responders import ClickResponder
from bot.views import words
from bot.views.blocks import target_of
from bot.views.limit_offers import LimitOffer, read_limit_offer
from bot.views.lists import cancelled_words


class LimitOffers:
    """One message begins one attempt, whichever of its buttons are pressed."""

    def __init__(self, dependencies: ListenerDependencies) -> None:
        self._dependencies = dependencies
        self._services = dependencies.services

    async def fewer(self, args: AsyncArgs) -> None:
        """Fewer images, or a lower quality."""
        responder = ClickResponder(args)
        async with error_boundary(responder):
            table = self._services.option_table
            offered = read_limit_offer(args.body["actions"][0].get("value"), table)
            session = await within_ack_deadline(self._begin_offered(args, offered))
            await args.ack()
            await self._dependencies.queue_due(session)
            if responder.is_private:
                await responder.replace_message(words.FEWER_BEGUN)

    async def cancel_waiting(self, args: AsyncArgs) -> None:
        """The refusal stays, with what was typed."""
        responder = ClickResponder(args)
        async with error_boundary(responder):
            target = target_of(args.body["actions"][0].get("value"))
            person = args.context[ADMITTED_PERSON].person
            session = await within_ack_deadline(
                self._services.decisions.cancel(target.session_id, target.image, person)
            )
            await args.ack()
            await self._dependencies.queue_due(session)
            await responder.say(cancelled_words(session))

    async def _begin_offered(self, args: AsyncArgs, offered: LimitOffer) -> Session:
        services = self._services
        if offered.kept:
            admitted: AdmittedPerson = args.context[ADMITTED_PERSON]
            request = await services.refused_requests.find(
                offered.kept, admitted.team, admitted.owner
            )
            offered = offered.with_words(request)
        reduced = offered.reduced
        message = args.body.get("container", {}).get("message_ts") or click_id(args.body)
        key = f"{offered.channel}|{message}"
        if offered.session_id:
            person = args.context[ADMITTED_PERSON].person
            return await services.gateway.begin_reduced(
                offered.session_id, offered.number, person, reduced, key
            )
        origin = replace(
            origin_of(args, offered.channel, offered.thread_ts),
            idempotency_key=key,
            message_ts=offered.asked_ts,
        )
        return await services.new_sessions.start_reduced(
            origin, reduced.prompt or "", reduced.options, offered.source
        )
