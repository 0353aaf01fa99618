"""The question whether a picture is meant, and the words for its answer."""

from __future__ import annotations

from bot.domain.attempt import ImageRef
from bot.domain.errors import Refusal
from bot.domain.questions import PictureQuestion
from bot.domain.session import Session
from bot.views.blocks import (
    FALLBACK_TEXT,
    PROMPT_SHOWN,
    Message,
    Target,
    buttons,
    cut,
    escape,
    section,
)
from bot.views.ids import USE_PICTURE, WORDS_ONLY
from bot.views.words import refusal_words

_IN_DOUBT = (
    "There is a picture at the top of this thread. Shall I start from it, or make a new image "
    "from your words alone? Nothing is started before you choose."
)
_WAITING = (
    "You sent me a picture without words before. Shall I start from it, or make a new image from "
    "your words alone? Nothing is started before you choose."
)
_FIRST_OF_SEVERAL = "There are several; I would take the first."
_UNUSABLE = (
    "There is a picture at the top of this thread, but I can't start from it. {why}\n"
    "I can make a new image from your words alone. Nothing is started before you choose."
)
FROM_PICTURE = "I start from the picture at the top of this thread. The draft comes here."
FROM_WORDS = "I make a new image from your words alone. The draft comes to this thread."
FROM_WAITING = "I start from the picture that you sent."
FROM_WORDS_ALONE = "I make a new image from your words alone."


def picture_question(
    question: PictureQuestion, refusal: Refusal | None, *, several: bool = False
) -> Message:
    """For one person alone. `refusal` says why the picture cannot be used, where it cannot.
    `several`: there are further pictures. Outside threads it is about a picture that the person
    sent before."""
    target = Target(question.id, ImageRef(0))
    if question.source is None:
        asked = _UNUSABLE.format(why=refusal_words(refusal) if refusal else "")
        row = buttons(target, WORDS_ONLY)
    else:
        asked = _IN_DOUBT if question.thread_ts else _WAITING
        asked = f"{asked} {_FIRST_OF_SEVERAL}" if several else asked
        row = buttons(target, USE_PICTURE, WORDS_ONLY)
    text = f"{asked}\n{escape(cut(question.text, FALLBACK_TEXT))}"
    return Message(text, [section(asked), section(plain=cut(question.text, PROMPT_SHOWN)), row])


def answered_words(session: Session) -> str:
    """What the first answer was."""
    if session.thread_ts in ("", session.root_ts):
        return FROM_WAITING if session.source else FROM_WORDS_ALONE
    return FROM_PICTURE if session.source else FROM_WORDS
