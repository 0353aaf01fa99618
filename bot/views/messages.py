"""The messages of a session: root, draft, failure, final."""

from __future__ import annotations

from typing import Any, NamedTuple

from bot.domain.session import Attempt, Session
from bot.domain.stages import Stage
from bot.views import ids
from bot.views.status import status_words
from bot.views.text import ALT_TEXT, FALLBACK_TEXT, PROMPT_SHOWN, cut, escape, mention

Block = dict[str, Any]


class Message(NamedTuple):
    """`text` is what notifications and screen readers get."""

    text: str
    blocks: list[Block]


def root_marker(session: Session) -> str:
    return _marker(session, "root", 0)


def draft_marker(session: Session, number: int) -> str:
    return _marker(session, "draft", number)


def failure_marker(session: Session, number: int) -> str:
    return _marker(session, "failure", number)


def final_marker(session: Session) -> str:
    return _marker(session, "final", session.final_result)


def root_message(session: Session, ahead: int | None, now: float) -> Message:
    """Who, the prompt and the status. `ahead` is the number of images before this one in the
    queue, None where it is not known; `now` is in seconds since the epoch."""
    prompt = session.task_input
    status = status_words(session, ahead, now)
    return Message(
        f"{mention(session.user)} imagines: {escape(cut(prompt, FALLBACK_TEXT))}\n{status}",
        [
            _section(f"{mention(session.user)} imagines", root_marker(session)),
            _plain_section(prompt or "(started over)"),
            _context(status),
        ],
    )


def draft_message(session: Session, number: int, *, live: bool) -> Message:
    """An image to decide about. `live`: with its buttons; otherwise a line says why not.

    Where the image could only be shared as a plain file, above, this is the line and the buttons.
    """
    attempt = session.attempt(number)
    facts = f"{mention(session.user)}, attempt {number} · {_facts(attempt)}"
    line = facts if live else f"{facts}\n{_closing_line(session, number)}"
    marker = draft_marker(session, number)
    shown = _section(line, marker) if attempt.as_file else _image(attempt, marker)
    blocks = [shown] if attempt.as_file else [shown, _context(line)]
    if live:
        blocks.append(_draft_buttons(session, number))
    return Message(f"Attempt {number}: {escape(cut(attempt.prompt, FALLBACK_TEXT))}", blocks)


def is_live(session: Session, number: int) -> bool:
    """Whether this draft is the one to decide about."""
    draft = session.newest_draft
    return session.stage is Stage.USER_FEEDBACK and draft is not None and draft.number == number


def failure_message(session: Session, number: int, words: str, *, edit_prompt: bool) -> Message:
    """What happened and what to do, with the buttons to do it."""
    value = str(ids.Target(session.id, number))
    buttons = [_button("🔁 Try again", ids.TRY_AGAIN, value)]
    if edit_prompt:
        buttons.insert(0, _button("✏️ Edit prompt", ids.EDIT_PROMPT, value, style="primary"))
    text = f"{mention(session.user)} {words}"
    return Message(
        text,
        [
            _section(f"⚠️ {text}", failure_marker(session, number)),
            {"type": "actions", "elements": buttons},
        ],
    )


def final_message(session: Session, *, link: str = "", retired: bool = False) -> Message:
    """The approved image, for the thread and the channel; `retired`: without Start over.

    `link` leads to the image where Slack did not take it into a message.
    """
    approved = session.attempt(session.final_result)
    by = f", approved by {mention(session.approved_by)}"
    marker = final_marker(session)
    image_id = f"image-{marker}"
    shown = _section(f"<{link}|See the image>", image_id) if link else _image(approved, image_id)
    blocks = [
        _section(
            f"✅ {mention(session.user)}’s approved image"
            f"{'' if session.approved_by == session.user else by}",
            marker,
        ),
        shown,
        _plain_section(approved.prompt),
    ]
    if not retired:
        value = str(ids.Target(session.id, approved.number))
        button = _button("🔄 Start over", ids.START_OVER, value)
        blocks.append({"type": "actions", "elements": [button]})
    return Message(f"Approved image: {escape(cut(approved.prompt, FALLBACK_TEXT))}", blocks)


def _marker(session: Session, kind: str, number: int) -> str:
    """The block id by which a message is found again. Opaque; at most 255 characters."""
    return f"{kind}-{session.id}-{number}"


def _facts(attempt: Attempt) -> str:
    return f"{attempt.width}×{attempt.height} · {attempt.seconds:.0f} s"


def _closing_line(session: Session, number: int) -> str:
    if session.final_result == number:
        return f"✅ Approved by {mention(session.approved_by)}"
    if session.final_result or number == len(session.attempts):
        return "No longer up for review"
    return f"Replaced by attempt {len(session.attempts)}"


def _draft_buttons(session: Session, number: int) -> Block:
    value = str(ids.Target(session.id, number))
    return {
        "type": "actions",
        "elements": [
            _button("✅ Approve", ids.APPROVE, value, style="primary"),
            _button("🔁 Regenerate", ids.REGENERATE, value),
        ],
    }


def _button(label: str, action_id: str, value: str, style: str = "") -> Block:
    button: Block = {
        "type": "button",
        "text": {"type": "plain_text", "text": label, "emoji": True},
        "action_id": action_id,
        "value": value,
    }
    return button | ({"style": style} if style else {})


def _image(attempt: Attempt, block_id: str) -> Block:
    return {
        "type": "image",
        "block_id": block_id,
        "slack_file": {"id": attempt.file_id},
        "alt_text": cut(attempt.prompt, ALT_TEXT),
    }


def _section(mrkdwn: str, block_id: str) -> Block:
    return {"type": "section", "block_id": block_id, "text": {"type": "mrkdwn", "text": mrkdwn}}


def _plain_section(text: str) -> Block:
    shown = cut(text, PROMPT_SHOWN)
    return {"type": "section", "text": {"type": "plain_text", "text": shown, "emoji": False}}


def _context(mrkdwn: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": mrkdwn}]}
