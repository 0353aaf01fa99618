"""What people say to the bot: by mentioning it in a channel or thread, or in a direct message."""

from __future__ import annotations

from slack_bolt.kwargs_injection.async_args import AsyncArgs

from bot.domain.attempt import Source
from bot.domain.errors import Reason, Refusal
from bot.domain.session import Session
from bot.service import Place
from bot.slack.event_answer import EventAnswer
from bot.slack.listeners.dependencies import Desk
from bot.slack.listeners.text_commands import cancel_here, list_of
from bot.slack.mention_text import mention_text
from bot.slack.message_pictures import Found, pictures_among
from bot.slack.requests import place_of_event
from bot.slack.responders import answering, in_time
from bot.views import replies, words


class Mentions:
    """In a session's thread the words are about its newest draft; anywhere else, and with a
    picture, they start a session. A message delivered twice counts once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._direction = desk.direction

    async def mentioned(self, args: AsyncArgs) -> None:
        await self._hear(args)

    async def written_to(self, args: AsyncArgs) -> None:
        """A direct message needs no mention."""
        if args.body["event"].get("channel_type") == "im":
            await self._hear(args)
        else:
            await args.ack()

    async def _hear(self, args: AsyncArgs) -> None:
        answer = EventAnswer(args)
        event = args.body["event"]
        try:
            said = mention_text(event.get("text") or "", self._desk.identity.bot_user)
        except Refusal:
            async with answering(answer):
                raise
            return
        match said.lower():
            case "help":
                async with answering(answer):
                    await answer.say(words.HELP)
            case "list":
                async with answering(answer, away=replies.ASK_AGAIN):
                    await answer.say(await in_time(list_of(self._desk, place_of_event(args))))
            case "cancel":
                await self._cancel(args, answer)
            case "" if not event.get("files"):
                async with answering(answer):
                    await answer.say(words.EMPTY_MENTION)
            case _:
                await self._direct(args, answer, said)

    async def _cancel(self, args: AsyncArgs, answer: EventAnswer) -> None:
        async with answering(answer, away=replies.CANCEL_LOST):
            session, said = await in_time(cancel_here(self._desk, place_of_event(args)))
            await args.ack()
            await self._desk.queue_owed(session)
            await answer.say(said)

    async def _direct(self, args: AsyncArgs, answer: EventAnswer, said: str) -> None:
        in_thread = args.body["event"].get("thread_ts")
        away = replies.WORDS_LOST if in_thread else words.STORE_AWAY
        async with answering(answer, away=away):
            found = pictures_among(args.body["event"].get("files") or [])
            session = await in_time(self._decide(place_of_event(args), said, found))
            await args.ack()
            await self._desk.queue_owed(session)
            for note in _notes(found):
                await answer.say(note)

    async def _decide(self, place: Place, said: str, found: Found) -> Session:
        if found.pictures:
            return await self._direction.start(place, said, self._source(found))
        if found.refusal:
            raise found.refusal
        if found.others:  # without what it came with, it would not be what was meant
            raise Refusal(Reason.IMAGE_TYPE)
        if place.thread_ts:
            session = await self._direction.said_in_thread(place, said)
            if session is not None:
                return session
        return await self._direction.start(place, said)

    def _source(self, found: Found) -> Source:
        if not self._desk.identity.may("files:read"):
            raise Refusal(Reason.IMAGE_NOT_SHARED)
        return found.pictures[0].source


def _notes(found: Found) -> list[str]:
    notes = [replies.ONE_PICTURE] if len(found.pictures) > 1 else []
    return notes + ([replies.NOT_PICTURES] if found.others else [])
