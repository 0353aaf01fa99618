"""Buttons that are offered for what somebody says in a thread: the button that a message names, the
image that a change is about, and the words that were kept for a draft."""

from __future__ import annotations

from bot.domain.attempt import Attempt, ImageRef
from bot.domain.button_words import ButtonWord, NamedButton
from bot.domain.discard import can_be_discarded
from bot.domain.failures import FAILS_AGAIN
from bot.domain.questions import ChangeQuestion
from bot.domain.refusals import Reason
from bot.domain.session import UNDO_FOR, Session
from bot.domain.stages import Event, Stage
from bot.domain.transitions import can
from bot.views import ids
from bot.views.blocks import (
    FALLBACK_TEXT,
    Block,
    Message,
    Target,
    actions,
    button,
    buttons,
    cut,
    edit_value,
    escape,
    numbered,
    one_line,
    section,
)
from bot.views.captions import discarded_words, image_name
from bot.views.lists import short_prompt
from bot.views.refusal_words import REFUSALS
from bot.views.suggestions import (
    WORDS_SHOWN,
    refine_row,
)

_UNDO_MINUTES = round(UNDO_FOR / 60)
NO_DRAFT = (
    "There is no draft here that this could be about, so nothing was started. Say it in the thread "
    f"of a draft. If you want an image of these words, type them after `{ids.COMMAND}`."
)
_ONE_AT_A_TIME = "I change one image at a time."
_NO_SUCH_IMAGE = "There is no such image here."
_STARTS_NOTHING = "Nothing is started before you press a button."
_ASKED = {
    ButtonWord.REGENERATE: "Shall I make another of the same? " + _STARTS_NOTHING,
    ButtonWord.EDIT_PROMPT: "Edit prompt starts afresh from other words or options.",
    ButtonWord.START_OVER: (
        "Start over stands below an approved image. Before that, Edit prompt starts afresh from "
        "other words, and Regenerate makes another of the same."
    ),
    ButtonWord.GO_BACK: (
        "Every earlier draft is still here in the thread: go on from there with the buttons below "
        "it, or say which one you mean, such as: approve attempt 1."
    ),
    ButtonWord.DISLIKE: "Say what should change, or go on with one of these. " + _STARTS_NOTHING,
}
_ROWS = {
    ButtonWord.REGENERATE: (ids.REGENERATE,),
    ButtonWord.EDIT_PROMPT: (ids.EDIT_PROMPT,),
    ButtonWord.START_OVER: (ids.EDIT_PROMPT, ids.REGENERATE),
    ButtonWord.DISLIKE: (ids.REGENERATE, ids.EDIT_PROMPT),
}


def named_button_message(session: Session, named: NamedButton) -> Message:
    """For one person alone: the button that their message names, or why there is none now."""
    if session.discarded:
        return discarded_message(session)
    if named.word is ButtonWord.DISCARD and can_be_discarded(session):
        return discard_offer(session)
    if session.stage is Stage.GENERATING:
        text = f"I'm still working on attempt {session.latest.number}: its buttons come with it."
        target = Target(session.id, ImageRef(session.latest.number))
        return _message(text, buttons(target, ids.CANCEL))
    if session.stage is Stage.FINAL:
        row = [buttons(Target(session.id, ImageRef(session.final_result)), ids.START_OVER)]
        asks = named.word in (ButtonWord.START_OVER, ButtonWord.REGENERATE, ButtonWord.EDIT_PROMPT)
        text = "Start over opens the form with this image's prompt."
        return _message(text if asks else REFUSALS[Reason.ALREADY_APPROVED], *row)
    draft = session.newest_draft
    if not can(session, Event.APPROVE) or draft is None:
        if not session.attempts:
            return Message(NO_DRAFT, [])
        return no_image_message(session)
    if named.word in _ASKED:
        return _about_draft(session, draft, named.word)
    return _about_images(session, draft, named)


def no_image_message(session: Session, change: str = "") -> Message:
    """For one person alone: the ways to go on where no attempt has made an image. `change`: what
    they said should change."""
    said = f" that “{escape(cut(one_line(change), WORDS_SHOWN))}” could change" if change else ""
    text = f"There is no image here yet{said}. {_STARTS_NOTHING}"
    helps = session.latest.failure not in FAILS_AGAIN
    row = (ids.TRY_AGAIN, ids.EDIT_PROMPT) if helps else (ids.EDIT_PROMPT,)
    return _message(text, buttons(Target(session.id, ImageRef(session.latest.number)), *row))


def of_session(session: Session, message: Message) -> Message:
    """The message for a place outside the session's thread: it names the session."""
    which = f"“{escape(short_prompt(session))}”"
    if which in message.text:
        return message
    text = cut(f"{which}\n{message.text}", FALLBACK_TEXT)
    return Message(text, [section(text), *message.blocks[1:]] if message.blocks else [])


def approved_offer(session: Session, change: str) -> Message:
    """For one person alone: the ways to go on from an approved image. The form of Edit this image
    has the change in it that they said."""
    target = Target(session.id, ImageRef(session.final_result))
    edit = button(ids.BUTTON_LABELS[ids.EDIT_IMAGE], ids.EDIT_IMAGE, edit_value(target, change))
    row = actions(edit, *buttons(target, ids.START_OVER)["elements"])
    return _message(REFUSALS[Reason.ALREADY_APPROVED], row)


