"""The answers to `/imagine list` and `/imagine cancel`, and the links to threads."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.attempt import ImageRef
from bot.domain.session import Session
from bot.domain.stages import Event, Stage
from bot.domain.transitions import can
from bot.domain.waiting import TooManyWaiting, images_waiting
from bot.views.blocks import Block, Message, Target, button, cut, escape, one_line, section
from bot.views.captions import status_words
from bot.views.ids import BUTTON_LABELS, CANCEL, COMMAND, UNDO

PROMPT_IN_LIST = 80
_WAITING_SHOWN = 5
"""Ideas with waiting images, each with its Cancel."""
_COMES_BY_ITSELF = (
    "The draft comes to this thread by itself, usually within a minute or two; I can't make it "
    "faster. You need not ask again."
)


def thread_link(workspace_url: str, session: Session) -> str:
    """The address of a session's root message; empty before it is posted."""
    if not session.root_ts:
        return ""
    place = f"{workspace_url.rstrip('/')}/archives/{session.channel}"
    message = f"{place}/p{session.root_ts.replace('.', '')}"
    if session.thread_ts in ("", session.root_ts):
        return message
    return f"{message}?thread_ts={session.thread_ts}&cid={session.channel}"


def linked(link: str, label: str) -> str:
    """The label in mrkdwn, with the link where there is one. The label is escaped."""
    return f"<{escape(link)}|{escape(label)}>" if link else escape(label)


def waiting_message(refusal: TooManyWaiting) -> Message:
    """Why nothing was started, and what waits, each with Cancel."""
    waiting = sum(map(images_waiting, refusal.sessions))
    images = "image of yours waits" if waiting == 1 else "images of yours wait"
    words = (
        f"Nothing was started: {waiting} {images} already, and {refusal.at_most} are the most. "
        "Please try again when some of them are made, or cancel one:"
    )
    rows = waiting_rows(refusal.sessions)
    text = "\n".join([words, *(f"• {row['text']['text']}" for row in rows)])
    return Message(text, [section(words), *rows])


def waiting_rows(sessions: Sequence[Session], action_id: str = CANCEL) -> list[Block]:
    """Sessions with images that wait, each with Cancel."""
    return [
        section(f"“{escape(short_prompt(session))}” · {status_words(session, None, None)}")
        | {"accessory": _of_latest(session, action_id)}
        for session in sessions[:_WAITING_SHOWN]
    ]


def _of_latest(session: Session, action_id: str) -> Block:
    """A button that is about the newest attempt."""
    target = Target(session.id, ImageRef(session.latest.number))
    return button(BUTTON_LABELS[action_id], action_id, str(target))


def list_words(sessions: list[Session], total: int, workspace_url: str) -> str:
    """Sessions in progress, in mrkdwn. `total` also counts those that are left out."""
    if not sessions:
        return (
            "You have nothing in progress. "
            f"Type `{COMMAND} a robot eating pizza on Mars` to start something."
        )
    lines = [f"*In progress: {total}*"]
    lines += [f"• {_named(session, workspace_url)}" for session in sessions]
    if total > len(sessions):
        lines.append(f"My Home tab has the other {total - len(sessions)} too.")
    return "\n".join(lines)


def status_message(session: Session, *, may_direct: bool) -> Message:
    """For one person alone, who asked in a thread how far its image is."""
    stands = f"{status_words(session, None, None).rstrip('…')}."
    if session.stage is Stage.GENERATING:
        words = f"{stands} {_COMES_BY_ITSELF}"
        row = [{"type": "actions", "elements": [_of_latest(session, CANCEL)]}] if may_direct else []
        return Message(words, [section(words), *row])
    if session.discarded:
        words = f"{stands} Nothing new was started."
        row = [{"type": "actions", "elements": [_of_latest(session, UNDO)]}] if may_direct else []
        return Message(words, [section(words), *row])
    draft = session.newest_draft if can(session, Event.APPROVE) else None
    if draft is not None:
        ready = f"Attempt {draft.number} is ready and waits for review by <@{session.user}>."
        stands = ready if draft == session.latest else f"{stands} {ready}"
    words = f"{stands} Nothing new was started."
    if may_direct:
        words = f"{words} Go on with the buttons in this thread."
    return Message(words, [section(words)])


def cancelled_words(session: Session, others: int = 0) -> str:
    """The session that was cancelled, in mrkdwn. `others` of the same person go on."""
    words = f"🚫 Cancelled: “{escape(short_prompt(session))}”."
    if not others:
        return words
    go_on = "One other of yours goes" if others == 1 else f"{others} others of yours go"
    return f"{words} {go_on} on; `{COMMAND} cancel` again stops the next."


def goes_on_words(session: Session, workspace_url: str) -> str:
    """Where the draft comes to that somebody asked for below their own message, in mrkdwn."""
    label = linked(thread_link(workspace_url, session), short_prompt(session))
    return f"I go on with it in its own thread, and the new draft comes there: “{label}”."


def short_prompt(session: Session) -> str:
    return cut(one_line(session.task_input), PROMPT_IN_LIST)


def _named(session: Session, workspace_url: str) -> str:
    label = linked(thread_link(workspace_url, session), short_prompt(session))
    return f"{label} · {status_words(session, None, None)}"
