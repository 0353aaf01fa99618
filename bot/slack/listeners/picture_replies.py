"""Words about a picture: one that came without words, one that waits for them, or one at the top of
the thread."""

from __future__ import annotations

from bot.domain.attempt import Source
from bot.domain.questions import WaitingPicture
from bot.domain.refusals import Reason, Refusal
from bot.domain.session import Session
from bot.domain.slack_refusals import ConversationKind
from bot.service import RequestOrigin
from bot.slack.listening import ListenerDependencies
from bot.slack.message_pictures import FoundPictures
from bot.views import words
from bot.views.blocks import Message
from bot.views.questions import picture_question
from bot.views.refusal_words import left_aside


class PictureReplies:
    """Answers a session that starts from the picture, or what the person is asked first."""

    def __init__(self, dependencies: ListenerDependencies) -> None:
        self._dependencies = dependencies
        self._services = dependencies.services

    async def keep(self, origin: RequestOrigin, said: str, found: FoundPictures) -> Message:
        """The question what should change about a picture that came without words."""
        await self._services.questions.keep_picture(origin, said, self.source(found))
        asked = words.what_should_change(direct=origin.place is ConversationKind.DIRECT)
        return Message("\n".join([asked, *left_aside_notes(found)]), [])

    async def about_waiting(
        self, origin: RequestOrigin, said: str, waiting: WaitingPicture
    ) -> Session | Message | None:
        """The words are about a picture that came before. In a channel, outside its thread, they
        may well be about something else, so the person is asked."""
        questions = self._services.questions
        if origin.thread_ts and (known := await self._services.replies.session_of_reply(origin)):
            return known
        if origin.thread_ts or origin.place is ConversationKind.DIRECT:
            return await questions.start_from_waiting(origin, said, waiting)
        question = await questions.ask(origin, said, waiting.source)
        return picture_question(question, None) if question else None

    async def ask(self, origin: RequestOrigin, said: str, root: FoundPictures) -> Message | None:
        """Ask whether the picture at the top of the thread is meant."""
        source, refusal = None, root.refusal
        try:
            source = self.source(root) if root.pictures else None
        except Refusal as refused:
            refusal = refused
        question = await self._services.questions.ask(origin, said, source)
        if question is None:
            return None
        return picture_question(question, refusal, several=len(root.pictures) > 1)

    def source(self, found: FoundPictures) -> Source:
        """The picture that is used. Raises `Refusal` where the bot may not fetch it."""
        if not self._dependencies.identity.has_scope("files:read"):
            raise Refusal(Reason.IMAGE_NOT_SHARED)
        return found.pictures[0].source


def left_aside_notes(found: FoundPictures) -> list[str]:
    """The words about files that are left aside."""
    notes = [words.ONE_PICTURE] if len(found.pictures) > 1 else []
    if found.refusal:
        notes.append(left_aside(found.refusal))
    return notes + ([words.NOT_PICTURES] if found.others else [])
