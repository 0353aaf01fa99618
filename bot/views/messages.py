"""The messages of a session: root with its status, preview, failure, final. A draft has a module
of its own."""

from __future__ import annotations

from bot.domain.attempt import Attempt
from bot.domain.errors import StoreTrouble
from bot.domain.images import AI_LABEL
from bot.domain.session import Session
from bot.domain.stages import PUBLICATION_REFUSED, Event, Publication, Stage
from bot.domain.transitions import can
from bot.views import blocks, ids
from bot.views.blocks import (
    FALLBACK_TEXT,
    PROMPT_SHOWN,
    SECTION_TEXT,
    Block,
    Message,
    cut,
    escape,
)
from bot.views.captions import (
    ai_alt_text,
    ai_line,
    attempt_name,
    changes,
    described,
    option_words,
)

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


def root_message(
    session: Session, ahead: int | None, now: float, waits_for: StoreTrouble | None = None
) -> Message:
    """Who, the prompt and the status, with Cancel while an image is made. `ahead` is the number of
    images before this one in the queue, None where it is not known. `now` is in seconds since the
    epoch. `waits_for` is the trouble of the store that the attempt waits for."""
    status = status_words(session, ahead, now, waits_for)
    options = option_words(session.options)
    who = f"<@{session.user}> imagines"
    lead = blocks.section(f"{who}, from a picture" if session.source else who)
    delivery = session.latest.deliveries if session.attempts else 0
    shown = [
        lead | {"block_id": ids.marker(session, "root", delivery=delivery)},
        blocks.section(plain=cut(session.task_input, PROMPT_SHOWN) or "(started over)"),
        blocks.context(status, options) if options else blocks.context(status),
    ]
    shown += _root_buttons(session)
    imagined = escape(cut(session.task_input, FALLBACK_TEXT))
    return Message(f"{who}: {imagined}\n{status}", shown)


def _root_buttons(session: Session) -> list[Block]:
    """Cancel while an image is made. Ways to go on where a cancelled session has no draft, and
    where Slack refused the approved image."""
    if can(session, Event.CANCEL):
        return [blocks.buttons(ids.Target(session.id, session.latest.number), ids.CANCEL)]
    if session.publication is Publication.REFUSED:
        target = ids.Target(session.id, session.final_result)
        return [blocks.buttons(target, ids.TRY_AGAIN, ids.START_OVER)]
    no_draft = session.stage is Stage.INITIAL_INPUT and bool(session.attempts)
    if no_draft and session.latest.cancelled:
        target = ids.Target(session.id, session.latest.number)
        return [blocks.buttons(target, ids.TRY_AGAIN, ids.EDIT_PROMPT)]
    return []


def preview_message(
    session: Session, number: int, file_id: str, *, label: str = AI_LABEL
) -> Message:
    """A partial image of an attempt, with a line that says so."""
    line = f"🎨 Preview of attempt {number}: the model is still at work"
    image = blocks.image(file_id, ai_alt_text(label, session, session.attempt(number)))
    marked = image | {"block_id": ids.marker(session, "preview", number)}
    return Message(line, [marked, blocks.context(line, plain=label)])


def failure_message(session: Session, number: int, words: str, *, edit_prompt: bool) -> Message:
    """Why an attempt failed and what to do next, with the buttons to do it."""
    text = f"<@{session.user}> {words}"
    marker = ids.marker(session, "failure", number, session.attempt(number).deliveries)
    lead = blocks.section(f"⚠️ {text}") | {"block_id": marker}
    row = [ids.EDIT_PROMPT, ids.TRY_AGAIN] if edit_prompt else [ids.TRY_AGAIN]
    target = ids.Target(session.id, number)
    return Message(text, [lead, blocks.buttons(target, *row, primary=ids.EDIT_PROMPT)])


def notice_message(session: Session, words: str, try_again: int = 0) -> Message:
    """What the owner is told in private: with a button where an attempt can be tried again."""
    if not try_again or len(words) > SECTION_TEXT:
        return Message(words, [])
    target = ids.Target(session.id, try_again)
    return Message(words, [blocks.section(words), blocks.buttons(target, ids.TRY_AGAIN)])