def discard_offer(session: Session) -> Message:
    """For one person alone: the button that ends their session, or what is said of one that has
    ended so."""
    if session.discarded:
        return discarded_message(session)
    number = session.latest.number
    ends = f"Discard “{escape(short_prompt(session))}”? That ends it without an approved image"
    if session.stage is Stage.GENERATING:
        ends = f"{ends}, and stops attempt {number}"
    text = f"{ends}. Undo works for {_UNDO_MINUTES} minutes. Nothing ends before you press it."
    return _message(text, buttons(Target(session.id, ImageRef(number)), ids.DISCARD))


def discarded_message(session: Session) -> Message:
    """For one person alone: that a session is discarded, with Undo."""
    text = f"“{escape(short_prompt(session))}”\n{discarded_words(session)}"
    return _message(text, buttons(Target(session.id, ImageRef(session.latest.number)), ids.UNDO))


def restored_words(session: Session) -> str:
    """The message that replaces a private one with Undo."""
    return f"↩️ Taken up again: “{escape(short_prompt(session))}”. It is where it was before."


def _about_draft(session: Session, draft: Attempt, word: ButtonWord) -> Message:
    row = list(_ROWS.get(word, ()))
    failed = not session.latest.has_draft
    number = session.latest.number if failed else draft.number
    if failed:
        row = [ids.TRY_AGAIN if each == ids.REGENERATE else each for each in row]
    shown = [buttons(Target(session.id, ImageRef(number)), *row)] if row else []
    return _message(_ASKED[word], *shown)


def _about_images(session: Session, draft: Attempt, named: NamedButton) -> Message:
    """Approve and Refine for the images that are named, or for all where none is."""
    attempt, known = draft, True
    if named.attempt:
        known = named.attempt <= len(session.attempts)
        known = known and session.attempt(named.attempt).has_draft
        attempt = session.attempt(named.attempt) if known else draft
    there = [candidate.number for candidate in attempt.images]
    wanted = there[-1:] if named.last else [n for n in named.images if n in there]
    if len(attempt.candidates) == 1 and not named.attempt and set(named.images) - {1}:
        known = False
    known = known and set(named.images) <= {*there}
    images = [ImageRef(attempt.number, number) for number in wanted if known] or [
        ImageRef(attempt.number, number) for number in there
    ]
    approve = ids.APPROVE if attempt == draft else ids.USE_THIS
    refines, approves = named.word is ButtonWord.REFINE, named.word is not ButtonWord.REFINE
    what = "What should change about" if refines else "Approve"
    which = image_name(session, images[0]) if len(images) == 1 else f"an image of {_of(attempt)}"
    asked = f"{what} {which}? {_STARTS_NOTHING}"
    if refines:
        asked = f"{what} {which}? Say it here, or press Refine."
    elif named.word is None:
        asked = f"What about {which}? Say what should change about it, or press a button."
    if not known:
        asked = f"{_NO_SUCH_IMAGE} {asked}"
    row: list[Block] = []
    for image in images:
        both = [approve] * approves + [ids.REFINE] * (refines or named.word is None)
        row += [_button_of(session, image, each) for each in both]
    return _message(asked, actions(*row))


def _of(attempt: Attempt) -> str:
    return f"attempt {attempt.number}"


def _button_of(session: Session, image: ImageRef, action_id: str) -> Block:
    label = ids.BUTTON_LABELS[ids.APPROVE if action_id == ids.USE_THIS else action_id]
    if len(session.attempt(image.attempt).candidates) > 1:
        label = f"{label} image {image.candidate}"
    target = Target(session.id, image)
    return button(label, numbered(action_id, image.candidate), str(target))


def which_image_message(
    session: Session, question: ChangeQuestion, images: tuple[ImageRef, ...], *, unknown: bool
) -> Message:
    """For one person alone: which image a change is about, whether it is one, or that it waits for
    its draft."""
    said = f"“{escape(cut(one_line(question.text), WORDS_SHOWN))}”"
    if session.stage is Stage.GENERATING:
        lead = "The draft comes in a moment. Then you can press this to change it:"
    elif unknown:
        lead = f"{_NO_SUCH_IMAGE} Which one is this about? {_STARTS_NOTHING}"
    elif len(images) == 1:
        which = image_name(session, images[0])
        lead = f"Is this a change of {which}? I can't answer it as a question. {_STARTS_NOTHING}"
    else:
        of = f"of attempt {images[0].attempt} " if len({i.attempt for i in images}) == 1 else ""
        lead = f"Which image {of}is this about? {_ONE_AT_A_TIME} {_STARTS_NOTHING}"
    with_this = session.stage is Stage.GENERATING or len(images) == 1
    row = refine_row(session, question.id, images, with_this=with_this)
    return _message(f"{lead}\n{said}", row)


def _message(text: str, *more: Block) -> Message:
    return Message(cut(text, FALLBACK_TEXT), [section(text), *more])
