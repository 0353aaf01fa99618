"""How an image is described: where it comes from, all that was asked for, and who made it."""

from __future__ import annotations

from bot.domain.attempt import Attempt, Candidate, ImageRef
from bot.domain.options import OPTIONS, Options
from bot.domain.session import Session
from bot.views.blocks import ALT_TEXT, cut


def attempt_name(attempt: Attempt) -> str:
    """Such as: attempt 3; attempt 3 from 1.2 (a candidate); attempt 1 from your picture."""
    name = f"attempt {attempt.number}"
    if attempt.base is None:
        return name
    return f"{name} from {attempt.base if attempt.base.attempt else 'your picture'}"


def changes(session: Session, attempt: Attempt) -> tuple[str, ...]:
    """What was asked to be different on the way to this attempt, oldest first. Where a session
    starts from a picture, the first change is the prompt, and is not among them."""
    asked = session.changes_up_to(ImageRef(attempt.number))
    return asked[1:] if asked[:1] == (attempt.prompt,) else asked


def described(session: Session, attempt: Attempt, limit: int) -> str:
    """The prompt and a line for each change, as typed, in at most `limit` UTF-16 units. The changes
    get at most half of them."""
    if not (asked := changes(session, attempt)):
        return cut(attempt.prompt, limit)
    added = cut("\n".join(asked), limit // 2 - 1)
    left = limit - len(added.encode("utf-16-le")) // 2 - 1
    return f"{cut(attempt.prompt, left)}\n{added}"


def option_words(options: Options) -> str:
    """What is chosen, such as: 1792×1008 · high · 3 candidates · transparent. Empty for nothing."""
    told = sorted(OPTIONS, key=lambda spec: spec.told_last)
    chosen = ((spec, options.get(spec.name)) for spec in told)
    return " · ".join(spec.in_words(value) for spec, value in chosen if value)


def ai_line(label: str, *candidates: Candidate) -> str:
    """The label and the models, such as `AI-generated · gpt-image-2.5-flare`. An image of which no
    model is recorded has the label alone. Plain text: nothing in it is escaped."""
    models = dict.fromkeys(candidate.model for candidate in candidates if candidate.model)
    return " · ".join([label, *models])


def ai_alt_text(label: str, session: Session, attempt: Attempt, *candidates: Candidate) -> str:
    """The label, then what was asked for, cut where it is too long."""
    lead = f"{ai_line(label, *candidates)}: "
    room = ALT_TEXT - len(lead.encode("utf-16-le")) // 2
    return lead + described(session, attempt, room)