def final_message(
    session: Session, *, link: str = "", retired: bool = False, label: str = AI_LABEL
) -> Message:
    """The approved image, for the thread and the channel. A `retired` one has no Start over.
    `label` says that the image is made by AI. `link` leads to the image where Slack did not take it
    into a message."""
    approved = session.attempt(session.final_result)
    image = approved.candidate(session.final_candidate)
    marker = ids.marker(session, "final", approved.number)
    lead = f"✅ <@{session.user}>’s approved image"
    if session.approved_by != session.user:
        lead = f"{lead}, approved by <@{session.approved_by}>"
    alt_text = ai_alt_text(label, session, approved, image)
    linked = blocks.section(f"<{escape(link)}|See the image>")
    shown = [
        blocks.section(lead) | {"block_id": marker},
        (linked if link else blocks.image(session.final_file_id or image.file_id, alt_text))
        | {"block_id": f"image-{marker}"},
        blocks.section(plain=cut(approved.prompt, PROMPT_SHOWN)),
    ]
    if asked := changes(session, approved):
        shown.append(blocks.section(plain=cut("\n".join(asked), PROMPT_SHOWN)))
    shown.append(blocks.context(plain=ai_line(label, image)))
    if not retired:
        shown.append(blocks.buttons(ids.Target(session.id, approved.number), ids.START_OVER))
    caption = described(session, approved, FALLBACK_TEXT)
    return Message(f"Approved image: {escape(caption)}", shown)


def status_words(
    session: Session,
    ahead: int | None,
    now: float | None,
    waits_for: StoreTrouble | None = None,
) -> str:
    """In mrkdwn: where the session stands. `ahead` and `waits_for` are those of `root_message`.
    `now` is None for a text that is not updated every few seconds: it tells no seconds."""
    cancelled = bool(session.attempts) and session.latest.cancelled
    match session.stage:
        case Stage.GENERATING:
            return _generating(session.latest, ahead, now, waits_for)
        case Stage.USER_FEEDBACK if cancelled:
            which = f"🚫 Attempt {session.latest.number} cancelled"
            return f"{which} · 👀 waiting for review by <@{session.user}>"
        case Stage.USER_FEEDBACK if session.last_attempt_failed:
            return "⚠️ The last attempt failed: see the thread"
        case Stage.USER_FEEDBACK:
            return f"👀 Waiting for review by <@{session.user}>"
        case Stage.FINAL if session.publication in PUBLICATION_REFUSED:
            who = f"<@{session.approved_by}>"
            return f"⚠️ Approved by {who}, but Slack did not let me post it to the channel"
        case Stage.FINAL:
            return f"✅ Approved by <@{session.approved_by}>"
        case Stage.INITIAL_INPUT if cancelled:
            return "🚫 Cancelled"
        case Stage.INITIAL_INPUT if session.last_attempt_failed and not session.started_over:
            return "⚠️ Failed: see the thread"
        case Stage.INITIAL_INPUT:
            return "🔄 Started over"


def _generating(
    attempt: Attempt, ahead: int | None, now: float | None, waits_for: StoreTrouble | None
) -> str:
    """The first attempt of a session is not named by its number."""
    name = attempt_name(attempt)
    if attempt.number == 1:
        name = name.removeprefix("attempt 1").strip()
    which = f", {name}" if name else ""
    if waits_for is not None:
        return f"⏳ Waiting{which}: {_WAITS[waits_for]}. It goes on by itself {_GOES_ON[waits_for]}"
    if attempt.generated_at:
        return f"📤 Uploading{which}…"
    if not attempt.has_started:
        return f"⏳ Queued{which}, {ahead} ahead" if ahead else f"⏳ Queued{which}"
    seconds = "" if now is None else f" {max(0, round(now - attempt.started_at))} s"
    status = f"🎨 Generating{which}…{seconds}"
    made, asked = sum(c.has_image for c in attempt.candidates), len(attempt.candidates)
    if made and asked > 1:
        status = f"{status} · {made} of {asked} images {'is' if made == 1 else 'are'} there"
    return status
