"""What people see in Slack."""

from __future__ import annotations

from collections import Counter

from tests.programs.chaos.evidence import Evidence
from tests.programs.chaos.finding import Finding

_OF_EXCEPTIONS = ("Traceback", "Error(", "Exception(", "redis://", " object at 0x")


def one_root_per_session(evidence: Evidence) -> list[Finding]:
    """Every session that was asked for anything has one root message; one that was taken back
    because its person was told that it was not kept, has none."""
    found = []
    for session in evidence.last.values():
        count = len(evidence.of(session.id, "root"))
        if count != int(bool(session.attempts) and session.id in evidence.sessions):
            found.append(Finding("one_root_per_session", f"{count} root messages", session.id))
    return found


def one_draft_per_attempt(evidence: Evidence) -> list[Finding]:
    """Every attempt whose image is up for review, or was, has one draft message; what failed or was
    cancelled has none."""
    name, found = "one_draft_per_attempt", []
    for session in evidence.last.values():
        drafts = Counter(number for number, _ in evidence.of(session.id, "draft"))
        for attempt in session.attempts:
            number = attempt["number"]
            has_image = any(c["width"] and not c["failure"] for c in attempt["candidates"])
            wanted = int(has_image and not attempt["failure"])
            if drafts.pop(number, 0) != wanted:
                count = len([n for n, _ in evidence.of(session.id, "draft") if n == number])
                what = f"attempt {number} ({attempt['failure']}) has {count} drafts, not {wanted}"
                found.append(Finding(name, what, session.id))
            recorded = [m.ts for n, m in evidence.of(session.id, "draft") if n == number]
            if wanted and recorded and attempt["message_ts"] not in recorded:
                what = f"attempt {number}: {attempt['message_ts']} recorded, {recorded} there"
                found.append(Finding(name, what, session.id))
        found += [Finding(name, f"a draft of attempt {n}", session.id) for n in drafts]
    return found


def one_final_per_approval(evidence: Evidence) -> list[Finding]:
    """Every approved session has one final message, in the channel too, and no other has any."""
    name, found = "one_final_per_approval", []
    for session in evidence.last.values():
        finals = [message for _, message in evidence.of(session.id, "final")]
        wanted = int(bool(session.final_result) and session.publication != "refused")
        if len(finals) != wanted:
            found.append(Finding(name, f"{len(finals)} finals, not {wanted}", session.id))
        if any(m.is_reply and not m.reply_broadcast for m in finals):
            found.append(Finding(name, "the final is not in the channel", session.id))
    return found


def only_the_newest_draft_is_live(evidence: Evidence) -> list[Finding]:
    """The newest draft of a session under review has its buttons, and no other draft has."""
    name, found = "only_the_newest_draft_is_live", []
    for session in evidence.sessions.values():
        live = session.newest_draft if session.stage == "user_feedback" else 0
        for number, message in evidence.of(session.id, "draft"):
            has = any("✅ Approve" in button for button in message.buttons())
            if has != (number == live):
                what = f"draft {number} {'has' if has else 'lacks'} its buttons in {session.stage}"
                found.append(Finding(name, what, session.id))
    return found


def images_are_visible(evidence: Evidence) -> list[Finding]:
    """No message shows a broken image."""
    return [
        Finding("images_are_visible", f"{message.ts} shows a broken image")
        for message in evidence.messages
        if not message.deleted and None in message.shown_images()
    ]


def slack_has_no_complaints(evidence: Evidence) -> list[Finding]:
    """The bot did nothing that Slack would refuse, or lose without a word."""
    return [Finding("slack_has_no_complaints", what) for what in evidence.complaints]


def nobody_is_pinged(evidence: Evidence) -> list[Finding]:
    """The bot mentions the session's owner, and nobody else; what people type pings nobody. A
    refusal in private may name the owner."""
    found = [
        Finding("nobody_is_pinged", f"{message.ts}: {ping}")
        for message in evidence.messages
        if message.user == evidence.bot_user
        for ping in message.pings()
        if ping.startswith("<!")
    ]
    for session_id, marked in evidence.marked.items():
        owner = f"<@{session_id.split('.')[1]}>"
        for _, _, message in marked:
            others = [ping for ping in message.pings() if ping != owner]
            if others:
                found.append(Finding("nobody_is_pinged", f"{message.ts}: {others}", session_id))
    return found


def slack_is_told_nothing_private(evidence: Evidence) -> list[Finding]:
    """No secret and no text of an exception is in any message, whoever can see it."""
    found = []
    for message in evidence.messages:
        if message.user != evidence.bot_user:
            continue
        said = f"{message.text} {message.blocks}"
        private = [name for name, secret in evidence.secrets.items() if secret in said]
        private += [words for words in _OF_EXCEPTIONS if words in said]
        found += [Finding("slack_is_told_nothing_private", f"{message.ts}: {p}") for p in private]
    return found
