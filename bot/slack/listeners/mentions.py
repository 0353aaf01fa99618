"""What people say to the bot: by mentioning it in a channel or thread, or in a direct message."""

from __future__ import annotations

from slack_bolt.kwargs_injection.async_args import AsyncArgs

from bot.domain.attempt import Source
from bot.domain.errors import Reason, Refusal
from bot.domain.session import Session
from bot.service import RequestOrigin
from bot.slack.listeners.text_commands import cancel, list_sessions
from bot.slack.listening import (
    ListenerDependencies,
    error_boundary,
    origin_of_event,
    within_ack_deadline,
)
from bot.slack.mention_text import mention_text
from bot.slack.message_lookup import MessageLookup
from bot.slack.message_pictures import FoundPictures
from bot.slack.responders import EventResponder
from bot.views import words
from bot.views.help_words import help_words


class Mentions:
    """In a session's thread the words are about its newest draft; anywhere else, and with a
    picture, they start a session. A message delivered twice counts once."""

    def __init__(self, dependencies: ListenerDependencies) -> None:
        self._dependencies = dependencies
        self._services = dependencies.services
        self._lookup = MessageLookup(dependencies.identity)

    async def mentioned(self, args: AsyncArgs) -> None:
        await self._hear(args)

    async def written_to(self, args: AsyncArgs) -> None:
        """A direct message needs no mention."""
        if args.body["event"].get("channel_type") == "im":
            await self._hear(args)
        else:
            await args.ack()

    async def _hear(self, args: AsyncArgs) -> None:
        responder = EventResponder(args)
        event = args.body["event"]
        try:
            said = mention_text(event.get("text") or "", self._dependencies.identity.bot_user)
        except Refusal:
            async with error_boundary(responder):
                raise
            return
        match said.lower():
            case "help":
                async with error_boundary(responder):
                    await responder.say(help_words())
            case "list":
                async with error_boundary(responder, away=words.ASK_AGAIN):
                    await responder.say(
                        await within_ack_deadline(
                            list_sessions(self._dependencies, origin_of_event(args))
                        )
                    )
            case "cancel":
                await self._cancel(args, responder)
            case _:
                await self._direct(args, responder, said)

    async def _cancel(self, args: AsyncArgs, responder: EventResponder) -> None:
        async with error_boundary(responder, away=words.CANCEL_LOST):
            session, said = await within_ack_deadline(
                cancel(self._dependencies, origin_of_event(args))
            )
            await args.ack()
            await self._dependencies.queue_owed(session)
            await responder.say(said)

    async def _direct(self, args: AsyncArgs, responder: EventResponder, said: str) -> None:
        in_thread = args.body["event"].get("thread_ts")
        away = words.WORDS_LOST if in_thread else words.STORE_AWAY
        async with error_boundary(responder, away=away):
            found = await self._lookup.of_event(args.client, args.body["event"])
            if not (said or found.any):
                raise Refusal(Reason.EMPTY_MENTION)
            session = await within_ack_deadline(self._decide(origin_of_event(args), said, found))
            await args.ack()
            await self._dependencies.queue_owed(session)
            for note in _notes(found):
                await responder.say(note)

    async def _decide(self, origin: RequestOrigin, said: str, found: FoundPictures) -> Session:
        if found.pictures:
            return await self._services.new_sessions.start(origin, said, self._source(found))
        if found.refusal:
            raise found.refusal
        if found.others:  # without what it came with, it would not be what was meant
            raise Refusal(Reason.IMAGE_TYPE)
        if origin.thread_ts:
            session = await self._services.replies.apply_reply(origin, said)
            if session is not None:
                return session
        return await self._services.new_sessions.start(origin, said)

    def _source(self, found: FoundPictures) -> Source:
        if not self._dependencies.identity.may("files:read"):
            raise Refusal(Reason.IMAGE_NOT_SHARED)
        return found.pictures[0].source


def _notes(found: FoundPictures) -> list[str]:
    """What is said of the files that are left aside."""
    notes = [words.ONE_PICTURE] if len(found.pictures) > 1 else []
    if found.refusal:
        notes.append(words.left_aside(found.refusal))
    return notes + ([words.NOT_PICTURES] if found.others else [])
