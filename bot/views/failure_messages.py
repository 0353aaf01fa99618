"""The messages about a failed attempt: in the thread, after another attempt, and in private."""

from __future__ import annotations

from bot.domain.attempt import ImageRef
from bot.domain.session import Session
from bot.domain.stages import Event
from bot.domain.transitions import can
from bot.views import blocks, ids
from bot.views.blocks import SECTION_TEXT, Block, Message, Target, marker
from bot.views.captions import status_words
from bot.views.failure_words import short_failure_words
from bot.views.suggestions import words_meanwhile


def failure_message(session: Session, number: int, words: str, *, try_again: bool) -> Message:
    """Why an attempt failed and what to do next, with the buttons to do it. `try_again`: the same
    request may succeed."""
    text = f"<@{session.user}> {words}"
    marked = marker(session, "failure", number, session.attempt(number).deliveries)
    lead = blocks.section(f"⚠️ {text}") | {"block_id": marked}
    said = words_meanwhile(session, number)
    return Message(text, [lead, *said, _after_failure(session, number, try_again=try_again)])


def _after_failure(session: Session, number: int, *, try_again: bool) -> Block:
    row = [ids.TRY_AGAIN, ids.EDIT_PROMPT] if try_again else [ids.EDIT_PROMPT]
    return blocks.buttons(Target(session.id, ImageRef(number)), *row, primary=row[0])


def earlier_failure_message(session: Session, number: int, now: float | None = None) -> Message:
    """A failure that another attempt followed, with the status and Cancel while that is made. After
    a cancellation it can be tried again. `now` is that of `status_words`."""
    attempt, latest = session.attempt(number), session.latest
    reason = f": {short_failure_words(attempt.failure)}" if attempt.failure else ""
    text = f"<@{session.user}> Attempt {number} did not come{reason}."
    row: list[str] = []
    if can(session, Event.CANCEL):
        line, row = status_words(session, None, now), [ids.CANCEL]
    elif latest.cancelled and (can(session, Event.SUBMIT) or can(session, Event.REGENERATE)):
        line, row = f"Attempt {latest.number} was cancelled.", [ids.TRY_AGAIN, ids.EDIT_PROMPT]
    else:
        line = f"Followed by attempt {latest.number}"
    marked = marker(session, "failure", number, attempt.deliveries)
    shown = [blocks.section(f"⚠️ {text}") | {"block_id": marked}, blocks.context(line)]
    if row:
        shown.append(blocks.buttons(Target(session.id, ImageRef(latest.number)), *row))
    return Message(f"{text}\n{line}", shown)


def notice_message(
    session: Session, words: str, failed: int = 0, *, try_again: bool = True
) -> Message:
    """What the owner is told in private: with the buttons of a failure where attempt `failed` can
    be gone on with."""
    if not failed or len(words) > SECTION_TEXT:
        return Message(words, [])
    return Message(
        words, [blocks.section(words), _after_failure(session, failed, try_again=try_again)]
    )
