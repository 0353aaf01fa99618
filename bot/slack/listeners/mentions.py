"""What people say to the bot: by mentioning it in a channel or thread, or in a direct message."""

from __future__ import annotations

import asyncio

from slack_bolt.kwargs_injection.async_args import AsyncArgs
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.button_words import ButtonWord, NamedButton, named_button
from bot.domain.courtesies import courtesy_of, plain_words
from bot.domain.limits import LimitReached
from bot.domain.prompt import parse_flags
from bot.domain.refusals import Reason, Refusal
from bot.domain.session import IN_PROGRESS, Session
from bot.domain.status_questions import asks_for_status
from bot.service import RequestOrigin
from bot.service.draft_questions import DraftQuestion
from bot.service.thread_replies import ChangeToConfirm, KeptReply, NothingToChange
from bot.slack.display_names import DisplayNames
from bot.slack.listeners import usage
from bot.slack.listeners.picture_replies import PictureReplies, left_aside_notes
from bot.slack.listeners.text_commands import cancel, list_sessions, status
from bot.slack.listeners.usage import UsageAnswers
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
from bot.slack.private_messages import send_message
from bot.slack.responders import EventResponder
from bot.views import words
from bot.views.blocks import Message
from bot.views.lists import goes_on_words
from bot.views.offers import (
    NO_DRAFT,
    named_button_message,
    no_image_message,
    of_session,
    which_image_message,
)
from bot.views.questions import draft_or_new_message
from bot.views.suggestions import kept_words, suggested_words, suggestion_message

Outcome = Session | Message | KeptReply | ChangeToConfirm | NothingToChange | DraftQuestion | None
"""The result of a message; None for a question that was asked before."""


class Mentions:
    """In a session's thread the words are about its newest draft, and so they are below the message
    that started it; anywhere else, and with a picture, they start a session. Below somebody's
    picture, and where words outside threads read like a change of a draft, the person is asked
    first. Thanks, greetings, cries for help and questions how far an image is are answered, and
    words that name a button get the button. A message delivered twice counts once."""

    def __init__(self, dependencies: ListenerDependencies) -> None:
        self._dependencies = dependencies
        self._services = dependencies.services
        self._lookup = MessageLookup(dependencies.identity)
        self._pictures = PictureReplies(dependencies)
        self._names = DisplayNames(dependencies.identity, dependencies.tasks)
        self._usage = UsageAnswers(dependencies)

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
            case usage.WORDS:
                await self._usage.asked(args, responder, event["channel"])
            case usage.CSV:
                await self._usage.asked_for_csv(args, responder)
            case "settings" if not event.get("files"):
                async with error_boundary(responder):
                    await responder.say(words.SETTINGS_BY_COMMAND)
            case _ if asks_for_status(said) and not event.get("files"):
                async with error_boundary(responder, away=words.ASK_AGAIN):
                    asked = status(self._dependencies, origin_of_event(args))
                    await responder.show(await within_ack_deadline(asked))
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
        self, args: AsyncArgs, responder: EventResponder, said: str, named: NamedButton | None
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
                    waiting_note = await self._dependencies.waiting_note(outcome)
                    await self._dependencies.queue_due(outcome)
                    notes = [*left_aside_notes(found), *self._where(outcome, origin), waiting_note]
                    for note in filter(None, notes):
                        await responder.say(note)
                case KeptReply(session=session, suggested=suggested, first=True):
                    await responder.say(kept_words(session, suggested=suggested))
                case NothingToChange():
                    await responder.show(no_image_message(*outcome))
                case DraftQuestion(first=True):
                    session, change, images, new, several, _ = outcome
                    asked = draft_or_new_message(session, change, images, new, several=several)
                    await responder.show(asked)
                case ChangeToConfirm(first=True):
                    await self._ask_change(args, responder, outcome)

    async def _ask_change(
        self, args: AsyncArgs, responder: EventResponder, asked: ChangeToConfirm
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
        named: NamedButton | None,
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
        try:
            return found, await self._decide(client, origin, said, found)
        except LimitReached as refusal:
            refusal.text = said or refusal.text
            raise

    async def _decide(
        self, client: AsyncWebClient, origin: RequestOrigin, said: str, found: FoundPictures
    ) -> Outcome:
        """A session, or a question that is to be asked first; None where it has been asked."""
        new_sessions = self._services.new_sessions
        if found.pictures:
            if not parse_flags(said, self._services.option_table).prompt.strip():
                return await self._pictures.keep(origin, said, found)
            return await new_sessions.start(origin, said, self._pictures.source(found))
        if found.refusal:
            raise found.refusal
        if found.others:  # without what it came with, it would not be what was meant
            raise Refusal(Reason.IMAGE_TYPE)
        if waiting := await self._services.questions.waiting_picture(origin):
            return await self._pictures.about_waiting(origin, said, waiting)
        if origin.thread_ts:
            outcome = await self._services.replies.apply_reply(origin, said)
            if outcome is not None:
                return outcome
            root = await self._lookup.of_root(client, origin.channel, origin.thread_ts)
            if root.pictures or root.refusal:
                return await self._pictures.ask(origin, said, root)
        if asked := await self._services.draft_questions.ask(origin, said):
            return asked
        return await new_sessions.start(origin, said)

    async def _offered(self, origin: RequestOrigin, named: NamedButton) -> Message | None:
        """The button that the words name, in private. Words that name one only beside a draft ask
        for an image where there is none: None."""
        undo = named.word is ButtonWord.GO_BACK
        session = await self._services.replies.session_of_button(origin, to_restore=undo)
        waits = session is not None and (bool(origin.thread_ts) or session.stage in IN_PROGRESS)
        if session is not None and (waits or not named.weak):
            message = named_button_message(session, named)
            return message if origin.thread_ts else of_session(session, message)
        if named.weak and (session is None or named.word is None):
            return None
        return Message(NO_DRAFT, [])

    def _where(self, session: Session, origin: RequestOrigin) -> list[str]:
        """Where the draft comes to, if that is not the thread in which it was asked for."""
        if not session.asked_ts or session.asked_ts != origin.thread_ts:
            return []
        return [goes_on_words(session, self._dependencies.identity.url)]
