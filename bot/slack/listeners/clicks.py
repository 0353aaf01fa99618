"""The buttons of a session's messages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from slack_bolt.kwargs_injection.async_args import AsyncArgs

from bot.domain.attempt import ImageRef
from bot.domain.person import Person
from bot.domain.session import Session
from bot.slack.listeners.dependencies import Desk, open_form
from bot.slack.requests import click_id, clicked_target, person_of, place_of
from bot.slack.responders import ClickAnswer, answering, in_time
from bot.views import forms
from bot.views.ids import Target

Decision = Callable[[str, ImageRef, Person], Awaitable[Session]]
"""What a click decides, from the session, the image and the person who clicked."""


class Clicks:
    """Each is about the image that its button's value names."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._direction = desk.direction

    async def approve(self, args: AsyncArgs) -> None:
        await self._decide(args, self._direction.approve)

    async def use_this(self, args: AsyncArgs) -> None:
        """Approve an image of an earlier draft."""
        await self._decide(args, self._direction.use_earlier)

    async def regenerate(self, args: AsyncArgs) -> None:
        asked_by = click_id(args.body)
        await self._decide(args, partial(self._direction.regenerate, asked_by=asked_by))

    async def try_again(self, args: AsyncArgs) -> None:
        asked_by = click_id(args.body)
        await self._decide(args, partial(self._direction.try_again, asked_by=asked_by))

    async def cancel(self, args: AsyncArgs) -> None:
        await self._decide(args, self._direction.cancel)

    async def refine(self, args: AsyncArgs) -> None:
        """Open the form that asks what should change."""
        async with answering(ClickAnswer(args)):
            target = clicked_target(args.body)
            session = await in_time(
                self._direction.may_refine(target.session_id, target.image, person_of(args))
            )
            await open_form(args, forms.refine_form(target, session))

    async def edit_prompt(self, args: AsyncArgs) -> None:
        """Open the form with the attempt's prompt and options."""
        async with answering(ClickAnswer(args)):
            target = clicked_target(args.body)
            session = await in_time(
                self._direction.may_edit(target.session_id, target.attempt, person_of(args))
            )
            edited = session.attempt(target.attempt)
            form = forms.edit_form(target, edited.prompt, edited.options, self._direction.qualities)
            await open_form(args, form)

    async def start_over(self, args: AsyncArgs) -> None:
        """Open the form of a new session with the approved one's prompt; submitting it counts."""
        async with answering(ClickAnswer(args)):
            target = clicked_target(args.body)
            old, new = await in_time(self._restart(args, target))
            prompt = old.attempt(old.final_result).prompt
            form = forms.prompt_form(
                Target(new.id, 0), prompt, new.options, self._direction.qualities
            )
            await open_form(args, form)

    async def _decide(self, args: AsyncArgs, decision: Decision) -> None:
        async with answering(ClickAnswer(args)):
            target = clicked_target(args.body)
            session = await in_time(decision(target.session_id, target.image, person_of(args)))
            await args.ack()
            await self._desk.queue_owed(session)

    async def _restart(self, args: AsyncArgs, target: Target) -> tuple[Session, Session]:
        """The approved session, and the one that its form is to start."""
        old = await self._direction.may_start_over(target.session_id, person_of(args))
        place = place_of(args, old.channel)
        return old, await self._direction.restart(place, old)
