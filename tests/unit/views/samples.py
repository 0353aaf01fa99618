"""Sessions with prompts of every kind, for the views."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.session import Session
from bot.domain.stages import Stage
from tests.fakes import a_session, generating, with_latest

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


def with_prompt(session: Session, prompt: str) -> Session:
    attempts = tuple(replace(attempt, prompt=prompt) for attempt in session.attempts)
    return replace(session, task_input=prompt, attempts=attempts)


def sessions_of(prompt: str) -> dict[str, Session]:
    """One session for each thing that there is to see."""
    made = {
        "queued": generating(),
        "running": with_latest(generating(), started_at=101.0),
        "uploading": with_latest(generating(2), started_at=101.0, width=1024, height=768),
        "review": a_session(),
        "second review": a_session(attempts=2),
        "review after a failure": a_session(error_message="it failed"),
        "final": a_session(Stage.FINAL, attempts=2),
        "final by another": a_session(Stage.FINAL, attempts=3, final_result=2, approved_by="U9"),
        "failed": a_session(Stage.INITIAL_INPUT, error_message="it failed", thread_ts="1.0"),
        "started over": a_session(Stage.INITIAL_INPUT, thread_ts="1.0"),
    }
    return {name: with_prompt(session, prompt) for name, session in made.items()}
