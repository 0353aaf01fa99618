"""Every listener, and the one place where they are registered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from slack_bolt.async_app import AsyncApp
from slack_bolt.kwargs_injection.async_args import AsyncArgs
from slack_sdk.errors import SlackApiError

from bot.direction import Direction
from bot.domain.session import Session
from bot.ports import Publisher
from bot.slack.answers import ClickAnswer, CommandAnswer, FormAnswer, answering, in_time
from bot.slack.requests import clicked_target, form_target, form_text, place_of, user_of
from bot.tasks import BackgroundTasks
from bot.views import forms, ids, words
from bot.views.ids import Target

Decision = Callable[[str, int, str], Awaitable[Session]]
"""What a click decides, from the session, the attempt and the user who clicked."""


class Listeners:
    """The listeners. Each acks only what is kept, or says in private why it is not."""

    def __init__(self, direction: Direction, publisher: Publisher, tasks: BackgroundTasks) -> None:
        self._direction = direction
        self._publisher = publisher
        self._tasks = tasks

    def register(self, app: AsyncApp) -> None:
        app.command(words.COMMAND)(self.imagine)
        app.action(ids.APPROVE)(self.approve)
        app.action(ids.REGENERATE)(self.regenerate)
        app.action(ids.TRY_AGAIN)(self.try_again)
        app.action(ids.EDIT_PROMPT)(self.edit_prompt)
        app.action(ids.START_OVER)(self.start_over)
        app.view(ids.PROMPT_FORM)(self.prompt_submitted)
        app.view(ids.EDIT_FORM)(self.edit_submitted)

    async def imagine(self, args: AsyncArgs) -> None:
        """`/imagine`: help, a form, or an image right away."""
        async with answering(CommandAnswer(args), away=words.STORE_AWAY):
            text = args.body.get("text") or ""
            place = place_of(args, args.body["channel_id"])
            if text.strip().lower() == "help":
                await args.ack(text=words.HELP, response_type="ephemeral")
            elif not text.strip():
                session = await in_time(self._direction.open(place))
                await self._open_form(args, forms.prompt_form(Target(session.id, 0)))
            else:
                session = await in_time(self._direction.start(place, text))
                await args.ack()
                await self._direction.queue_owed(session)

    async def approve(self, args: AsyncArgs) -> None:
        await self._decide(args, self._direction.approve)

    async def regenerate(self, args: AsyncArgs) -> None:
        await self._decide(args, self._direction.regenerate)

    async def try_again(self, args: AsyncArgs) -> None:
        await self._decide(args, self._direction.try_again)

    async def edit_prompt(self, args: AsyncArgs) -> None:
        """Open the form with the failed attempt's prompt."""
        async with answering(ClickAnswer(args)):
            target = clicked_target(args.body)
            session = await in_time(self._direction.may_edit(*target, user_of(args)))
            prompt = session.attempt(target.attempt).prompt
            await self._open_form(args, forms.edit_form(target, prompt))

    async def start_over(self, args: AsyncArgs) -> None:
        """Open the form of a new session with the approved one's prompt; submitting it counts."""
        async with answering(ClickAnswer(args)):
            target = clicked_target(args.body)
            old, new = await in_time(self._open_restart(args, target))
            await self._open_form(args, forms.prompt_form(Target(new.id, 0), old.task_input))

    async def prompt_submitted(self, args: AsyncArgs) -> None:
        """The form of a new session."""
        async with answering(FormAnswer(args), away=words.FORM_LOST):
            target, text = form_target(args.body["view"]), form_text(args.body["view"])
            session, old = await in_time(
                self._direction.submit(target.session_id, user_of(args), text)
            )
            await args.ack()
            await self._direction.queue_owed(session)
            if old is not None and old.final_ts:
                self._tasks.spawn(self._publisher.retire_final(old))

    async def edit_submitted(self, args: AsyncArgs) -> None:
        """The form that edits a failed attempt's prompt."""
        async with answering(FormAnswer(args), away=words.FORM_LOST):
            target, text = form_target(args.body["view"]), form_text(args.body["view"])
            session = await in_time(self._direction.try_again(*target, user_of(args), text))
            await args.ack()
            await self._direction.queue_owed(session)

    async def _decide(self, args: AsyncArgs, decision: Decision) -> None:
        async with answering(ClickAnswer(args)):
            session = await in_time(decision(*clicked_target(args.body), user_of(args)))
            await args.ack()
            await self._direction.queue_owed(session)

    async def _open_restart(self, args: AsyncArgs, target: Target) -> tuple[Session, Session]:
        """The approved session, and the one that its form is to start."""
        old = await self._direction.may_start_over(target.session_id, user_of(args))
        return old, await self._direction.open(
            place_of(args, old.channel, old.team), restarts=old.id
        )

    async def _open_form(self, args: AsyncArgs, form: forms.View) -> None:
        """Ack first: whatever Slack's API does, the ack is in time, and the trigger lasts 3 s. A
        trigger that is used up has opened its form already: the request came twice."""
        await args.ack()
        try:
            await args.client.views_open(trigger_id=args.body["trigger_id"], view=form)
        except SlackApiError as error:
            if error.response.get("error") != "exchanged_trigger_id":
                raise
