"""The buttons of a session's messages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from slack_bolt.kwargs_injection.async_args import AsyncArgs

from bot.domain.attempt import ImageRef
from bot.domain.policy import Person
from bot.domain.session import Session
from bot.slack.listening import (
    ListenerDependencies,
    acting_of,
    click_id,
    error_boundary,
    open_form,
    origin_of,
    target_of,
    within_ack_deadline,
)
from bot.slack.responders import ClickResponder
from bot.views import forms
from bot.views.ids import Target

Decision = Callable[[str, ImageRef, Person], Awaitable[Session]]
"""What a click decides, from the session, the image and the person who clicked."""


class Clicks:
    """Each is about the image that its button's value names."""

    def __init__(self, dependencies: ListenerDependencies) -> None:
        self._dependencies = dependencies
        self._services = dependencies.services

    async def approve(self, args: AsyncArgs) -> None:
        await self._decide(args, self._services.decisions.approve)

    async def use_this(self, args: AsyncArgs) -> None:
        """Approve an image of an earlier draft."""
        await self._decide(args, self._services.decisions.use_earlier)

    async def regenerate(self, args: AsyncArgs) -> None:
        asked_by = click_id(args.body)
        await self._decide(args, partial(self._services.gateway.regenerate, asked_by=asked_by))

    async def try_again(self, args: AsyncArgs) -> None:
        asked_by = click_id(args.body)
        await self._decide(args, partial(self._services.gateway.try_again, asked_by=asked_by))

    async def cancel(self, args: AsyncArgs) -> None:
        await self._decide(args, self._services.decisions.cancel)

    async def refine(self, args: AsyncArgs) -> None:
        """Open the form that asks what should change."""
        async with error_boundary(ClickResponder(args)):
            target = target_of(args.body["actions"][0].get("value"))
            session = await within_ack_deadline(
                self._services.gateway.check_can_refine(
                    target.session_id, target.image, acting_of(args).person
                )
            )
            await open_form(args, forms.refine_form(target, session))

    async def edit_prompt(self, args: AsyncArgs) -> None:
        """Open the form with the attempt's prompt and options."""
        async with error_boundary(ClickResponder(args)):
            target = target_of(args.body["actions"][0].get("value"))
            session = await within_ack_deadline(
                self._services.gateway.check_can_edit(
                    target.session_id, target.attempt, acting_of(args).person
                )
            )
            edited = session.attempt(target.attempt)
            form = forms.edit_form(
                target, edited.prompt, edited.options, self._services.option_table
            )
            await open_form(args, form)

    async def start_over(self, args: AsyncArgs) -> None:
        """Open the form of a new session with the approved one's prompt; submitting it counts."""
        async with error_boundary(ClickResponder(args)):
            target = target_of(args.body["actions"][0].get("value"))
            old, new = await within_ack_deadline(
                self._services.new_sessions.restart(origin_of(args, ""), target.session_id)
            )
            prompt = old.attempt(old.final_result).prompt
            form = forms.prompt_form(
                Target(new.id, 0), prompt, new.options, self._services.option_table
            )
            await open_form(args, form)

    async def _decide(self, args: AsyncArgs, decision: Decision) -> None:
        async with error_boundary(ClickResponder(args)):
            target = target_of(args.body["actions"][0].get("value"))
            session = await within_ack_deadline(
                decision(target.session_id, target.image, acting_of(args).person)
            )
            await args.ack()
            await self._dependencies.queue_owed(session)
