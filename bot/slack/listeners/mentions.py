"""What people say to the bot: by mentioning it in a channel or thread, or in a direct message."""

from __future__ import annotations

import asyncio

from slack_bolt.kwargs_injection.async_args import AsyncArgs
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.attempt import Source
from bot.domain.courtesies import courtesy_of, plain_words
from bot.domain.errors import Reason, Refusal
from bot.domain.session import Session
from bot.service import RequestOrigin
from bot.slack.display_names import DisplayNames
from bot.slack.listeners.text_commands import cancel, list_sessions
from bot.slack.listening import (
    LOOKING_UP,
    ListenerDependencies,
    Payload,
    error_boundary,
    origin_of_event,
    within_ack_deadline,
)
from bot.slack.mention_text import mention_text
from bot.slack.message_lookup import MessageLookup
from bot.slack.message_pictures import FoundPictures, check_links
from bot.slack.notation import NO_NAMES, Names, references
from bot.slack.responders import EventResponder
from bot.views import words
from bot.views.blocks import Message
from bot.views.lists import goes_on_words
from bot.views.questions import picture_question


class Mentions:
    """In a session's thread the words are about its newest draft, and so they are below the message
    that started it; anywhere else, and with a picture, they start a session. Below somebody's
    picture the person is asked first. Thanks, greetings and cries for help are answered. A message
    delivered twice counts once."""

    def __init__(self, dependencies: ListenerDependencies) -> None:
        self._dependencies = dependencies
        self._services = dependencies.services
        self._lookup = MessageLookup(dependencies.identity)
        self._names = DisplayNames(dependencies.identity, dependencies.tasks)

    async def mentioned(self, args: AsyncArgs) -> None:
        await self._handle_text(args)

    async def direct_message(self, args: AsyncArgs) -> None:
        """A direct message needs no mention."""
        if args.body["event"].get("channel_type") == "im":
            await self._handle_text(args)
        else:
            await args.ack()

    async def _handle_text(self, args: AsyncArgs) -> None:
        responder = EventResponder(args)
        event = args.body["event"]
        try:
            said = self._words(event)
        except Refusal:
            async with error_boundary(responder):
                raise
            return
        match plain_words(said):
            case "list":
                async with error_boundary(responder, away=words.ASK_AGAIN):
                    await responder.say(
                        await within_ack_deadline(
                            list_sessions(self._dependencies, origin_of_event(args))
                        )
                    )
            case "cancel":
                await self._cancel(args, responder)
            case _ if courtesy := courtesy_of(said):
                async with error_boundary(responder):
                    await responder.say(words.COURTESIES[courtesy])
            case _:
                await self._start_or_edit(args, responder, said)

    def _words(self, event: Payload, names: Names = NO_NAMES) -> str:
        return mention_text(event.get("text") or "", self._dependencies.identity.bot_user, names)

    async def _cancel(self, args: AsyncArgs, responder: EventResponder) -> None:
        async with error_boundary(responder, away=words.CANCEL_LOST):
            session, said = await within_ack_deadline(
                cancel(self._dependencies, origin_of_event(args))
            )
            await args.ack()
            await self._dependencies.queue_due(session)
            await responder.say(said)

    async def _start_or_edit(self, args: AsyncArgs, responder: EventResponder, said: str) -> None:
        event = args.body["event"]
        away = words.WORDS_LOST if event.get("thread_ts") else words.STORE_AWAY
        async with error_boundary(responder, away=away):
            origin = origin_of_event(args)
            looking = self._look_and_decide(args.client, event, origin, said)
            found, outcome = await within_ack_deadline(looking, LOOKING_UP)
            await args.ack()
            if isinstance(outcome, Message):
                await responder.show(outcome)
            elif outcome is not None:
                noted = await self._dependencies.noted(outcome)
                await self._dependencies.queue_due(outcome)
                notes = [*_notes(found), *self._where(outcome, origin), noted]
                for note in filter(None, notes):
                    await responder.say(note)

    async def _look_and_decide(
        self, client: AsyncWebClient, event: Payload, origin: RequestOrigin, said: str
    ) -> tuple[FoundPictures, Session | Message | None]:
        found, names = await asyncio.gather(
            self._lookup.of_event(client, event),
            self._names.look_up(client, references(event.get("text") or "")),
        )
        if names.known:
            said = self._words(event, names)
        if not (said or found.any):
            raise Refusal(Reason.EMPTY_MENTION)
        if not found.any:
            check_links(event.get("text") or "")
        return found, await self._decide(client, origin, said, found)

    async def _decide(
        self, client: AsyncWebClient, origin: RequestOrigin, said: str, found: FoundPictures
    ) -> Session | Message | None:
        """A session, or a question that is to be asked first; None where it has been asked."""
        new_sessions = self._services.new_sessions
        if found.pictures:
            return await new_sessions.start(origin, said, self._source(found))
        if found.refusal:
            raise found.refusal
        if found.others:  # without what it came with, it would not be what was meant
            raise Refusal(Reason.IMAGE_TYPE)
        if origin.thread_ts:
            session = await self._services.replies.apply_reply(origin, said)
            if session is not None:
                return session
            root = await self._lookup.of_root(client, origin.channel, origin.thread_ts)
            if root.pictures or root.refusal:
                return await self._ask(origin, said, root)
        return await new_sessions.start(origin, said)

    async def _ask(self, origin: RequestOrigin, said: str, root: FoundPictures) -> Message | None:
        """Ask whether the picture at the top of the thread is meant."""
        source, refusal = None, root.refusal
        try:
            source = self._source(root) if root.pictures else None
        except Refusal as refused:
            refusal = refused
        question = await self._services.questions.ask(origin, said, source)
        if question is None:
            return None
        return picture_question(question, refusal, several=len(root.pictures) > 1)

    def _source(self, found: FoundPictures) -> Source:
        if not self._dependencies.identity.has_scope("files:read"):
            raise Refusal(Reason.IMAGE_NOT_SHARED)
        return found.pictures[0].source

    def _where(self, session: Session, origin: RequestOrigin) -> list[str]:
        """Where the draft comes to, if that is not the thread in which it was asked for."""
        if not session.asked_ts or session.asked_ts != origin.thread_ts:
            return []
        return [goes_on_words(session, self._dependencies.identity.url)]


def _notes(found: FoundPictures) -> list[str]:
    """What is said of the files that are left aside."""
    notes = [words.ONE_PICTURE] if len(found.pictures) > 1 else []
    if found.refusal:
        notes.append(words.left_aside(found.refusal))
    return notes + ([words.NOT_PICTURES] if found.others else [])
