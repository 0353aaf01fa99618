"""Asks whether a message asks for an image, where that is uncertain, and starts a session from the
answer; keeps a picture that came without words until they come."""

from __future__ import annotations

from bot.domain.attempt import Source
from bot.domain.option_table import OPTIONS
from bot.domain.options import OptionTable
from bot.domain.policy import Person
from bot.domain.prompt import clean_prompt, parse_flags
from bot.domain.questions import PictureQuestion, WaitingPicture, waiting_picture_id
from bot.domain.refusals import Reason, Refusal
from bot.domain.session import Session
from bot.domain.slack_refusals import conversation_kind
from bot.ports import QuestionStore
from bot.service.access import RequestOrigin
from bot.service.new_sessions import NewSessions
from bot.telemetry.context import set_log_fields


class PictureQuestions:
    """Nothing is paid for before the answer. A question is kept on the server for a day."""

    def __init__(
        self,
        questions: QuestionStore,
        new_sessions: NewSessions,
        option_table: OptionTable = OPTIONS,
    ) -> None:
        self._questions = questions
        self._new_sessions = new_sessions
        self._option_table = option_table

    async def ask(
        self, origin: RequestOrigin, text: str, source: Source | None
    ) -> PictureQuestion | None:
        """The question that is to be shown; None where the same message has raised it before.
        Raises `Refusal` for words from which no image could be started."""
        clean_prompt(parse_flags(text, self._option_table).prompt)
        question = PictureQuestion(
            id=origin.session_id(),
            team=origin.team,
            person=origin.person,
            channel=origin.channel,
            thread_ts=origin.thread_ts,
            idempotency_key=origin.idempotency_key,
            text=text,
            source=source,
        )
        return question if await self._questions.keep_question(question) else None

    async def answer(self, question_id: str, person: Person, *, use_picture: bool) -> Session:
        """Start from the picture, or from the words alone. The first answer counts; every later one
        gets the session of the first. Raises `Refusal(QUESTION_EXPIRED)`, and
        `Refusal(NOT_ALLOWED)` for anybody but the person who was asked."""
        set_log_fields(question_id)
        question = await self._questions.question(question_id)
        if not isinstance(question, PictureQuestion):
            raise Refusal(Reason.QUESTION_EXPIRED)
        if question.person != person:
            raise Refusal(Reason.NOT_ALLOWED, question.person.user)
        if use_picture and question.source is None:
            raise Refusal(Reason.QUESTION_EXPIRED)
        origin = RequestOrigin(
            team=question.team,
            person=person,
            channel=question.channel,
            response_url="",
            idempotency_key=question.idempotency_key,
            thread_ts=question.thread_ts,
            place=conversation_kind(question.channel),
        )
        source = question.source if use_picture else None
        session = await self._new_sessions.start(origin, question.text, source)
        if question.source is not None and not question.thread_ts:
            await self._drop(origin, question.source, "")
        return session

    async def keep_picture(self, origin: RequestOrigin, text: str, source: Source) -> None:
        """Keep a picture without words for what the person says next in its thread, or, outside
        threads, in the channel. `text` holds options alone. Raises `Refusal` for one that is not
        possible."""
        parse_flags(text, self._option_table)
        thread_ts = origin.thread_ts or origin.message_ts
        ids = {_waiting_id(origin, place) for place in (thread_ts, origin.thread_ts)}
        kept = [WaitingPicture(each, source, thread_ts, text) for each in sorted(ids)]
        await self._questions.keep_waiting_picture(*kept)

    async def waiting_picture(self, origin: RequestOrigin) -> WaitingPicture | None:
        """The picture that words in this place are about."""
        found = await self._questions.question(_waiting_id(origin, origin.thread_ts))
        return found if isinstance(found, WaitingPicture) else None

    async def start_from_waiting(
        self, origin: RequestOrigin, text: str, picture: WaitingPicture
    ) -> Session:
        """Start from the picture, which waits no longer. It is dropped after the session is stored:
        the same words, delivered twice at once, start one session from it."""
        said = f"{text} {picture.text}".strip()
        session = await self._new_sessions.start(origin, said, picture.source)
        for place in sorted({picture.thread_ts, ""}):
            await self._drop(origin, picture.source, place)
        return session

    async def _drop(self, origin: RequestOrigin, source: Source, thread_ts: str) -> None:
        """The picture waits no longer there; another one that came after it stays."""
        waiting = await self._questions.question(_waiting_id(origin, thread_ts))
        if isinstance(waiting, WaitingPicture) and waiting.source == source:
            await self._questions.drop_question(waiting.id)


def _waiting_id(origin: RequestOrigin, thread_ts: str) -> str:
    return waiting_picture_id(origin.team, origin.owner, origin.channel, thread_ts)
