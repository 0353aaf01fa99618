"""The label of an image that is made by AI, in plain text: no markup in it comes to life."""

from __future__ import annotations

from bot.domain.attempt import Attempt, Candidate
from bot.domain.session import Session
from bot.views.lineage import described
from bot.views.text import ALT_TEXT


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
