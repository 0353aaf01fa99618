"""The messages of a session: root, draft, preview, failure, final."""

from __future__ import annotations

from bot.domain.attempt import Attempt, Candidate
from bot.domain.errors import StoreTrouble
from bot.domain.images import AI_LABEL
from bot.domain.publication import Publication
from bot.domain.session import Session
from bot.domain.stages import Event, Stage
from bot.domain.transitions import can
from bot.views import blocks, ids
from bot.views.blocks import Block
from bot.views.captions import ai_alt_text, ai_line, changes, described, origin
from bot.views.drafts import draft_message, is_live
from bot.views.ids import (
    Message,
    draft_marker,
    failure_marker,
    final_marker,
    preview_marker,
    root_marker,
)
from bot.views.option_words import option_words
from bot.views.text import FALLBACK_TEXT, cut, escape, mention

__all__ = [
    "Message",
    "draft_marker",
    "draft_message",
    "failure_marker",
    "failure_message",
    "final_marker",
    "final_message",
    "is_live",
    "preview_marker",
    "preview_message",
    "root_marker",
    "root_message",
]


def root_message(
    session: Session, ahead: int | None, now: float, waits_for: StoreTrouble | None = None
) -> Message:
    """Who, the prompt and the status, with Cancel while there is something to cancel. `ahead` is
    the number of images before this one in the queue, None where it is not known; `now` is in
    seconds since the epoch. `waits_for`: what keeps the store from taking what is under way."""
    prompt = session.task_input
    status = status_words(session, ahead, now, waits_for)
    options = option_words(session.options)
    from_picture = ", from a picture" if session.source else ""
    shown = [
        blocks.section(f"{mention(session.user)} imagines{from_picture}", root_marker(session)),
        blocks.plain_section(prompt or "(started over)"),
        blocks.context(status, options) if options else blocks.context(status),
    ]
    if buttons := _root_buttons(session):
        shown.append(blocks.actions(*buttons))
    imagined = escape(cut(prompt, FALLBACK_TEXT))
    return Message(f"{mention(session.user)} imagines: {imagined}\n{status}", shown)


def preview_message(
    session: Session, number: int, file_id: str, *, label: str = AI_LABEL
) -> Message:
    """What the model has so far of an attempt; which one, is recorded with the image."""
    line = f"🎨 Preview of attempt {number}: the model is still at work"
    alt_text = ai_alt_text(label, session, session.attempt(number))
    shown = blocks.image(file_id, alt_text, preview_marker(session, number))
    return Message(line, [shown, blocks.context(line, plain=label)])


def failure_message(session: Session, number: int, words: str, *, edit_prompt: bool) -> Message:
    """What happened and what to do, with the buttons to do it."""
    buttons = [_try_again(session, number)]
    if edit_prompt:
        buttons.insert(0, _edit_prompt(session, number, primary=True))
    text = f"{mention(session.user)} {words}"
    marker = failure_marker(session, number)
    return Message(text, [blocks.section(f"⚠️ {text}", marker), blocks.actions(*buttons)])


def final_message(
    session: Session, *, link: str = "", retired: bool = False, label: str = AI_LABEL
) -> Message:
    """The approved image, for the thread and the channel; `retired`: without Start over. `label`
    says that it is made by AI.

    `link` leads to the image where Slack did not take it into a message.
    """
    approved = session.attempt(session.final_result)
    by = f", approved by {mention(session.approved_by)}"
    shown = [
        blocks.section(
            f"✅ {mention(session.user)}’s approved image"
            f"{'' if session.approved_by == session.user else by}",
            final_marker(session),
        ),
        _final_image(session, link, label),
        blocks.plain_section(approved.prompt),
    ]
    if asked := changes(session, approved):
        shown.append(blocks.plain_section("\n".join(asked)))
    shown.append(blocks.plain_context(ai_line(label, _approved_candidate(session))))
    if not retired:
        shown.append(blocks.actions(_start_over(session, approved.number)))
    caption = described(session, approved, FALLBACK_TEXT)
    return Message(f"Approved image: {escape(caption)}", shown)


def _approved_candidate(session: Session) -> Candidate:
    return session.attempt(session.final_result).candidate(session.final_candidate)


def _final_image(session: Session, link: str, label: str) -> Block:
    approved = session.attempt(session.final_result)
    image_id = f"image-{final_marker(session)}"
    if link:
        return blocks.section(f"<{escape(link)}|See the image>", image_id)
    candidate = _approved_candidate(session)
    alt_text = ai_alt_text(label, session, approved, candidate)
    return blocks.image(candidate.file_id, alt_text, image_id)


