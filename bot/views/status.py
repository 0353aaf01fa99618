"""The one line that says where a session stands."""

from __future__ import annotations

from bot.domain.session import Session
from bot.domain.stages import Stage
from bot.views.text import mention


def status_words(session: Session, ahead: int | None, now: float) -> str:
    """In mrkdwn. `ahead`: images before this one in the queue, None where it is not known."""
    match session.stage:
        case Stage.GENERATING:
            return _working(session, ahead, now)
        case Stage.USER_FEEDBACK if session.error_message:
            return "⚠️ The last attempt failed: see the thread"
        case Stage.USER_FEEDBACK:
            return f"👀 Waiting for review by {mention(session.user)}"
        case Stage.FINAL:
            return f"✅ Approved by {mention(session.approved_by)}"
        case Stage.INITIAL_INPUT if session.error_message:
            return "⚠️ Failed: see the thread"
        case Stage.INITIAL_INPUT:
            return "🔄 Started over"


def _working(session: Session, ahead: int | None, now: float) -> str:
    attempt = session.latest
    which = f", attempt {attempt.number}" if attempt.number > 1 else ""
    if attempt.has_image:
        return f"📤 Uploading{which}…"
    if attempt.started_at:
        seconds = max(0, round(now - attempt.started_at))
        return f"🎨 Generating{which}… {seconds} s"
    if ahead:
        return f"⏳ Queued{which}, {ahead} ahead"
    return f"⏳ Queued{which}"
