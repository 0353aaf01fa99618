"""Asks whether words outside a thread are about a draft that waits there, where they read like a
change."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from bot.domain.attempt import ImageRef
from bot.domain.change_words import reads_like_change
from bot.domain.image_names import read_change
from bot.domain.questions import ChangeQuestion
from bot.domain.session import Session
from bot.domain.stages import Event, Stage
from bot.domain.transitions import can
from bot.ports import QuestionStore, SessionLists
from bot.service.access import RequestOrigin
from bot.service.picture_questions import PictureQuestions

_RECENT = 20
"""How many of a person's sessions that changed last are searched for a draft."""


class DraftQuestion(NamedTuple):
    """A change of one of the images, or a new image: the latter is the question `new_image`.
    `several`: other drafts of the person wait there, too. `first`: it has not been asked before."""

    session: Session
    change: ChangeQuestion
    images: tuple[ImageRef, ...]
    new_image: str
    several: bool
    first: bool


class DraftQuestions:
    """Nothing is paid for before the answer."""

    def __init__(
        self, sessions: SessionLists, questions: QuestionStore, new_images: PictureQuestions
    ) -> None:
        self._sessions = sessions
        self._questions = questions
        self._new_images = new_images

    async def ask(self, origin: RequestOrigin, text: str) -> DraftQuestion | None:
        """None where the words are a prompt, or no draft of the person's waits there. Raises
        `Refusal` for words that are neither a change nor a prompt."""
        if origin.thread_ts or not reads_like_change(text):
            return None
        change_id = replace(origin, idempotency_key=f"{origin.idempotency_key}|change").session_id()
        asked = await self._questions.question(change_id)
        if isinstance(asked, ChangeQuestion):
            session = await self._sessions.load(asked.session_id)
            return DraftQuestion(session, asked, (), "", several=False, first=False)
        waiting = await self._waiting(origin)
        if not waiting or (draft := waiting[0].newest_draft) is None:
            return None
        session, several = waiting[0], len(waiting) > 1
        said = read_change(text, session, draft)
        images = said.images or tuple(ImageRef(draft.number, c.number) for c in draft.images)
        first = await self._new_images.ask(origin, text, None) is not None
        change = ChangeQuestion(change_id, session.id, origin.person, said.text)
        await self._questions.keep_question(change)
        return DraftQuestion(session, change, images, origin.session_id(), several, first)

    async def _waiting(self, origin: RequestOrigin) -> list[Session]:
        """The person's sessions in that channel with a draft under review, newest first."""
        entries = await self._sessions.summaries_of(origin.team, origin.owner)
        ids = [e.session_id for e in entries if e.stage is Stage.USER_FEEDBACK][:_RECENT]
        recent = await self._sessions.load_many(ids)
        here = (s for s in recent if s.channel == origin.channel and s.newest_draft is not None)
        return [s for s in here if can(s, Event.APPROVE)]
