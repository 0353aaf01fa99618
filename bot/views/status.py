"""The one line that says where a session stands."""

from __future__ import annotations

from bot.domain.attempt import Attempt
from bot.domain.errors import StoreTrouble
from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.views.lineage import origin
from bot.views.text import mention

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