def _root_buttons(session: Session) -> list[Block]:
    """Cancel while something is made; ways to go on after a cancellation that left no draft, and
    where the approved image could not be published."""
    if can(session, Event.CANCEL):
        value = str(ids.Target(session.id, session.latest.number))
        return [blocks.button("🛑 Cancel", ids.CANCEL, value)]
    if session.publication is Publication.REFUSED:
        number = session.final_result
        return [_try_again(session, number), _start_over(session, number)]
    none_left = session.stage is Stage.INITIAL_INPUT and bool(session.attempts)
    if none_left and session.latest.cancelled:
        number = session.latest.number
        return [_try_again(session, number), _edit_prompt(session, number)]
    return []


def _try_again(session: Session, number: int) -> Block:
    return blocks.button("🔁 Try again", ids.TRY_AGAIN, str(ids.Target(session.id, number)))


def _start_over(session: Session, number: int) -> Block:
    return blocks.button("🔄 Start over", ids.START_OVER, str(ids.Target(session.id, number)))


def _edit_prompt(session: Session, number: int, *, primary: bool = False) -> Block:
    value = str(ids.Target(session.id, number))
    return blocks.button("✏️ Edit prompt", ids.EDIT_PROMPT, value, primary=primary)


_WAITS = {
    StoreTrouble.AWAY: "I can't reach my memory",
    StoreTrouble.FULL: "my memory is full",
    StoreTrouble.READ_ONLY: "my memory takes nothing new",
}
_GOES_ON = {
    StoreTrouble.AWAY: "as soon as I can",
    StoreTrouble.FULL: "as soon as there is room",
    StoreTrouble.READ_ONLY: "as soon as it does",
}


def status_words(
    session: Session,
    ahead: int | None,
    now: float | None,
    waits_for: StoreTrouble | None = None,
) -> str:
    """In mrkdwn. `ahead`: images before this one in the queue, None where it is not known; `now`
    is None for what is not brought up to date every few seconds. `waits_for`: what keeps the store
    from taking what is under way."""
    if waits_for is not None and session.stage is Stage.GENERATING:
        which = _which(session.latest)
        return f"⏳ Waiting{which}: {_WAITS[waits_for]}. It goes on by itself {_GOES_ON[waits_for]}"
    cancelled = bool(session.attempts) and session.latest.cancelled
    match session.stage:
        case Stage.GENERATING:
            return _working(session, ahead, now)
        case Stage.USER_FEEDBACK if cancelled:
            which = f"🚫 Attempt {session.latest.number} cancelled"
            return f"{which} · 👀 waiting for review by {mention(session.user)}"
        case Stage.USER_FEEDBACK if session.last_attempt_failed:
            return "⚠️ The last attempt failed: see the thread"
        case Stage.USER_FEEDBACK:
            return f"👀 Waiting for review by {mention(session.user)}"
        case Stage.FINAL if session.publication.was_refused:
            who = mention(session.approved_by)
            return f"⚠️ Approved by {who}, but Slack did not let me post it to the channel"
        case Stage.FINAL:
            return f"✅ Approved by {mention(session.approved_by)}"
        case Stage.INITIAL_INPUT if cancelled:
            return "🚫 Cancelled"
        case Stage.INITIAL_INPUT if session.last_attempt_failed and not session.started_over:
            return "⚠️ Failed: see the thread"
        case Stage.INITIAL_INPUT:
            return "🔄 Started over"


def _working(session: Session, ahead: int | None, now: float | None) -> str:
    attempt = session.latest
    which = _which(attempt)
    if attempt.generated_at:
        return f"📤 Uploading{which}…"
    if attempt.started_at:
        seconds = "" if now is None else f" {max(0, round(now - attempt.started_at))} s"
        return f"🎨 Generating{which}…{seconds}{_so_far(attempt)}"
    if ahead:
        return f"⏳ Queued{which}, {ahead} ahead"
    return f"⏳ Queued{which}"


def _which(attempt: Attempt) -> str:
    """The first attempt of a session needs no name."""
    named = [f"attempt {attempt.number}"] if attempt.number > 1 else []
    words = " ".join([*named, *([origin(attempt)] if attempt.base else [])])
    return f", {words}" if words else ""


def _so_far(attempt: Attempt) -> str:
    there = sum(c.has_image for c in attempt.candidates)
    if not there or len(attempt.candidates) == 1:
        return ""
    return f" · {there} of {len(attempt.candidates)} images {'is' if there == 1 else 'are'} there"
