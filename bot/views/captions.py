"""How an image is described: where it comes from, all that was asked for, and who made it."""

from __future__ import annotations

from bot.domain.attempt import Attempt, Candidate, ImageRef
from bot.domain.session import Session
from bot.views.text import ALT_TEXT, cut, escape, one_line

CHANGE_SHOWN = 100


def origin(attempt: Attempt) -> str:
    """`from 2`, `from 1.2` for a candidate, `from your picture`; empty for one made afresh."""
    if attempt.base is None:
        return ""
    return f"from {attempt.base}" if attempt.base.attempt else "from your picture"


def descent(attempt: Attempt) -> str:
    """In mrkdwn, such as: attempt 3 from 2, “friendlier cat”."""
    words = f"attempt {attempt.number} {origin(attempt)}".rstrip()
    if not _changes_an_attempt(attempt):
        return words
    change = escape(cut(one_line(attempt.change), CHANGE_SHOWN))
    return f"{words}, “{change}”"


def changes(session: Session, attempt: Attempt) -> tuple[str, ...]:
    """What was asked to be different on the way to this attempt, oldest first. Where a session
    starts from a picture, the first change is the prompt, and is not among them."""
    asked = session.changes_up_to(ImageRef(attempt.number))
    return asked[1:] if asked[:1] == (attempt.prompt,) else asked


def described(session: Session, attempt: Attempt, limit: int) -> str:
    """The prompt, and a line for each change, in so many UTF-16 units; the changes get at most
    half of them."""
    if not (asked := changes(session, attempt)):
        return cut(attempt.prompt, limit)
    added = cut("\n".join(asked), limit // 2 - 1)
    left = limit - len(added.encode("utf-16-le")) // 2 - 1
    return f"{cut(attempt.prompt, left)}\n{added}"


def _changes_an_attempt(attempt: Attempt) -> bool:
    return attempt.base is not None and attempt.base.attempt > 0 and bool(attempt.change)


def ai_line(label: str, *candidates: Candidate) -> str:
    """Such as `AI-generated · gpt-image-2.5-flare`. An image of which no model is known, because
    an earlier version has made it, has the label alone."""
    models = dict.fromkeys(candidate.model for candidate in candidates if candidate.model)
    return " · ".join([label, *models])


def ai_alt_text(label: str, session: Session, attempt: Attempt, *candidates: Candidate) -> str:
    """The label, then what was asked for, cut where it is too long."""
    lead = f"{ai_line(label, *candidates)}: "
    room = ALT_TEXT - len(lead.encode("utf-16-le")) // 2
    return lead + described(session, attempt, room)
