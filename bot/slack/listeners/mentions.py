"""What people say to the bot: by mentioning it in a channel or thread, or in a direct message."""

from __future__ import annotations

import asyncio

from slack_bolt.kwargs_injection.async_args import AsyncArgs
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.attempt import Source
from bot.domain.button_words import ButtonWord, Named, named_button
from bot.domain.courtesies import courtesy_of, plain_words
from bot.domain.errors import Reason, Refusal
from bot.domain.prompt import parse_flags
from bot.domain.questions import WaitingPicture
from bot.domain.session import IN_PROGRESS, Session
from bot.domain.slack_refusals import Place
from bot.service import RequestOrigin
from bot.service.thread_replies import AskedChange, Kept
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
from bot.slack.responders import EventResponder, send_message
from bot.views import words
from bot.views.blocks import Message
from bot.views.lists import goes_on_words
from bot.views.offers import (
    NO_DRAFT,
    kept_words,
    named_button_message,
    suggested_words,
    suggestion_message,
    which_image_message,
)
from bot.views.questions import picture_question

Outcome = Session | Message | Kept | AskedChange | None
"""What words come to; None for a question that was asked before."""


class Mentions:
    """In a session's thread the words are about its newest draft, and so they are below the message
    that started it; anywhere else, and with a picture, they start a session. Below somebody's
    picture the person is asked first. Thanks, greetings and cries for help are answered, and words
    that name a button get the button. A message delivered twice counts once."""

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
                named = None if event.get("files") else named_button(said)
                if named and named.word is ButtonWord.CANCEL:
                    await self._cancel(args, responder)
                else:
                    await self._start_or_edit(args, responder, said, named)

    def _words(self, event: Payload, names: Names = NO_NAMES) -> str:
        return mention_text(event.get("text") or "", self._dependencies.identity.bot_user, names)

    async def _cancel(self, args: AsyncArgs, responder: EventResponder) -> None:
        async with error_boundary(responder, away=words.CANCEL_LOST):
            session, said = await within_ack_deadline(
                cancel(self._dependencies, origin_of_event(args))
            )
            await args.ack()
            if session is not None:
                await self._dependencies.queue_due(session)
            await responder.show(said)

    async def _start_or_edit(
        self, args: AsyncArgs, responder: EventResponder, said: str, named: Named | None
    ) -> None:
        event = args.body["event"]
        away = words.WORDS_LOST if event.get("thread_ts") else words.STORE_AWAY
        async with error_boundary(responder, away=away):
            origin = origin_of_event(args)
            looking = self._look_and_decide(args.client, event, origin, said, named)
            found, outcome = await within_ack_deadline(looking, LOOKING_UP)
            await args.ack()
            match outcome:
                case Message():
                    await responder.show(outcome)
                case Session():
                    noted = await self._dependencies.noted(outcome)
                    await self._dependencies.queue_due(outcome)
                    notes = [*_notes(found), *self._where(outcome, origin), noted]
                    for note in filter(None, notes):
                        await responder.say(note)
                case Kept(session=session, suggested=suggested, first=True):
                    await responder.say(kept_words(session, suggested=suggested))
                case AskedChange(first=True):
                    await self._ask_change(args, responder, outcome)

    async def _ask_change(
        self, args: AsyncArgs, responder: EventResponder, asked: AskedChange
    ) -> None:
        """Ask the person, or offer what they suggest to those who decide, in the thread."""
        session, question, images, unknown, suggested, _ = asked
        if not suggested:
            await responder.show(which_image_message(session, question, images, unknown=unknown))
            return
        offered = suggestion_message(session, question, images)
        thread_ts = session.thread_ts or session.root_ts
        await send_message(args, session.channel, offered.text, thread_ts, offered.blocks)
        await responder.say(suggested_words(session))

    async def _look_and_decide(
        self,
        client: AsyncWebClient,
        event: Payload,
        origin: RequestOrigin,
        said: str,
        named: Named | None,
    ) -> tuple[FoundPictures, Outcome]:
        if named and (offered := await self._offered(origin, named)):
            return FoundPictures(), offered
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
    ) -> Outcome:
        """A session, or a question that is to be asked first; None where it has been asked."""
        new_sessions = self._services.new_sessions
        if found.pictures:
            if not parse_flags(said, self._services.option_table).prompt.strip():
                return await self._keep_picture(origin, said, found)
            return await new_sessions.start(origin, said, self._source(found))
        if found.refusal:
            raise found.refusal
        if found.others:  # without what it came with, it would not be what was meant
            raise Refusal(Reason.IMAGE_TYPE)
        if waiting := await self._services.questions.waiting_picture(origin):
            return await self._about_waiting(origin, said, waiting)
        if origin.thread_ts:
            outcome = await self._services.replies.apply_reply(origin, said)
            if outcome is not None:
                return outcome
            root = await self._lookup.of_root(client, origin.channel, origin.thread_ts)
            if root.pictures or root.refusal:
                return await self._ask(origin, said, root)
        return await new_sessions.start(origin, said)

    async def _offered(self, origin: RequestOrigin, named: Named) -> Message | None:
        """The button that the words name, in private. Words that name one only beside a draft ask
        for an image where there is none: None."""
        undo = named.word is ButtonWord.GO_BACK
        session = await self._services.replies.spoken_of(origin, to_restore=undo)
        waits = session is not None and (bool(origin.thread_ts) or session.stage in IN_PROGRESS)
        if session is not None and (waits or not named.weak):
            return named_button_message(session, named)
        if named.weak and (session is None or named.word is None):
            return None
        return Message(NO_DRAFT, [])

    async def _keep_picture(
        self, origin: RequestOrigin, said: str, found: FoundPictures
    ) -> Message:
        """The question what should change about a picture that came without words."""
        await self._services.questions.keep_picture(origin, said, self._source(found))
        asked = words.what_should_change(direct=origin.place is Place.DIRECT)
        return Message("\n".join([asked, *_notes(found)]), [])

    async def _about_waiting(
        self, origin: RequestOrigin, said: str, waiting: WaitingPicture
    ) -> Outcome:
        """The words are about a picture that came before. In a channel, outside its thread, they
        may well be about something else, so the person is asked."""
        questions = self._services.questions
        if origin.thread_ts and (known := await self._services.replies.applied(origin)):
            return known
        if origin.thread_ts or origin.place is Place.DIRECT:
            return await questions.start_from_waiting(origin, said, waiting)
        question = await questions.ask(origin, said, waiting.source)
        return picture_question(question, None) if question else None

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
