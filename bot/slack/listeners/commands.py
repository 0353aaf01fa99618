"""`/imagine`: a word alone is a question, anything else an image, or a form that asks for one."""

from __future__ import annotations

from slack_bolt.kwargs_injection.async_args import AsyncArgs

from bot.domain.attempt import ImageRef
from bot.domain.prompt import MAX_TYPED
from bot.slack.listeners import usage
from bot.slack.listeners.limits import LimitsForms
from bot.slack.listeners.text_commands import cancel, list_sessions
from bot.slack.listeners.usage import UsageAnswers
from bot.slack.listening import (
    ListenerDependencies,
    error_boundary,
    open_form,
    origin_of,
    within_ack_deadline,
)
from bot.slack.message_pictures import check_links
from bot.slack.responders import CommandResponder
from bot.views import forms, words
from bot.views.blocks import Target
from bot.views.help_words import help_words


class Commands:
    """A word alone is a question; anything else is an image, or a form that asks for one."""

    def __init__(self, dependencies: ListenerDependencies) -> None:
        self._dependencies = dependencies
        self._limits = LimitsForms(dependencies)
        self._usage = UsageAnswers(dependencies)

    async def imagine(self, args: AsyncArgs) -> None:
        text, responder = args.body.get("text") or "", CommandResponder(args)
        match " ".join(text.lower().split()) if len(text) <= MAX_TYPED else "":
            case "help":
                async with error_boundary(responder):
                    await responder.say(help_words())
            case "list":
                await self._list(args, responder)
            case "cancel":
                await self._cancel(args, responder)
            case "settings":
                await self._limits.asked(args, responder)
            case usage.WORDS:
                await self._usage.asked(args, responder, args.body["channel_id"])
            case usage.CSV:
                await self._usage.asked_for_csv(args, responder)
            case _:
                await self._start(args, responder, text)

    async def _list(self, args: AsyncArgs, responder: CommandResponder) -> None:
        async with error_boundary(responder, away=words.ASK_AGAIN):
            await responder.say(
                await within_ack_deadline(list_sessions(self._dependencies, origin_of(args, "")))
            )

    async def _cancel(self, args: AsyncArgs, responder: CommandResponder) -> None:
        async with error_boundary(responder, away=words.CANCEL_LOST):
            origin = origin_of(args, args.body["channel_id"])
            session, said = await within_ack_deadline(cancel(self._dependencies, origin))
            await responder.show(said)
            if session is not None:
                await self._dependencies.queue_due(session)

    async def _start(self, args: AsyncArgs, responder: CommandResponder, text: str) -> None:
        """An image right away; a form where there is no prompt, with what options there are."""
        async with error_boundary(responder, away=words.STORE_AWAY):
            check_links(text)
            services = self._dependencies.services
            origin = origin_of(args, args.body["channel_id"])
            async with self._dependencies.deciding.slot():
                session = await within_ack_deadline(
                    services.new_sessions.start(origin, text, may_wait=True)
                )
                waiting_note = await self._dependencies.waiting_note(session)
                if session.attempts and not waiting_note:
                    await args.ack()
            if session.attempts:
                if waiting_note:
                    await responder.say(waiting_note)
                await self._dependencies.queue_due(session)
                return
            target = Target(session.id, ImageRef(0))
            cost = await self._dependencies.cost_words(args, session.channel, session.options)
            form = forms.prompt_form(target, "", session.options, services.option_table, cost=cost)
            await open_form(args, form)
