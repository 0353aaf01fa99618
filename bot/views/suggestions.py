"""A colleague's words for a change, and what the owner is shown of them."""

from __future__ import annotations

from bot.domain.attempt import Attempt, ImageRef
from bot.domain.questions import ChangeQuestion
from bot.domain.session import KeptWords, Session
from bot.views import ids
from bot.views.blocks import (
    Block,
    Message,
    Target,
    actions,
    button,
    cut,
    escape,
    one_line,
    section,
)
from bot.views.captions import image_name

SUGGESTION = "suggestion"
"""How the id of the first block of a message with a suggestion begins."""
WORDS_SHOWN = 300


def suggestion_message(
    session: Session, question: ChangeQuestion, images: tuple[ImageRef, ...]
) -> Message:
    """For the thread: what somebody suggests who may not decide, with a button for the owner."""
    text = suggestion_words(session, question)
    whole = section(text) | {"block_id": f"{SUGGESTION}-{question.id}"}
    return Message(text, [whole, refine_row(session, question.id, images)])


def suggestion_words(session: Session, question: ChangeQuestion) -> str:
    shown = escape(cut(one_line(question.text), WORDS_SHOWN))
    return f"💡 <@{question.person.user}> suggests to <@{session.user}>: “{shown}”"


def refined_words(session: Session, question: ChangeQuestion, image: ImageRef) -> str:
    """The message that replaces an answered question."""
    shown = escape(cut(one_line(question.text), WORDS_SHOWN))
    return f"🪄 Refining {image_name(session, image)}: “{shown}”"


def kept_words(session: Session, *, suggested: bool) -> str:
    """Told in private to somebody whose words wait for the draft."""
    number = session.latest.number
    if suggested:
        return f"I'm still working on attempt {number}. {_offered_to(session, 'with its draft')}"
    return (
        f"I'm still working on attempt {number}, and I keep what you said: the draft will have a "
        "button for it. Cancel stops what is being made."
    )


def suggested_words(session: Session) -> str:
    """Told in private to somebody whose suggestion was posted."""
    return _offered_to(session, "here in the thread")


def _offered_to(session: Session, where: str) -> str:
    return (
        f"Only <@{session.user}> can decide about this image, so I offer what you said as a "
        f"suggestion, {where}. For an image of your own, mention me in the channel with your idea."
    )


def words_offered(session: Session, attempt: Attempt) -> list[Block]:
    """Below a draft: what was said while it was being made, each with its buttons."""
    shown: list[Block] = []
    for place, kept in enumerate(session.words_for(attempt)):
        there = tuple(ImageRef(attempt.number, c.number) for c in attempt.images)
        named = kept.image
        meant = (named,) if named and (named in there or session.shows(named)) else there
        row = refine_row(session, kept.question_id, meant, f"_{place}", with_this=True)
        shown += [section(_said(session, kept)), row]
    return shown


def words_meanwhile(session: Session, number: int) -> list[Block]:
    """Below a failure that leaves no draft: what was said meanwhile, so that it is not lost."""
    if session.newest_draft is not None:
        return []
    return [section(_said(session, kept)) for kept in session.words_for(session.attempt(number))]


def _said(session: Session, kept: KeptWords) -> str:
    who = "You said" if kept.user == session.user else f"<@{kept.user}> said"
    who = f"💡 <@{kept.user}> suggests" if kept.suggested else who
    return f"{who}: “{escape(cut(one_line(kept.text), WORDS_SHOWN))}”"


def refine_row(
    session: Session,
    question_id: str,
    images: tuple[ImageRef, ...],
    place: str = "",
    *,
    with_this: bool = True,
) -> Block:
    """A button for each image that may be meant."""
    attempts = {image.attempt for image in images}
    row = []
    for number, image in enumerate(images, 1):
        name = image_name(session, image)
        if len(attempts) == 1 and len(session.attempt(image.attempt).candidates) > 1:
            name = f"image {image.candidate}"
        label = name[:1].upper() + name[1:]
        if with_this:
            whole = ids.BUTTON_LABELS[ids.REFINE_WITH]
            single = len(images) == 1 and name == image_name(session, image)
            label = whole if single else f"🪄 Refine {name} with this"
        action_id = f"{ids.REFINE_WITH}{place}_{number}"
        row.append(button(label, action_id, str(Target(question_id, image))))
    return actions(*row)
