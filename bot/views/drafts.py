"""A draft in its thread: the images that came, each with what can be done about it.

one image:    image · line · [Approve] [Regenerate] [Refine] [Edit prompt]
several:      (image · [Approve] [Refine], or a line that says why not) × n · line · [Regenerate]
              [Edit prompt]
earlier:      (image · [Use this one]) × n · line
"""

from __future__ import annotations

from bot.domain.attempt import Attempt, Candidate
from bot.domain.images import AI_LABEL
from bot.domain.session import Session
from bot.domain.stages import Event, Stage
from bot.domain.transitions import can
from bot.views import blocks, ids
from bot.views.blocks import Block
from bot.views.captions import ai_alt_text, ai_line, descent, described, origin
from bot.views.failure_words import few_words
from bot.views.ids import Message, draft_marker
from bot.views.text import FALLBACK_TEXT, escape, mention


def is_live(session: Session, number: int) -> bool:
    """Whether this draft is the one to decide about."""
    draft = session.newest_draft
    return can(session, Event.APPROVE) and draft is not None and draft.number == number


def draft_message(session: Session, number: int, *, live: bool, label: str = AI_LABEL) -> Message:
    """The images of an attempt. `live`: with the buttons to decide; otherwise a line says why
    not, and an earlier draft can still be used. `label` says that they are made by AI.

    Where the images could only be shared as plain files, above, there are lines in their place.
    """
    attempt = session.attempt(number)
    several = len(attempt.candidates) > 1
    of = _several if several else _one
    shown = of(session, attempt, live, label)
    shown[0] = shown[0] | {"block_id": draft_marker(session, number)}
    what = f"Attempt {number} {origin(attempt)}".rstrip()
    return Message(f"{what}: {escape(described(session, attempt, FALLBACK_TEXT))}", shown)


def _one(session: Session, attempt: Attempt, live: bool, label: str) -> list[Block]:
    line, made_by = _line(session, attempt, live), ai_line(label, *attempt.images)
    if attempt.as_file:
        shown = [blocks.section(line), blocks.plain_context(made_by)]
    else:
        image = _image(session, attempt, attempt.candidate(1), label)
        shown = [image, blocks.context(line, plain=made_by)]
    if live:
        value = str(ids.Target(session.id, attempt.number))
        approve, refine = _decide(session, attempt, 1)
        regenerate, edit = _go_on(value)
        shown.append(blocks.actions(approve, regenerate, refine, edit))
    elif _can_be_used(session, attempt.number):
        shown.append(blocks.actions(_use_this(session, attempt, 1)))
    return shown


def _several(session: Session, attempt: Attempt, live: bool, label: str) -> list[Block]:
    usable = _can_be_used(session, attempt.number)
    shown: list[Block] = []
    for candidate in attempt.candidates:
        n = candidate.number
        if not candidate.deliverable:
            shown.append(blocks.context(f"Image {n} did not come: {_why(candidate)}"))
            continue
        shown.append(_image(session, attempt, candidate, label))
        if live:
            shown.append(blocks.actions(*_decide(session, attempt, n)))
        elif usable:
            shown.append(blocks.actions(_use_this(session, attempt, n)))
    made_by = ai_line(label, *attempt.images)
    shown.append(blocks.context(_line(session, attempt, live), plain=made_by))
    if live:
        shown.append(blocks.actions(*_go_on(str(ids.Target(session.id, attempt.number)))))
    return shown


def _image(session: Session, attempt: Attempt, candidate: Candidate, label: str) -> Block:
    """`_2` and so on: the ids of the blocks of one message differ."""
    block_id = ids.numbered(draft_marker(session, attempt.number), candidate.number)
    if attempt.as_file:
        return blocks.section(f"Image {candidate.number}: among the files above", block_id)
    title = f"Image {candidate.number}" if len(attempt.candidates) > 1 else ""
    alt_text = ai_alt_text(label, session, attempt, candidate)
    return blocks.image(candidate.file_id, alt_text, block_id, title)


def _line(session: Session, attempt: Attempt, live: bool) -> str:
    parts = [f"{mention(session.user)}, {descent(attempt)}", _size(attempt)]
    if len(attempt.images) < len(attempt.candidates):
        parts.append(f"{len(attempt.images)} of {len(attempt.candidates)} images")
    facts = " · ".join(part for part in [*parts, f"{attempt.seconds:.0f} s"] if part)
    return facts if live else f"{facts}\n{_closing_line(session, attempt)}"


def _size(attempt: Attempt) -> str:
    """The sizes that came; nearly always one."""
    sizes = dict.fromkeys(f"{c.width}×{c.height}" for c in attempt.images)
    return ", ".join(sizes)


def _closing_line(session: Session, attempt: Attempt) -> str:
    if session.final_result == attempt.number:
        which = f"Image {session.final_candidate} approved"
        approved = which if len(attempt.candidates) > 1 else "Approved"
        return f"✅ {approved} by {mention(session.approved_by)}"
    if session.final_result or not _can_be_used(session, attempt.number):
        return "No longer up for review"
    return f"Replaced by attempt {_newer_than(session, attempt.number)}"


def _newer_than(session: Session, number: int) -> int:
    """The attempt that took this one's place: under review, or on its way."""
    draft = session.newest_draft
    if session.stage is Stage.USER_FEEDBACK and draft is not None and draft.number > number:
        return draft.number
    return session.latest.number


def _can_be_used(session: Session, number: int) -> bool:
    """An earlier draft of a session that is not settled: its images can still be approved."""
    undecided = session.stage in {Stage.GENERATING, Stage.USER_FEEDBACK}
    return undecided and not is_live(session, number) and number < len(session.attempts)


def _decide(session: Session, attempt: Attempt, candidate: int) -> tuple[Block, Block]:
    value = str(ids.Target(session.id, attempt.number, candidate))
    approve = ids.numbered(ids.APPROVE, candidate)
    return (
        blocks.button("✅ Approve", approve, value, primary=True),
        blocks.button("🪄 Refine", ids.numbered(ids.REFINE, candidate), value),
    )


def _go_on(value: str) -> tuple[Block, Block]:
    return (
        blocks.button("🔁 Regenerate", ids.REGENERATE, value),
        blocks.button("✏️ Edit prompt", ids.EDIT_PROMPT, value),
    )


def _use_this(session: Session, attempt: Attempt, candidate: int) -> Block:
    value = str(ids.Target(session.id, attempt.number, candidate))
    return blocks.button("Use this one", ids.numbered(ids.USE_THIS, candidate), value)


def _why(candidate: Candidate) -> str:
    return few_words(candidate.failure) if candidate.failure else "there is no image of it"
