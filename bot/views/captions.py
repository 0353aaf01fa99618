"""How a session and its images are told in words: where it stands, where an image comes from, all
that was asked for, and who made it."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.domain.attempt import Attempt, Candidate, ImageRef
from bot.domain.errors import StoreTrouble
from bot.domain.failures import FailureKind
from bot.domain.option_table import OPTIONS
from bot.domain.options import Options
from bot.domain.session import Session
from bot.domain.stages import Publication, Stage
from bot.views.blocks import ALT_TEXT, cut, utf16_length

_WAITS = {
    StoreTrouble.AWAY: "I can't reach my memory",
    StoreTrouble.FULL: "my memory is full",
    StoreTrouble.READ_ONLY: "my memory takes nothing new",
    StoreTrouble.BROKEN: "part of my memory is broken",
}
_GOES_ON = {
    StoreTrouble.AWAY: "as soon as I can",
    StoreTrouble.FULL: "as soon as there is room",
    StoreTrouble.READ_ONLY: "as soon as it does",
    StoreTrouble.BROKEN: "as soon as whoever runs me has mended that",
}


def image_name(session: Session, image: ImageRef) -> str:
    """Such as: image 2 of attempt 3; attempt 3, where it has one image; your picture."""
    if not image.attempt:
        return "your picture"
    if image.candidate == len(session.attempt(image.attempt).candidates) == 1:
        return f"attempt {image.attempt}"
    return f"image {image.candidate} of attempt {image.attempt}"


def attempt_name(session: Session, attempt: Attempt) -> str:
    """Such as: attempt 3; attempt 3 from image 2 of attempt 1; attempt 1 from your picture."""
    name = f"attempt {attempt.number}"
    return f"{name} from {image_name(session, attempt.base)}" if attempt.base else name


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
    left = limit - utf16_length(added) - 1
    return f"{cut(attempt.prompt, left)}\n{added}"


def option_words(options: Options) -> str:
    """What is chosen, such as: 1792×1008 · high · 3 images · transparent. Empty for nothing."""
    told = sorted(OPTIONS, key=lambda spec: spec.told_last)
    chosen = ((spec, options.get(spec.name)) for spec in told)
    return " · ".join(spec.in_words(value) for spec, value in chosen if value)


def ai_line(label: str, *candidates: Candidate) -> str:
    """The label and the models, such as `AI-generated · gpt-image-2.5-flare`. An image of which no
    model is recorded has the label alone. Plain text: nothing in it is escaped."""
    models = dict.fromkeys(candidate.model for candidate in candidates if candidate.model)
    return " · ".join([label, *models])


def ai_alt_text(label: str, session: Session, attempt: Attempt, *candidates: Candidate) -> str:
    """The label, which of several images it is, then what was asked for, cut where it is too
    long."""
    lead = f"{ai_line(label, *candidates)}: "
    if len(attempt.candidates) > 1 and len(candidates) == 1:
        which = image_name(session, ImageRef(attempt.number, candidates[0].number))
        lead = f"{ai_line(label, *candidates)} · {which}: "
    room = ALT_TEXT - utf16_length(lead)
    return lead + described(session, attempt, room)


def status_words(
    session: Session,
    ahead: int | None,
    now: float | None,
    waits_for: StoreTrouble | None = None,
) -> str:
    """In mrkdwn: where the session stands. `ahead` is the number of images before this one in the
    queue, None where it is not known. `waits_for` is the trouble of the store that the attempt
    waits for. `now` is in seconds since the epoch, None for a text that is not updated every few
    seconds: it tells no seconds."""
    failure = session.latest.failure if session.attempts else None
    cancelled = failure is FailureKind.CANCELLED
    if session.discarded:
        return discarded_words(session)
    match session.stage:
        case Stage.GENERATING:
            return _generating(session, ahead, now, waits_for)
        case Stage.USER_FEEDBACK if cancelled:
            which = f"🚫 Attempt {session.latest.number} cancelled"
            return f"{which} · 👀 waiting for review by <@{session.user}>"
        case Stage.USER_FEEDBACK if failure:
            return "⚠️ The last attempt failed: see the thread"
        case Stage.USER_FEEDBACK:
            return f"👀 Waiting for review by <@{session.user}>"
        case Stage.FINAL if session.publication is Publication.REFUSED:
            who = f"<@{session.approved_by}>"
            return f"⚠️ Approved by {who}, but Slack did not let me post it to the channel"
        case Stage.FINAL:
            return f"✅ Approved by <@{session.approved_by}>"
        case Stage.INITIAL_INPUT if cancelled:
            return "🚫 Cancelled"
        case Stage.INITIAL_INPUT if failure:
            return "⚠️ Failed: see the thread"
        case Stage.INITIAL_INPUT:
            return "✏️ Waiting for a prompt"


def discarded_words(session: Session) -> str:
    """In mrkdwn: by whom it was discarded, and until when, in the reader's own time zone, that can
    be undone."""
    until = int(session.undo_until)
    told = datetime.fromtimestamp(until, UTC).strftime("%H:%M UTC")
    when = f"<!date^{until}^{{time}}|{told}>"
    return f"🗑️ Discarded by <@{session.discarded_by}> · Undo works until {when}"


def _generating(
    session: Session, ahead: int | None, now: float | None, waits_for: StoreTrouble | None
) -> str:
    """The first attempt of a session is not named by its number."""
    attempt = session.latest
    name = attempt_name(session, attempt)
    if attempt.number == 1:
        name = name.removeprefix("attempt 1").strip()
    which = f", {name}" if name else ""
    if waits_for is not None:
        return f"⏳ Waiting{which}: {_WAITS[waits_for]}. It goes on by itself {_GOES_ON[waits_for]}"
    if attempt.is_generated:
        return f"📤 Uploading{which}…"
    if not attempt.has_started:
        return f"⏳ Queued{which}, {ahead} ahead" if ahead else f"⏳ Queued{which}"
    seconds = "" if now is None else f" {max(0, round(now - attempt.started_at))} s"
    status = f"🎨 Generating{which}…{seconds}"
    made, asked = sum(c.has_image for c in attempt.candidates), len(attempt.candidates)
    if made and asked > 1:
        status = f"{status} · {made} of {asked} images ready"
    return status
