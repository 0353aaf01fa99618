"""The messages of a session: root with its status, preview, draft, final.

A draft shows the images that came, each with its buttons:

one image:    image · line · [Approve] [Regenerate] [Refine] [Edit prompt]
several:      (image · [Approve] [Refine], or why the image did not come) × n · line · [Regenerate]
              [Edit prompt]
earlier:      (image · [Approve this one] [Refine]) × n · line
the newest, while another attempt is under way: image × n · line with the status · [Cancel]
the newest of a discarded session: image × n · line that says so · [Undo]
"""

from __future__ import annotations

from bot.domain.attempt import Attempt, ImageRef
from bot.domain.books import paid_for
from bot.domain.errors import StoreTrouble
from bot.domain.images import AI_LABEL
from bot.domain.limits import Standing
from bot.domain.session import Session
from bot.domain.stages import Event, Publication, Stage
from bot.domain.transitions import can
from bot.views import blocks, ids
from bot.views.blocks import (
    FALLBACK_TEXT,
    PROMPT_SHOWN,
    Block,
    Message,
    Target,
    cut,
    escape,
    marker,
    numbered,
    one_line,
)
from bot.views.captions import (
    ai_alt_text,
    ai_line,
    attempt_name,
    changes,
    described,
    discarded_words,
    option_words,
    status_words,
)
from bot.views.failure_words import short_failure_words
from bot.views.suggestions import words_offered
from bot.views.usage_words import paid_words

CHANGE_SHOWN = 100
_NOT_THERE = "there is no image of it"
_DECISIONS = [ids.APPROVE, ids.REGENERATE, ids.REFINE, ids.EDIT_PROMPT]
"""The buttons of a draft that is under review."""


def root_message(
    session: Session, ahead: int | None, now: float, waits_for: StoreTrouble | None = None
) -> Message:
    """Who, the prompt and the status, with Cancel while an image is made. `ahead`, `now` and
    `waits_for` are those of `status_words`."""
    status = status_words(session, ahead, now, waits_for)
    options = option_words(session.options)
    who = f"<@{session.user}> imagines"
    lead = blocks.section(f"{who}, from a picture" if session.source else who)
    delivery = session.latest.deliveries if session.attempts else 0
    shown = [
        lead | {"block_id": marker(session, "root", delivery=delivery)},
        blocks.section(plain=cut(session.task_input, PROMPT_SHOWN)),
        blocks.context(status, options) if options else blocks.context(status),
    ]
    shown += _root_buttons(session)
    imagined = escape(cut(session.task_input, FALLBACK_TEXT))
    return Message(f"{who}: {imagined}\n{status}", shown)


def _root_buttons(session: Session) -> list[Block]:
    """Cancel while an image is made, Undo in a discarded session. Ways to go on where a cancelled
    session has no draft, and where Slack refused the approved image."""
    if can(session, Event.CANCEL):
        return [blocks.buttons(Target(session.id, ImageRef(session.latest.number)), ids.CANCEL)]
    if session.discarded:
        return [blocks.buttons(Target(session.id, ImageRef(session.latest.number)), ids.UNDO)]
    if session.publication is Publication.REFUSED:
        target = Target(session.id, ImageRef(session.final_result))
        return [blocks.buttons(target, ids.TRY_AGAIN, ids.START_OVER)]
    no_draft = session.stage is Stage.INITIAL_INPUT and bool(session.attempts)
    if no_draft and session.latest.cancelled:
        target = Target(session.id, ImageRef(session.latest.number))
        return [blocks.buttons(target, ids.TRY_AGAIN, ids.EDIT_PROMPT)]
    return []


def preview_message(
    session: Session, number: int, file_id: str, *, label: str = AI_LABEL
) -> Message:
    """A partial image of an attempt, with a line that says so."""
    line = f"🎨 Preview of attempt {number}: the model is still at work"
    image = blocks.image(file_id, ai_alt_text(label, session, session.attempt(number)))
    marked = image | {"block_id": marker(session, "preview", number)}
    return Message(line, [marked, blocks.context(line, plain=label)])


def draft_message(
    session: Session,
    number: int,
    now: float | None = None,
    *,
    label: str = AI_LABEL,
    budget: Standing | None = None,
) -> Message:
    """The images of an attempt. A draft has the buttons to decide when it is posted, and while it
    is the newest one under review. After that it has a line that says why not. While a decision is
    due, the images of earlier drafts can be approved and refined. While another attempt is under
    way, the newest draft has its status and Cancel; `now` is that of `status_words`. `label` says
    that the images are made by AI. `budget` is told beside what the images cost."""
    attempt = session.attempt(number)
    under_review = can(session, Event.APPROVE) and session.newest_draft == attempt
    live = under_review or not attempt.has_draft
    line, made_by = _line(session, attempt, live, now, budget), ai_line(label, *attempt.images)
    row, target = _row(session, attempt, live), Target(session.id, ImageRef(number))
    if len(attempt.candidates) > 1:
        per_image = [each for each in row if each in ids.OF_ONE_IMAGE]
        row = [each for each in row if each not in ids.OF_ONE_IMAGE]
        images = _several(session, attempt, per_image, label)
        shown = [*images, blocks.context(line, plain=made_by)]
    elif attempt.as_file:  # the image stands above the message
        shown = [blocks.section(line), blocks.context(plain=made_by)]
    else:
        alt_text = ai_alt_text(label, session, attempt, attempt.candidate(1))
        image = blocks.image(attempt.candidate(1).file_id, alt_text)
        shown = [image, blocks.context(line, plain=made_by)]
    if _waits_for_next(session, attempt):
        target = Target(session.id, ImageRef(session.latest.number))
    if row:
        shown.append(blocks.buttons(target, *row, primary=ids.APPROVE))
    if live:
        shown += words_offered(session, attempt)
    shown[0] |= {"block_id": marker(session, "draft", number)}
    caption = escape(described(session, attempt, FALLBACK_TEXT))
    return Message(f"{attempt_name(session, attempt).capitalize()}: {caption}", shown)


