"""Sessions with prompts of every kind, for the views."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.attempt import Candidate, ImageRef, Source
from bot.domain.failures import FailureKind
from bot.domain.options import Options
from bot.domain.session import Session, with_attempt
from bot.domain.stages import Stage
from bot.views.blocks import Message
from tests.fakes import a_candidate, a_session, an_attempt, generating, with_latest

HOSTILE = "<!channel> <@U123> <https://x|y> <#C1> <!subteam^S1> & * _ ~ ` @here"
PROMPTS = {
    "plain": "a robot eating pizza on Mars",
    "one letter": "x",
    "hostile": HOSTILE,
    "hostile, long": (HOSTILE + "\n") * 400,
    "longest": "x" * 32_000,
    "longest, to be escaped": "&" * 32_000,
    "longest, in angle brackets": "<" * 32_000,
    "emoji": "👩‍🚀🚀" * 2_000,
    "right to left": "רובוט אוכל פיצה על מאדים " * 200,
    "lines": "one\n\n>two\n```three```\n" * 300,
    "entities": "&lt;!channel&gt; &amp; <!here>",
}

NEXT_STEP = (
    "Try again",
    "try again",
    "Edit prompt",
    "/imagine",
    "/invite",
    "mention me in the channel",
    "Use the buttons",
    "Start over",
    "shorten",
    "Please say",
    "comes to the thread soon",
    "go on with the newer one",
    "share it from the draft",
    "Try it in another channel",
    "mention me with it",
    "upload it",
    "Ask somebody of that workspace",
    "Ask a full member",
    "Ask whoever runs me",
)
"""Of these, one stands in each text that says what to do next."""

EVERY_OPTION = Options(size="1792x1008", quality="high", background="transparent", count=4)
SOURCE = Source("F0", "image/png", 1000)


def with_prompt(session: Session, prompt: str) -> Session:
    """The session with this prompt, and with it as the change wherever there is one."""
    attempts = tuple(
        replace(attempt, prompt=prompt, change=prompt if attempt.change else "")
        for attempt in session.attempts
    )
    return replace(session, task_input=prompt, attempts=attempts)


def refined(session: Session, base: ImageRef, change: str = "friendlier cat") -> Session:
    """The session with its newest attempt a refinement of `base`."""
    return with_latest(session, base=base, change=change)


def with_images(session: Session, images: int) -> Session:
    """The session with so many images in each draft."""
    for attempt in session.attempts:
        many = an_attempt(attempt.number, posted=bool(attempt.message_ts), images=images)
        session = with_attempt(session, replace(many, base=attempt.base, change=attempt.change))
    return session


def two_of_three(session: Session) -> Session:
    """The session with an attempt 1 of which one image did not come: the first."""
    candidates = (
        Candidate(1, failure=FailureKind.MODERATION),
        a_candidate(2, file_id="F1.2"),
        a_candidate(3, file_id="F1.3"),
    )
    return with_attempt(session, replace(session.attempt(1), candidates=candidates))


def from_picture(session: Session) -> Session:
    """The session as started from a person's picture."""
    first = session.attempt(1)
    edited = replace(first, base=ImageRef(0), change=first.prompt)
    return with_attempt(replace(session, source=SOURCE), edited)


def cancelled(*, draft: bool) -> Session:
    """A session whose newest attempt was cancelled, with a draft before it or without."""
    stage = Stage.USER_FEEDBACK if draft else Stage.INITIAL_INPUT
    running = generating(2 if draft else 1, error_message="Cancelled.")
    return replace(with_latest(running, failure=FailureKind.CANCELLED), stage=stage)


def failed_first() -> Session:
    """A session whose only attempt has failed."""
    attempt = an_attempt(failure=FailureKind.QUOTA)
    session = a_session(Stage.INITIAL_INPUT, error_message="it failed")
    return replace(session, attempts=(attempt,))


def sessions_of(prompt: str) -> dict[str, Session]:
    """One session for each thing that there is to see."""
    final = a_session(Stage.FINAL, attempts=3)
    made = {
        "queued": generating(options=EVERY_OPTION),
        "running": with_latest(generating(), started_at=101.0),
        "uploading": with_latest(generating(2), started_at=101.0, generated_at=111.0),
        "review": a_session(),
        "second review": a_session(attempts=2),
        "review after a failure": with_latest(a_session(attempts=2), failure=FailureKind.QUOTA),
        "review after a cancel": cancelled(draft=True),
        "refined": refined(a_session(attempts=3), ImageRef(2)),
        "refining": refined(generating(2), ImageRef(1)),
        "four images": with_images(refined(a_session(attempts=2), ImageRef(1, 3)), 4),
        "two of three images": two_of_three(a_session(options=EVERY_OPTION)),
        "from a picture": from_picture(a_session(attempts=2)),
        "final": a_session(Stage.FINAL, attempts=2),
        "final by another": a_session(Stage.FINAL, attempts=3, final_result=2, approved_by="U9"),
        "final of four": replace(with_images(refined(final, ImageRef(2)), 4), final_candidate=3),
        "cancelled": cancelled(draft=False),
        "failed": replace(failed_first(), thread_ts="1.0"),
        "started over": a_session(Stage.INITIAL_INPUT, thread_ts="1.0"),
    }
    return {name: with_prompt(session, prompt) for name, session in made.items()}


def decided(session: Session) -> Session:
    """The session with none of its drafts under review any more."""
    return replace(session, stage=Stage.FINAL)


def buttons(message: Message) -> dict[str, tuple[str, str]]:
    """Action id → words and value."""
    elements = [e for b in message.blocks if b["type"] == "actions" for e in b["elements"]]
    found = {e["action_id"]: (e["text"]["text"], e["value"]) for e in elements}
    assert len(found) == len(elements), "an action id stands there twice"
    return found


def images(message: Message) -> list[str]:
    """The file ids of the images, in their order."""
    return [b["slack_file"]["id"] for b in message.blocks if b["type"] == "image"]
