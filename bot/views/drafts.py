"""A draft in its thread: the images that came, each with its buttons.

one image:    image · line · [Approve] [Regenerate] [Refine] [Edit prompt]
several:      (image · [Approve] [Refine], or why the image did not come) × n · line · [Regenerate]
              [Edit prompt]
earlier:      (image · [Use this one]) × n · line
"""

from __future__ import annotations

from bot.domain.attempt import Attempt, Candidate
from bot.domain.images import AI_LABEL
from bot.domain.session import Session
from bot.domain.stages import Event
from bot.domain.transitions import can
from bot.views import blocks, ids
from bot.views.blocks import FALLBACK_TEXT, Block, Message, cut, escape, one_line
from bot.views.captions import ai_alt_text, ai_line, attempt_name, described
from bot.views.failure_words import few_words

CHANGE_SHOWN = 100
_NOT_THERE = "there is no image of it"


def draft_message(session: Session, number: int, *, label: str = AI_LABEL) -> Message:
    """The images of an attempt. A draft has the buttons to decide when it is posted, and while it
    is the newest one under review. After that it has a line that says why not, and the images of an
    earlier draft can still be used. `label` says that the images are made by AI."""
    attempt = session.attempt(number)
    under_review = can(session, Event.APPROVE) and session.newest_draft == attempt
    live = under_review or not attempt.message_ts
    usable = not live and session.in_progress and number < len(session.attempts)
    line = _line(session, attempt, live, usable)
    if len(attempt.candidates) > 1:
        per_image = [ids.APPROVE, ids.REFINE] if live else [ids.USE_THIS] if usable else []
        shown = _several(session, attempt, line, per_image, label)
        row = [ids.REGENERATE, ids.EDIT_PROMPT] if live else []
    else:
        shown = _one(session, attempt, line, label)
        row = [ids.APPROVE, ids.REGENERATE, ids.REFINE, ids.EDIT_PROMPT] if live else []
        row += [ids.USE_THIS] if usable else []
    if row:
        shown.append(blocks.buttons(ids.Target(session.id, number), *row, primary=ids.APPROVE))
    shown[0] |= {"block_id": ids.marker(session, "draft", number)}
    caption = escape(described(session, attempt, FALLBACK_TEXT))
    return Message(f"{attempt_name(attempt).capitalize()}: {caption}", shown)


def _one(session: Session, attempt: Attempt, line: str, label: str) -> list[Block]:
    """The only image, and the line. A plain file stands above the message."""
    image, made_by = attempt.candidate(1), ai_line(label, *attempt.images)
    if attempt.as_file:
        return [blocks.section(line), blocks.context(plain=made_by)]
    alt_text = ai_alt_text(label, session, attempt, image)
    return [blocks.image(image.file_id, alt_text), blocks.context(line, plain=made_by)]


def _several(
    session: Session, attempt: Attempt, line: str, per_image: list[str], label: str
) -> list[Block]:
    """Each image with its buttons, or why it did not come; then the line."""
    shown: list[Block] = []
    for candidate in attempt.candidates:
        if not candidate.deliverable:
            reason = few_words(candidate.failure) if candidate.failure else _NOT_THERE
            shown.append(blocks.context(f"Image {candidate.number} did not come: {reason}"))
            continue
        shown.append(_candidate(session, attempt, candidate, label))
        if per_image:
            target = ids.Target(session.id, attempt.number, candidate.number)
            shown.append(blocks.buttons(target, *per_image, primary=ids.APPROVE))
    return [*shown, blocks.context(line, plain=ai_line(label, *attempt.images))]


def _candidate(session: Session, attempt: Attempt, candidate: Candidate, label: str) -> Block:
    """One image of several, or a line about its plain file. The ids of the blocks of a message
    differ."""
    title = f"Image {candidate.number}"
    block_id = ids.numbered(ids.marker(session, "draft", attempt.number), candidate.number)
    if attempt.as_file:
        return blocks.section(f"{title}: among the files above") | {"block_id": block_id}
    alt_text = ai_alt_text(label, session, attempt, candidate)
    image = blocks.image(candidate.file_id, alt_text)
    return image | {"block_id": block_id, "title": blocks.plain(title)}


def _line(session: Session, attempt: Attempt, live: bool, usable: bool) -> str:
    """In mrkdwn: whose attempt it is, the sizes and the number of its images, and the seconds."""
    name = f"<@{session.user}>, {attempt_name(attempt)}"
    if attempt.change and attempt.base and attempt.base.attempt:
        name = f"{name}, “{escape(cut(one_line(attempt.change), CHANGE_SHOWN))}”"
    sizes = ", ".join(dict.fromkeys(f"{c.width}×{c.height}" for c in attempt.images))
    came, asked = len(attempt.images), len(attempt.candidates)
    count = f"{came} of {asked} images" if came < asked else ""
    facts = " · ".join(filter(None, [name, sizes, count, f"{attempt.seconds:.0f} s"]))
    return facts if live else f"{facts}\n{_closing_line(session, attempt, usable)}"


def _closing_line(session: Session, attempt: Attempt, usable: bool) -> str:
    """In mrkdwn: why the attempt is not up for review."""
    if session.final_result == attempt.number:
        which = f"Image {session.final_candidate} approved"
        approved = which if len(attempt.candidates) > 1 else "Approved"
        return f"✅ {approved} by <@{session.approved_by}>"
    if session.final_result or not usable:
        return "No longer up for review"
    draft = session.newest_draft
    under_review = can(session, Event.APPROVE) and draft and draft.number > attempt.number
    newer = draft if draft and under_review else session.latest
    return f"Replaced by attempt {newer.number}"
