"""Asks whether a message asks for an image, where that is uncertain, and starts a session from the
answer."""

from __future__ import annotations

from bot.domain.attempt import Source
from bot.domain.errors import Reason, Refusal
from bot.domain.options import OPTIONS, OptionTable
from bot.domain.prompt import clean_prompt, parse_flags
from bot.domain.questions import PictureQuestion
from bot.domain.session import Person, Session
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
        if question is None:
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
        )
        source = question.source if use_picture else None
        return await self._new_sessions.start(origin, question.text, source)
