"""The words of people and of the provider that the request for an image holds."""

from __future__ import annotations

from bot.domain.attempt import Attempt
from bot.domain.session import Session

MOST_AVOIDED = 6
"""Wordings of earlier images in one request."""
LONGEST_AVOIDED = 1_000
"""Characters of one wording; the prompt itself may need the rest of what a request can hold."""


def words_of(session: Session, attempt: Attempt) -> str:
    """All words of a request. An edit repeats the changes that led to its base, and another image
    of the same prompt repeats the wordings that were turned down."""
    changes = () if attempt.base is None else session.changes_up_to(attempt.base)
    parts = (attempt.prompt, *changes, attempt.change, *turned_down(session, attempt))
    return "\n".join(parts)


def turned_down(session: Session, attempt: Attempt) -> tuple[str, ...]:
    """The provider's own wordings of the newest images that were shown for the same prompt, or for
    the same change to the same image, oldest first. The person asked for another image each
    time."""
    shown = [
        candidate.revised_prompt[:LONGEST_AVOIDED]
        for earlier in reversed(session.attempts[: attempt.number - 1])
        if _is_same_request(earlier, attempt) and earlier.has_draft
        for candidate in reversed(earlier.images)
        if candidate.revised_prompt
    ]
    newest = list(dict.fromkeys(shown))[:MOST_AVOIDED]
    return tuple(reversed(newest))


def _is_same_request(earlier: Attempt, attempt: Attempt) -> bool:
    if attempt.base is None:
        return earlier.prompt == attempt.prompt
    return (earlier.base, earlier.change) == (attempt.base, attempt.change)
