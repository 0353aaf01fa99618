"""The question whether a picture is meant, and the words for its answer."""

from __future__ import annotations

from bot.domain.attempt import ImageRef
from bot.domain.questions import ChangeQuestion, PictureQuestion
from bot.domain.refusals import Refusal
from bot.domain.session import Session
from bot.views.blocks import (
    FALLBACK_TEXT,
    PROMPT_SHOWN,
    Message,
    Target,
    button,
    buttons,
    cut,
    escape,
    one_line,
    section,
)
from bot.views.ids import BUTTON_LABELS, USE_PICTURE, WORDS_ONLY
from bot.views.lists import short_prompt
from bot.views.refusal_words import refusal_words
from bot.views.suggestions import WORDS_SHOWN, refine_row

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
_ANOTHER_DRAFT = "For another of your drafts, say it in its thread."
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


def draft_or_new_message(
    session: Session,
    change: ChangeQuestion,
    images: tuple[ImageRef, ...],
    new_image: str,
    *,
    several: bool,
) -> Message:
    """For one person alone: whether what they said outside a thread changes the session's draft.
    `new_image` is the question to which a new image is the answer. `several`: other drafts of
    theirs wait there, too."""
    prompt = escape(short_prompt(session))
    lead = f"Is this about your draft “{prompt}”? Nothing is started before you choose."
    lead = f"{lead} {_ANOTHER_DRAFT}" if several else lead
    text = f"{lead}\n“{escape(cut(one_line(change.text), WORDS_SHOWN))}”"
    row = refine_row(session, change.id, images)
    target = Target(new_image, ImageRef(0))
    row["elements"].append(button(BUTTON_LABELS[WORDS_ONLY], WORDS_ONLY, str(target)))
    return Message(text, [section(text), row])


def answered_words(session: Session) -> str:
    """The message that names the first answer."""
    if session.thread_ts in ("", session.root_ts):
        return FROM_WAITING if session.source else FROM_WORDS_ALONE
    return FROM_PICTURE if session.source else FROM_WORDS
