"""`/imagine`."""

from __future__ import annotations

from slack_bolt.kwargs_injection.async_args import AsyncArgs

from bot.slack.listeners.dependencies import Desk, open_form
from bot.slack.listeners.text_commands import cancel_newest, list_of
from bot.slack.requests import one_word, place_of
from bot.slack.responders import CommandAnswer, answering, in_time
from bot.views import forms, replies, words
from bot.views.ids import Target


class Commands:
    """A word alone is a question; anything else is an image, or a form that asks for one."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def imagine(self, args: AsyncArgs) -> None:
        text, answer = args.body.get("text") or "", CommandAnswer(args)
        match one_word(text):
            case "help":
                async with answering(answer):
                    await answer.say(words.HELP)
            case "list":
                await self._list(args, answer)
            case "cancel":
                await self._cancel(args, answer)
            case _:
                await self._start(args, answer, text)

    async def _list(self, args: AsyncArgs, answer: CommandAnswer) -> None:
        async with answering(answer, away=replies.ASK_AGAIN):
            await answer.say(await in_time(list_of(self._desk, place_of(args, ""))))

    async def _cancel(self, args: AsyncArgs, answer: CommandAnswer) -> None:
        async with answering(answer, away=replies.CANCEL_LOST):
            place = place_of(args, args.body["channel_id"])
            session, said = await in_time(cancel_newest(self._desk, place))
            await answer.say(said)
            await self._desk.queue_owed(session)

    async def _start(self, args: AsyncArgs, answer: CommandAnswer, text: str) -> None:
        """An image right away; a form where there is no prompt, with what options there are."""
        async with answering(answer, away=words.STORE_AWAY):
            direction = self._desk.direction
            place = place_of(args, args.body["channel_id"])
            session = await in_time(direction.start(place, text, may_wait=True))
            if session.attempts:
                await args.ack()
                await self._desk.queue_owed(session)
                return
            target = Target(session.id, 0)
            form = forms.prompt_form(target, "", session.options, direction.qualities)
            await open_form(args, form)