def _waits_for_next(session: Session, attempt: Attempt) -> bool:
    """Whether this is the newest draft, and another attempt is under way."""
    return can(session, Event.CANCEL) and attempt.has_draft and session.newest_draft == attempt


def _row(session: Session, attempt: Attempt, live: bool) -> list[str]:
    """The buttons of a draft: none that would be refused."""
    if live:
        return _DECISIONS
    if can(session, Event.APPROVE):
        return [ids.USE_THIS, ids.REFINE]
    if session.discarded and session.newest_draft == attempt:
        return [ids.UNDO]
    return [ids.CANCEL] if _waits_for_next(session, attempt) else []


def _several(session: Session, attempt: Attempt, per_image: list[str], label: str) -> list[Block]:
    """Each image with its buttons, or why it did not come. The ids of the blocks of a message
    differ."""
    shown: list[Block] = []
    for candidate in attempt.candidates:
        title = f"Image {candidate.number} of attempt {attempt.number}"
        if candidate not in attempt.images:
            reason = short_failure_words(candidate.failure) if candidate.failure else _NOT_THERE
            shown.append(blocks.context(f"{title} did not come: {reason}"))
            continue
        block_id = numbered(marker(session, "draft", attempt.number), candidate.number)
        if attempt.as_file:
            image = blocks.section(f"{title}: among the files above")
        else:
            alt_text = ai_alt_text(label, session, attempt, candidate)
            image = blocks.image(candidate.file_id, alt_text) | {"title": blocks.plain(title)}
        shown.append(image | {"block_id": block_id})
        if per_image:
            target = Target(session.id, ImageRef(attempt.number, candidate.number))
            shown.append(blocks.buttons(target, *per_image, primary=ids.APPROVE))
    return shown


def _line(
    session: Session, attempt: Attempt, live: bool, now: float | None, budget: Standing | None
) -> str:
    """In mrkdwn: whose attempt it is, the sizes and the number of its images, the seconds that the
    provider took, and what it cost; then why it is not up for review."""
    name = f"<@{session.user}>, {attempt_name(session, attempt)}"
    if attempt.change and attempt.base and attempt.base.attempt:
        name = f"{name}, “{escape(cut(one_line(attempt.change), CHANGE_SHOWN))}”"
    sizes = ", ".join(dict.fromkeys(f"{c.width}×{c.height}" for c in attempt.images))
    came, asked = len(attempt.images), len(attempt.candidates)
    count = f"{came} of {asked} images" if came < asked else ""
    seconds = max(0.0, attempt.generated_at - attempt.started_at)
    cost = paid_words(paid_for(attempt, *attempt.candidates), budget if live else None)
    facts = " · ".join(filter(None, [name, sizes, count, f"{seconds:.0f} s", cost]))
    if live:
        return facts
    if session.final_result == attempt.number:
        image = f"Image {session.final_candidate} of attempt {attempt.number}"
        which = f"{image} approved" if asked > 1 else "Approved"
        return f"{facts}\n✅ {which} by <@{session.approved_by}>"
    if session.discarded and session.newest_draft == attempt:
        return f"{facts}\n{discarded_words(session)}"
    if _waits_for_next(session, attempt):
        return f"{facts}\n{status_words(session, None, now)}"
    newer = session.newest_draft
    if session.final_result or newer is None or newer.number <= attempt.number:
        return f"{facts}\nNo longer up for review"
    return f"{facts}\nReplaced by attempt {newer.number}"


def final_message(session: Session, *, link: str = "", label: str = AI_LABEL) -> Message:
    """The approved image, for the thread and the channel. `label` says that the image is made by
    AI. `link` leads to the image where Slack did not take it into a message."""
    approved = session.attempt(session.final_result)
    image = approved.candidate(session.final_candidate)
    marked = marker(session, "final", approved.number)
    lead = f"✅ <@{session.user}>’s approved image"
    if session.approved_by != session.user:
        lead = f"{lead}, approved by <@{session.approved_by}>"
    alt_text = ai_alt_text(label, session, approved, image)
    linked = blocks.section(f"<{escape(link)}|See the image>")
    shown = [
        blocks.section(lead) | {"block_id": marked},
        (linked if link else blocks.image(session.final_file_id or image.file_id, alt_text))
        | {"block_id": f"image-{marked}"},
        blocks.section(plain=cut(approved.prompt, PROMPT_SHOWN)),
    ]
    if asked := changes(session, approved):
        shown.append(blocks.section(plain=cut("\n".join(asked), PROMPT_SHOWN)))
    shown.append(blocks.context(plain=ai_line(label, image)))
    target = Target(session.id, ImageRef(approved.number))
    shown.append(blocks.buttons(target, ids.EDIT_IMAGE, ids.START_OVER))
    caption = described(session, approved, FALLBACK_TEXT)
    return Message(f"Approved image: {escape(caption)}", shown)
